import NetTypes

/// Phrases that several messages share.
package enum Words {
    /// A duration as people read it: `0.21 ms`, `12.3 ms`, `5 s`.
    static func duration(_ duration: Duration) -> String {
        let milliseconds = duration.milliseconds
        if milliseconds < 10 { return "\(rounded(milliseconds, to: 2)) ms" }
        if milliseconds < 99.95 { return "\(rounded(milliseconds, to: 1)) ms" }
        if milliseconds < 999.5 { return "\(Int(milliseconds.rounded())) ms" }
        return "\(rounded(milliseconds / 1000, to: 1)) s"
    }

    /// Seconds to the tenth: what was seen to hold is not made longer, what was seen to be over not shorter.
    package static func seconds(down duration: Duration) -> String { tenths((duration.inSeconds * 10).rounded(.down)) }
    package static func seconds(up duration: Duration) -> String { tenths((duration.inSeconds * 10).rounded(.up)) }

    private static func tenths(_ tenths: Double) -> String { rounded(tenths / 10, to: 1) }

    package static func count(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
        "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
    }

    /// Seconds as people say an age: `40 s`, `12 min`, `3 h`, `2 days`.
    static func age(_ seconds: Int64) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    /// What is left of certainty where this is the chance, 0 to 1, of being wrong: `confidence 99.95 %`. Rounded down: it
    /// is never certain where it is not.
    package static func confidence(_ risk: Double) -> String {
        "confidence \(((1 - risk) * 10_000).rounded(.down) / 100) %"
    }

    private static func rounded(_ value: Double, to digits: Int) -> String {
        let scale = digits == 1 ? 10.0 : 100.0
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}
