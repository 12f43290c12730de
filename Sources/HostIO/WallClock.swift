import CSystem

/// The time of day, for reports only: intervals come from ``MonotonicClock``.
package enum WallClock {
    /// Now, as RFC 3339 in UTC with milliseconds: `2026-11-22T23:07:00.123Z`.
    package static var now: String { text(nanoseconds: csys_realtime_nanoseconds()) }

    /// An instant by its nanoseconds since 1970 as RFC 3339.
    static func text(nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        let seconds = milliseconds / 1000
        let (days, time) = (seconds / 86_400, seconds % 86_400)
        let (year, month, day) = civil(daysSince1970: days)
        let clock = [time / 3600, time / 60 % 60, time % 60].map { padded($0, 2) }.joined(separator: ":")
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(clock).\(padded(milliseconds % 1000, 3))Z"
    }

    /// The date of the proleptic Gregorian calendar, counted in eras of 400 years that begin on 1 March.
    private static func civil(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let days = daysSince1970 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
