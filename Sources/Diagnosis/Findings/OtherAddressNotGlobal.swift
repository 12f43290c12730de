import Facts
import NetTypes

/// OTHER-ADDRESS of a public server is an address that only its own network knows.
enum OtherAddressNotGlobal: OneKindRule {
    static let kind = FindingKind(
        "other-address-not-global", .note, "A server names an alternate address that is not public",
        meaning:
            "The OTHER-ADDRESS (RFC 5780) of a public STUN server can be reached only inside the server's network.",
        causes: ["the server's RFC 5780 addresses are those of its own network, not its public ones"],
        remedy: "Ask the operator to set the server's public address (coturn: external-ip=). The alternate address was "
            + "not probed.")

    static func findings(in evidence: Evidence) -> [Finding] {
        let odd = evidence.stun.filter { result in
            guard let server = result.serverAddress, let other = result.answer?.otherAddress else { return false }
            return server.address.realm == .global && other.address.realm != .global
        }
        return kind.findings(about: odd) { "\($0.place): OTHER-ADDRESS \($0.answer?.otherAddress?.description ?? "")" }
    }
}
