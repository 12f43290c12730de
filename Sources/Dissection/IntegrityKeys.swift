import Planning
import STUN

/// The keys that a password can make for a message (RFC 8489 s9.1.1, s9.2.2, s18.5.1).
struct IntegrityKeys {
    private struct Key {
        var name: String
        var bytes: [UInt8]
    }

    private var keys: [Key]
    private var hasLongTermKeys = false

    /// The user and realm of the credentials, else those that the message names.
    init(_ credentials: Dissection.Credentials, _ message: Message) {
        let user = credentials.user.map { Array($0.utf8) } ?? message.rawValue(.username)
        let realm = credentials.realm.map { Array($0.utf8) } ?? message.rawValue(.realm)
        keys = []
        let typed = credentials.password.reveal()
        let prepared = (try? OpaqueString.prepare(typed)) ?? typed
        add(prepared, user, realm, "")
        // Many a program skips the preparation (RFC 8265): what it signs with the text as it is would not fit above.
        if Array(prepared.utf8) != Array(typed.utf8) { add(typed, user, realm, ", the password not prepared") }
    }

    private mutating func add(_ password: String, _ user: [UInt8]?, _ realm: [UInt8]?, _ how: String) {
        let password = Array(password.utf8)
        keys.append(Key(name: "the password itself as the key (short-term)\(how)", bytes: password))
        guard let user, let realm else { return }
        hasLongTermKeys = true
        let colon = [UInt8(ascii: ":")]
        let text = user + colon + realm + colon + password
        keys.append(Key(name: "the long-term key of MD5\(how)", bytes: Digest.md5(text)))
        keys.append(Key(name: "the long-term key of SHA-256\(how)", bytes: Digest.sha256(text)))
    }

    /// The name of the key with which an integrity attribute fits, nil where none does.
    func fitting(_ type: AttributeType, _ message: Message) -> String? {
        keys.first {
            let result =
                type == .messageIntegrity
                ? message.verifyIntegrity(key: $0.bytes) : message.verifyIntegritySHA256(key: $0.bytes)
            return result == .valid
        }?.name
    }

    /// Which keys were tried, in words.
    var refusal: String {
        hasLongTermKeys
            ? "it fits neither the password as a short-term key nor the long-term keys of user, realm and password"
                + " (RFC 8489 s14.5)"
            : "it does not fit the password as a short-term key; a long-term key takes the user and the realm, too, which"
                + " this message does not name (RFC 8489 s14.5)"
    }
}
