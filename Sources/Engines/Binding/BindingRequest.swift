package import STUN

/// The Binding request as icecheck sends it.
package enum BindingRequest {
    /// A request with a FINGERPRINT, so that an answer can be told from other traffic, and no SOFTWARE: what a server
    /// needs to know of us is nothing, and a short request is one that more servers and firewalls let through.
    ///
    /// - Parameter change: from where the server is to answer; an attribute that a server may refuse to understand.
    package static func bytes(_ id: TransactionID, change: NATExchange.Change = .none) -> [UInt8] {
        var builder = MessageBuilder(.request, .binding, id)
        if change != .none {
            builder.append(.changeRequest, ChangeRequest(address: change == .addressAndPort, port: true))
        }
        builder.appendFingerprint()
        return builder.bytes
    }
}
