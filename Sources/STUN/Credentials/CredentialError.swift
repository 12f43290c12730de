/// Why a credential, or what a server says about credentials, cannot be used.
package enum CredentialError: Error, Hashable, Sendable, Codable {
    package enum Part: String, Hashable, Sendable, Codable {
        case username = "the user name"
        case password = "the password"
        case realm = "the realm"
        case nonce = "the nonce"
        case accessToken = "the access token"
        case macKey = "the key of the access token"
    }

    /// The text cannot be prepared (RFC 8265 s4.2).
    case unprepared(Part, OpaqueStringError)
    case empty(Part)
    /// More bytes than the RFC lets the attribute have.
    case tooLong(Part, bytes: Int, limit: Int)
}

extension CredentialError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unprepared(let part, let error): "\(part.rawValue) cannot be used: \(error)"
        case .empty(let part): "\(part.rawValue) is empty"
        case .tooLong(let part, let bytes, let limit):
            "\(part.rawValue) has \(bytes) bytes; it has at most \(limit)"
        }
    }
}
