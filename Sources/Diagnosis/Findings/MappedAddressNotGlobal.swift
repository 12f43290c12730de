import NetTypes
import Session

/// A server on the Internet sees this machine at an address that the Internet cannot reach.
enum MappedAddressNotGlobal: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let odd = evidence.stun.filter { result in
            guard let server = result.serverAddress, let mapped = result.answer?.mappedAddress else { return false }
            return server.address.realm == .global && mapped.address.realm != .global
        }
        guard !odd.isEmpty else { return [] }
        return [
            Finding(
                id: "mapped-address-not-global", severity: .warning,
                title: "A public server sees this machine at an address that is not public",
                evidence: odd.compactMap { result in
                    result.answer.map {
                        "\(result.place): \($0.mappedAddress) is \($0.mappedAddress.address.realm.rawValue)"
                    }
                },
                causes: [
                    "the server stands behind a NAT or load balancer of its own and sees that one's address",
                    "the server belongs to this machine's provider, inside a carrier-grade NAT",
                ],
                remedy: "Ask a server of another operator; peers outside cannot reach such an address.")
        ]
    }
}
