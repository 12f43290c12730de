import NetTypes
import STUN

/// What makes a server that knows users by passwords one that takes tokens of a third party (RFC 7635): their requests
/// are signed anew as its user's, and its answers with the key of the token.
package struct TokenService: Sendable {
    let thirdParty: String
    let key: [UInt8]
    private var takenRequests: Set<TransactionID> = []

    /// - Parameters:
    ///   - thirdParty: THIRD-PARTY-AUTHORIZATION.
    ///   - key: what the requests of a good token are signed with.
    package init(_ thirdParty: String, key: [UInt8]) {
        self.thirdParty = thirdParty
        self.key = key
    }

    private static let credentials: Set<AttributeType> = [
        .username, .accessToken, .messageIntegrity, .fingerprint,
    ]

    /// A request as the server takes it: one whose token is not good has no signature.
    mutating func translated(request bytes: [UInt8], _ account: RelayAccount) -> [UInt8] {
        guard let request = try? Message(decoding: bytes), request.messageClass == .request,
            request.first(.accessToken) != nil
        else { return bytes }
        var builder = Self.copy(of: request)
        if request.verifyIntegrity(key: key) == .valid {
            takenRequests.insert(request.transactionID)
            builder.append(.username, account.username)
            builder.appendMessageIntegrity(key: account.key(.md5))
        }
        return builder.bytes
    }

    /// An answer as the client of a token takes it.
    func translated(answer bytes: [UInt8]) -> [UInt8] {
        guard let answer = try? Message(decoding: bytes) else { return bytes }
        var builder = Self.copy(of: answer)
        if (try? answer.value(.errorCode))??.code == 401 {
            builder.append(.thirdPartyAuthorization, Array(thirdParty.utf8))
        }
        if takenRequests.contains(answer.transactionID) { builder.appendMessageIntegrity(key: key) }
        return builder.bytes
    }

    /// A message without its sender and what comes after that.
    private static func copy(of message: Message) -> MessageBuilder {
        var builder = MessageBuilder(message.messageClass, message.method, message.transactionID)
        for attribute in message.attributes where !credentials.contains(attribute.type) {
            builder.appendRaw(attribute.type, message.bytes[attribute.range])
        }
        return builder
    }
}
