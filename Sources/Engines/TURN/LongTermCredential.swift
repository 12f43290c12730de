package import STUN

/// Who a client is to a TURN server: a user name and a password, or a token of a third party with its key (RFC 7635).
///
/// Its secrets show in no output; its user name does, since an operator needs to see which was used.
package struct LongTermCredential: Hashable, Sendable {
    /// The most bytes of an ACCESS-TOKEN that are sent: a request must fit into one datagram.
    package static let tokenLimit = 1024

    enum Kind: Hashable, Sendable {
        case password(HiddenBytes)
        case token(HiddenBytes, macKey: HiddenBytes)
    }

    /// The user name, or the key id (`kid`) of a token.
    package let username: Username
    let kind: Kind

    /// - Throws: ``CredentialError`` where one of the two cannot be prepared or is too long.
    package init(username: some StringProtocol, password: some StringProtocol) throws(CredentialError) {
        self.username = try Username(username)
        kind = .password(HiddenBytes(try ShortTermKey(password: password).bytes))
    }

    /// A token as an authorization server gives it: what it is called, what is sent, and the key that signs.
    ///
    /// - Throws: ``CredentialError`` where the key id cannot be a user name, or token or key are empty or too long.
    package init(keyID: some StringProtocol, accessToken: [UInt8], macKey: [UInt8]) throws(CredentialError) {
        username = try Username(keyID)
        guard !accessToken.isEmpty else { throw .empty(.accessToken) }
        guard !macKey.isEmpty else { throw .empty(.macKey) }
        guard accessToken.count <= Self.tokenLimit else {
            throw .tooLong(.accessToken, bytes: accessToken.count, limit: Self.tokenLimit)
        }
        kind = .token(HiddenBytes(accessToken), macKey: HiddenBytes(macKey))
    }

    package var isToken: Bool {
        if case .token = kind { return true }
        return false
    }

    /// How many bytes a token's key has; nil for a password. HMAC-SHA-1 takes 20, HMAC-SHA-256 32 (RFC 7635 s4.1.1).
    package var macKeySize: Int? {
        guard case .token(_, let macKey) = kind else { return nil }
        return macKey.bytes.count
    }
}

/// Bytes that no output shows.
package struct HiddenBytes: Hashable, Sendable, HiddenSecret {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
}
