/// Something that the reader should know, with its evidence and what to do.
package struct Finding: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable, CaseIterable {
        case error
        case warning
        case note
    }

    /// Stable: scripts and `icecheck explain` know it.
    package var id: String
    package var severity: Severity
    package var title: String
    /// Values of this run.
    package var evidence: [String]
    /// The causes that fit the evidence, the likeliest first.
    package var causes: [String]
    /// What to change.
    package var remedy: String

    package init(
        id: String, severity: Severity, title: String, evidence: [String], causes: [String], remedy: String
    ) {
        self.id = id
        self.severity = severity
        self.title = title
        self.evidence = evidence
        self.causes = causes
        self.remedy = remedy
    }
}
