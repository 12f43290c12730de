package import NetTypes
package import STUN

/// What the TURN servers of a test were asked, and what they hold.
package final class RelayLog {
    package struct Request: Sendable {
        package var at: Instant
        package var client: Endpoint
        package var server: Endpoint
        package var method: Method
        /// LIFETIME, where there is one.
        package var lifetime: UInt32?
        package var isSigned: Bool

        package init(_ message: Message, from client: Endpoint, to server: Endpoint, at now: Instant) {
            at = now
            self.client = client
            self.server = server
            method = message.method
            lifetime = (try? message.value(.lifetime)) ?? nil
            isSigned = message.first(.messageIntegrity) != nil || message.first(.messageIntegritySHA256) != nil
        }
    }

    package var requests: [Request] = []
    /// The most allocations that there were at one time.
    package private(set) var most = 0
    private var held: [Endpoint: Int] = [:]

    package init() {}

    package func requests(_ method: Method) -> [Request] { requests.filter { $0.method == method } }
    /// Refreshes with lifetime 0.
    package var deletions: [Request] { requests(.refresh).filter { $0.lifetime == 0 } }
    /// Allocations that the servers have still.
    package var left: Int { held.values.reduce(0, +) }

    package func hold(_ count: Int, by server: Endpoint) {
        held[server] = count
        most = max(most, left)
    }
}
