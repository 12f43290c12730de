package import NetTypes

/// One attempt of a discovery to reach an endpoint over TCP, from the one port that all are made from.
package struct NATConnection: Hashable, Sendable, Codable {
    package enum Failure: Hashable, Sendable, Codable {
        /// RST in answer to SYN.
        case refused
        /// Given up before it was made.
        case silent
        /// Made, and no request on it was answered in time.
        case unanswered
        /// The peer ended it.
        case closed
        /// What came is no STUN.
        case foreign
        /// The local port was another's: not an attempt at all, and made once more from another port.
        case portTaken
        case failed(PathError.Kind)
    }

    /// The place in ``NATEvidence/servers`` of the server for which it was first wanted.
    package var server: Int
    package var destination: Endpoint
    /// Since the discovery's start.
    package var startedAt: Duration
    /// How long the handshake took.
    package var openedAfter: Duration?
    /// Since the discovery's start.
    package var endedAt: Duration?
    package var failure: Failure?
}

extension NATEvidence {
    /// The attempts at an endpoint.
    func connections(to destination: Endpoint) -> [Int] {
        connections.indices.filter {
            connections[$0].destination == destination && connections[$0].failure != .portTaken
        }
    }

    /// Why nothing is known of an endpoint, in words.
    package func silence(of endpoint: Endpoint) -> String {
        let attempts = connections(to: endpoint).map { connections[$0] }
        guard transport == .tcp, let first = attempts.first, let last = attempts.last else {
            return "\(endpoint) gave no answer"
        }
        switch last.failure {
        case .refused: return "\(endpoint) refuses TCP"
        case .closed: return "\(endpoint) closed the connection without an answer"
        case .foreign: return "what \(endpoint) sends over TCP is no STUN"
        case .failed(let kind): return "no TCP connection to \(endpoint): \(kind.reason)"
        case .unanswered: return "\(endpoint) took the connection and gave no answer"
        case .silent, .portTaken, nil:
            guard last.openedAfter == nil else { return "\(endpoint) took the connection and gave no answer" }
            let waited = (last.endedAt ?? endedAt) - first.startedAt
            return "no TCP connection to \(endpoint) within \(Int((waited / .milliseconds(1)).rounded(.up))) ms"
        }
    }
}

extension PathError.Kind {
    /// Why a connection could not be made.
    fileprivate var reason: String {
        switch self {
        case .hostUnreachable, .networkUnreachable: "it cannot be reached"
        case .administrativelyProhibited, .portUnreachable, .protocolUnreachable: "it is rejected on the way"
        case .notPermitted: "this machine does not permit it"
        default: "this machine could not make one"
        }
    }
}
