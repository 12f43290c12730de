package import STUN

/// The user of the TURN servers of a test.
package struct RelayAccount: Sendable {
    package static let realm = "example.org"

    package var username = "user"
    package var password = "pencil"

    package init(password: String = "pencil") { self.password = password }

    package func key(_ algorithm: LongTermKey.Algorithm) -> [UInt8] {
        guard let username = try? Username(username), let realm = try? Realm(Array(Self.realm.utf8)),
            let key = try? LongTermKey(username: username, realm: realm, password: password, algorithm: algorithm)
        else { return [] }
        return key.bytes
    }

    /// Signs an answer in the way in which its request was signed.
    package func sign(_ builder: inout MessageBuilder, as request: Message) {
        let chosen = ((try? request.value(.passwordAlgorithm)) ?? nil)?.first?.number
        let key = key(chosen.flatMap { LongTermKey.Algorithm(rawValue: $0) } ?? .md5)
        if request.first(.messageIntegritySHA256) != nil {
            builder.appendMessageIntegritySHA256(key: key)
        } else {
            builder.appendMessageIntegrity(key: key)
        }
    }
}
