package import NetTypes

/// Something that the reader should know, with its evidence and what to do.
package struct Finding: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable, CaseIterable {
        case error
        case warning
        case note
    }

    package let kind: FindingKind
    package var severity: Severity
    package var title: String
    /// The servers that it concerns, as they were named, each once.
    package var servers: [String] = []
    /// Of the servers' addresses; nil where the finding concerns both families, or none.
    package var family: IPAddress.Family?
    /// Nil where the finding concerns several transports, or none.
    package var transport: Transport?
    /// Values of this run.
    package var evidence: [String]
    /// The causes that fit the evidence, the likeliest first.
    package var causes: [String]
    /// What to change.
    package var remedy: String

    /// Stable: scripts and `icecheck explain` know it.
    package var id: String { kind.id }

    /// - Parameters:
    ///   - subjects: what the finding concerns: they give servers, family and transport.
    ///   - title, causes, remedy: where this run allows more exact words than the kind has.
    init(
        _ kind: FindingKind, about subjects: [any FindingSubject] = [], severity: Severity? = nil,
        title: String? = nil, evidence: [String], causes: [String]? = nil, remedy: String? = nil
    ) {
        self.kind = kind
        self.severity = severity ?? kind.severity
        self.title = title ?? kind.title
        self.evidence = evidence
        self.causes = causes ?? kind.causes
        self.remedy = remedy ?? kind.remedy
        let scopes = subjects.map(\.scope)
        for server in scopes.flatMap(\.servers) where !servers.contains(server) { servers.append(server) }
        if let first = scopes.first {
            family = scopes.allSatisfy { $0.family == first.family } ? first.family : nil
            transport = scopes.allSatisfy { $0.transport == first.transport } ? first.transport : nil
        }
    }
}

/// What a finding can be about.
protocol FindingSubject {
    var scope: FindingScope { get }
}

/// The servers as they were named, the family of their addresses and the transport to them, where there is only one.
struct FindingScope: FindingSubject {
    var servers: [String] = []
    var family: IPAddress.Family?
    var transport: Transport?

    var scope: FindingScope { self }
}
