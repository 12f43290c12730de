package import STUN

/// The Binding request as icecheck sends it.
package enum BindingRequest {
    /// A request with a FINGERPRINT, so that an answer can be told from other traffic, and no SOFTWARE: what a server
    /// needs to know of us is nothing, and a short request is one that more servers and firewalls let through.
    ///
    /// - Parameters:
    ///   - change: from where the server is to answer; an attribute that a server may refuse to understand.
    ///   - responsePort: the port of this address that it is to answer to (RFC 5780 s7.5); it may refuse that as well.
    package static func bytes(
        _ id: TransactionID, change: NATExchange.Change = .none, responsePort: UInt16? = nil
    ) -> [UInt8] {
        var builder = MessageBuilder(.request, .binding, id)
        if change != .none {
            builder.append(.changeRequest, ChangeRequest(address: change == .addressAndPort, port: true))
        }
        if let responsePort { builder.append(.responsePort, responsePort) }
        builder.appendFingerprint()
        return builder.bytes
    }
}
