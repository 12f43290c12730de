import JSON
import STUN

/// The answer of an authorization server that gives a token for a TURN server (RFC 6749 s5.1, RFC 7635 s3):
/// `{"access_token": "...", "token_type": "pop", "kid": "...", "key": "..."}`.
///
/// Token and key are base64 or base64url; the key may be a JSON Web Key that has it as `k` (RFC 7517). A key of 20 or
/// 32 characters is its bytes as they stand, as in the example of RFC 7635 and from coturn's turnutils_oauth: in base64
/// that would be no key for an HMAC. `mac_key` is read for `key` as well, and `expires_at` (seconds since 1970), which
/// OAuth libraries write beside `expires_in`.
package struct AccessTokenAnswer: Sendable {
    /// What the server knows the key by; nil where the answer has no `kid`.
    package let keyID: String?
    package let accessToken: Secret
    package let macKey: Secret
    package let expiry: Int64?

    /// 64 KiB, which is more than any token that fits into a request.
    package static let byteLimit = 1 << 16

    /// Why a text is no such answer: one sentence, which has no value of it.
    package struct ReadingError: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    private static let form =
        #"write {"access_token": "...", "token_type": "pop", "kid": "...", "key": "..."}"#

    package init(parsing bytes: [UInt8]) throws(ReadingError) {
        guard bytes.count <= Self.byteLimit else { throw ReadingError("a token's answer has at most 64 KiB") }
        let json: PlacedJSON
        do { json = try PlacedJSON(parsing: bytes) } catch {
            let (line, column) = error.place(in: bytes)
            throw ReadingError("line \(line), column \(column): not JSON: \(error.message); \(Self.form)")
        }
        guard case .object = json.value else { throw ReadingError("this is \(json.value.name); \(Self.form)") }
        if json["error"] != nil {
            throw ReadingError("the authorization server refused ('error'): there is no token in it")
        }
        if let type = try Self.text(json, "token_type"), type.lowercased() == "bearer" {
            throw ReadingError(
                "'token_type' is bearer, which comes without a key; TURN takes a token of type pop (RFC 7635)")
        }
        keyID = try Self.text(json, "kid")
        accessToken = try Self.secret(json["access_token"], "access_token")
        let name = json["key"] == nil && json["mac_key"] != nil ? "mac_key" : "key"
        let key = json[name]
        if case .object = key?.value {
            macKey = try Self.secret(key?["k"], "\(name).k")
        } else if let plain = Self.plainKey(key) {
            macKey = plain
        } else {
            macKey = try Self.secret(key, name)
        }
        expiry = try Self.seconds(json, "expires_at")
    }

    /// Keys of HMAC-SHA-1 and HMAC-SHA-256 have so many bytes (RFC 7635 s4.1.1).
    private static let keySizes = [20, 32]

    /// A key that stands there as it is, and as base64 from here on.
    private static func plainKey(_ value: PlacedJSON?) -> Secret? {
        guard case .string(let text) = value?.value, keySizes.contains(text.utf8.count) else { return nil }
        return Secret(Base64.encode(Array(text.utf8)))
    }

    private static func secret(_ value: PlacedJSON?, _ name: String) throws(ReadingError) -> Secret {
        guard let value else { throw ReadingError("'\(name)' is missing; \(form)") }
        guard case .string(let text) = value.value else {
            throw ReadingError("'\(name)' is \(value.value.name), and it is a base64 text in double quotes")
        }
        guard Base64.decode(text) != nil else {
            throw ReadingError("'\(name)' is no base64 (RFC 4648), or an empty one")
        }
        return Secret(text)
    }

    private static func text(_ json: PlacedJSON, _ name: String) throws(ReadingError) -> String? {
        switch json[name]?.value {
        case nil, .null: return nil
        case .string(let text): return text
        case .some(let other): throw ReadingError("'\(name)' is \(other.name), and it is a text in double quotes")
        }
    }

    /// Whole seconds; a fraction is cut off.
    private static func seconds(_ json: PlacedJSON, _ name: String) throws(ReadingError) -> Int64? {
        switch json[name]?.value {
        case nil, .null: return nil
        case .number(let text):
            guard let seconds = Int64(text.prefix { $0 != "." }), seconds >= 0 else {
                throw ReadingError("'\(name)' is no count of seconds since 1970")
            }
            return seconds
        case .some(let other): throw ReadingError("'\(name)' is \(other.name), and it is seconds since 1970")
        }
    }
}
