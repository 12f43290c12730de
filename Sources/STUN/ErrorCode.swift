/// ERROR-CODE: what a server says went wrong (RFC 8489 s14.8).
package struct ErrorCode: Hashable, Sendable {
    /// 300 to 699: hundreds are the class.
    package var code: Int
    /// The reason phrase as it came: UTF-8 by the RFC, anything by experience.
    package var reason: [UInt8]

    package init(code: Int, reason: [UInt8]) {
        self.code = code
        self.reason = reason
    }

    /// A registered code with its registered reason phrase.
    package init(_ code: Int) {
        self.init(code: code, reason: Array((Self.names[code] ?? "").utf8))
    }

    /// The name of a code in IANA's registry (RFC 8489 s18.4).
    package static func registeredName(_ code: Int) -> String? { names[code] }

    /// The reason phrases that IANA's registry recommends, and those of the codes that went with RFC 3489.
    static let names: [Int: String] = [
        300: "Try Alternate", 400: "Bad Request", 401: "Unauthenticated", 403: "Forbidden",
        405: "Mobility Forbidden", 420: "Unknown Attribute",
        430: "Stale Credentials", 431: "Integrity Check Failure", 432: "Missing Username", 433: "Use TLS",
        437: "Allocation Mismatch", 438: "Stale Nonce",
        440: "Address Family not Supported", 441: "Wrong Credentials", 442: "Unsupported Transport Protocol",
        443: "Peer Address Family Mismatch", 446: "Connection Already Exists", 447: "Connection Timeout or Failure",
        486: "Allocation Quota Reached", 487: "Role Conflict", 500: "Server Error", 508: "Insufficient Capacity",
        600: "Global Failure",
    ]
}
