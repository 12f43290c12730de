import NetTypes
import STUN

/// The Binding messages of ICE, written: requests by who asks (RFC 8445 s7.2.2), answers by who is asked (s7.3.1).
enum ICEMessage {
    /// A connectivity check.
    ///
    /// - Parameters:
    ///   - priority: what a peer-reflexive candidate that this check brings to light would have.
    ///   - remote: the peer's credentials, whose password signs.
    static func check(
        _ id: TransactionID, local: ICECredentials, remote: ICECredentials, role: ICERole, tieBreaker: UInt64,
        priority: UInt32, nominates: Bool
    ) -> [UInt8] {
        var builder = MessageBuilder(.request, .binding, id)
        builder.append(.username, "\(remote.usernameFragment):\(local.usernameFragment)")
        builder.append(.priority, priority)
        switch role {
        case .controlling: builder.append(.iceControlling, tieBreaker)
        case .controlled: builder.append(.iceControlled, tieBreaker)
        }
        if nominates { builder.append(.useCandidate, true) }
        builder.appendMessageIntegrity(key: Array(remote.password.utf8))
        builder.appendFingerprint()
        return builder.bytes
    }

    static func success(_ id: TransactionID, to source: Endpoint, password: String) -> [UInt8] {
        var builder = MessageBuilder(.successResponse, .binding, id)
        builder.append(.xorMappedAddress, source)
        builder.appendMessageIntegrity(key: Array(password.utf8))
        builder.appendFingerprint()
        return builder.bytes
    }

    /// - Parameter password: nil where the request was not authenticated, and so is its answer.
    static func error(
        _ code: Int, _ id: TransactionID, unknown: [AttributeType] = [], password: String?
    ) -> [UInt8] {
        var builder = MessageBuilder(.errorResponse, .binding, id)
        builder.append(.errorCode, ErrorCode(code))
        if !unknown.isEmpty { builder.append(.unknownAttributes, unknown) }
        if let password { builder.appendMessageIntegrity(key: Array(password.utf8)) }
        builder.appendFingerprint()
        return builder.bytes
    }
}
