package import NetTypes
import STUN

/// Binding requests that are sent once each, by transaction ID: who asks decides whether to ask again.
package struct BindingExchanges<Tag: Sendable>: Sendable {
    private struct Sent: Sendable {
        var client: BindingClient
        let tag: Tag
        let path: PathID
    }

    /// What came for a request.
    package struct Arrival {
        package let tag: Tag
        package let reply: BindingReply
        /// Since the request left.
        package let after: Duration
        package let destination: Endpoint
        /// Whether it came to the socket that asked.
        package let isOnOwnPath: Bool
    }

    private var sent: [TransactionID: Sent] = [:]

    package init() {}

    /// Makes a request that is sent now.
    package mutating func request(
        _ tag: Tag, on path: PathID, to destination: Endpoint, change: NATExchange.Change = .none,
        responsePort: UInt16? = nil, using random: inout some RandomNumberGenerator, at now: Instant
    ) -> [UInt8] {
        var client = BindingClient(
            to: destination, schedule: .standard, change: change, responsePort: responsePort, using: &random, from: now)
        client.transmitted(at: now)
        sent[client.id] = Sent(client: client, tag: tag, path: path)
        return client.request
    }

    /// The kernel says when a request left.
    package mutating func left(_ transmit: Transmit, at instant: Instant) {
        guard let id = TransactionID(inMessage: transmit.bytes) else { return }
        sent[id]?.client.left(at: instant)
    }

    /// The request that a message is about, whatever it says; nil where it carries no ID of ours.
    package func arrival(_ message: [UInt8], on path: PathID, at arrivedAt: Instant) -> Arrival? {
        guard let id = TransactionID(inMessage: message), let found = sent[id] else { return nil }
        let after = found.client.transaction.roundTrip(arrivingAt: arrivedAt)?.duration ?? .zero
        return Arrival(
            tag: found.tag, reply: BindingReply(message, to: id), after: after,
            destination: found.client.destination, isOnOwnPath: found.path == path)
    }
}
