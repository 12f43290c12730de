import Diagnosis
import Engines
import NetTypes

extension Report {
    /// The candidates that would be offered as lines of a session description (RFC 8839 s5.1), one a line.
    package var sessionDescriptionLines: String {
        (candidates ?? [])
            .filter { $0.withheld == nil }
            .map { "a=" + $0.candidate.description.cleaned(limit: 1000) + "\n" }
            .joined()
    }
}
