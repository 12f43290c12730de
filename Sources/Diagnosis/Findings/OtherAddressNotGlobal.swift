import NetTypes
import Session

/// OTHER-ADDRESS of a public server is an address that only its own network knows.
enum OtherAddressNotGlobal: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let odd = evidence.stun.filter { result in
            guard let server = result.serverAddress, let other = result.answer?.otherAddress else { return false }
            return server.address.realm == .global && other.address.realm != .global
        }
        guard !odd.isEmpty else { return [] }
        return [
            Finding(
                id: "other-address-not-global", severity: .note,
                title: "A server names an alternate address that cannot be reached from outside",
                evidence: odd.compactMap { result in
                    result.answer?.otherAddress.map { "\(result.place): OTHER-ADDRESS \($0)" }
                },
                causes: ["the server's RFC 5780 addresses are those of its own network, not its public ones"],
                remedy: "The operator sets the server's external address (coturn: external-ip); it was not probed.")
        ]
    }
}
