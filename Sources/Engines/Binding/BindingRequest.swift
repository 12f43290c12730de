package import STUN

/// The Binding request as icecheck sends it.
package enum BindingRequest {
    /// A request with a FINGERPRINT, so that an answer can be told from other traffic, and no SOFTWARE: what a server
    /// needs to know of us is nothing, and a short request is one that more servers and firewalls let through.
    package static func bytes(_ id: TransactionID) -> [UInt8] {
        var builder = MessageBuilder(.request, .binding, id)
        builder.appendFingerprint()
        return builder.bytes
    }
}
