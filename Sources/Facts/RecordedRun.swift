import JSON
package import NetTypes
package import Planning

/// A run as a file: all that its report is made of, so that it can be diagnosed and reported again without a network.
///
/// It is JSON with a line for each small value, so that two runs can be compared line by line. The credentials and the
/// certificates that the plan was made with are not in it.
package struct RecordedRun: Sendable, Codable {
    /// How a run ended.
    package enum End: Hashable, Sendable, Codable {
        /// By itself, be it at its deadline.
        case finished
        case interrupted(signal: Int32)

        package var isInterruption: Bool { self != .finished }
    }

    package static let schema = "icecheck-run"
    package static let version = 1

    package private(set) var schema = Self.schema
    package private(set) var version = Self.version
    /// Of icecheck.
    package var toolVersion: String
    /// RFC 3339, UTC.
    package var startedAt: String
    /// The command line as it was meant, without secrets.
    package var command: String
    /// Seconds since 1970, when the run had ended.
    package var wallClock: Int64
    package var duration: Duration
    package var end: End
    /// What the plan had and the record has not.
    package private(set) var leftOut = ["credentials", "certificates"]
    package var plan: Plan
    /// The machine's interfaces after the run, where the diagnosis looks at them.
    package var interfacesAfter: [NetworkInterface]?
    package var observations: [Observation]

    package init(
        toolVersion: String, startedAt: String, command: String, wallClock: Int64, duration: Duration, end: End,
        plan: Plan, interfacesAfter: [NetworkInterface]? = nil, observations: [Observation]
    ) {
        self.toolVersion = toolVersion
        self.startedAt = startedAt
        self.command = command
        self.wallClock = wallClock
        self.duration = duration
        self.end = end
        self.plan = plan
        self.interfacesAfter = interfacesAfter
        self.observations = observations
    }

    /// The file: what is wider than 120 bytes has a line for each of its parts.
    ///
    /// - Throws: `EncodingError` where something in it is no number.
    package func text() throws -> String { try JSONEncoding.value(of: self).text(width: 120) + "\n" }
}
