package import NetTypes

/// What was not measured, and why.
package struct NotMeasured: Hashable, Sendable, Codable {
    package enum Reason: String, Hashable, Sendable, Codable, CaseIterable {
        case deadline
        case interrupted
        /// The machine has no address or no route of the family.
        case noRoute = "no-route"
        /// The user asked for something that excludes it (`-4`, `--interface`).
        case excluded
        /// This version of icecheck cannot.
        case notSupported = "not-supported"
        /// A limit of this tool: so many addresses of a name, so many servers.
        case limit
    }

    package var what: String
    /// Where it concerns one family only.
    package var family: IPAddress.Family?
    package var reason: Reason
    package var detail: String

    package init(what: String, family: IPAddress.Family? = nil, reason: Reason, detail: String) {
        self.what = what
        self.family = family
        self.reason = reason
        self.detail = detail
    }
}
