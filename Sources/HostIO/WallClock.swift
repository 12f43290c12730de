import CSystem
import Glibc

/// The time of day, for what people and other machines compare: never for an interval.
package enum WallClock {
    /// Now in RFC 3339 form, UTC, with milliseconds: `2026-05-04T03:02:01.000Z`.
    package static var now: String { text(csys_realtime_nanoseconds()) }

    /// Seconds since 1970, UTC.
    package static var secondsSince1970: Int64 { csys_realtime_nanoseconds() / 1_000_000_000 }

    /// Nanoseconds since 1970, UTC.
    package static var nanosecondsSince1970: Int64 { csys_realtime_nanoseconds() }

    static func text(_ nanoseconds: Int64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        func pair(_ value: Int32) -> String { digits(Int(value), 2) }
        let date = "\(digits(Int(parts.tm_year) + 1900, 4))-\(pair(parts.tm_mon + 1))-\(pair(parts.tm_mday))"
        let time = "\(pair(parts.tm_hour)):\(pair(parts.tm_min)):\(pair(parts.tm_sec))"
        return "\(date)T\(time).\(digits(Int(nanoseconds / 1_000_000 % 1000), 3))Z"
    }
}
