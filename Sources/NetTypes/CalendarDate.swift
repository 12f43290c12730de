/// Dates of the Gregorian calendar, UTC.
package enum CalendarDate {
    /// `2026-05-04` for seconds since 1970; what is outside of the years 0 to 9999 is held to them.
    package static func text(_ secondsSince1970: Int64) -> String {
        let held = min(max(secondsSince1970, -62_167_219_200), 253_402_300_799)
        // Days since 1 March of year 0, so that the leap day is the last of its year.
        let days = (held >= 0 ? held / 86400 : (held - 86399) / 86400) + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
