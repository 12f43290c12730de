import Facts
import NetTypes

/// A server on the Internet sees this machine at an address that the Internet cannot reach.
enum MappedAddressNotGlobal: OneKindRule {
    static let kind = FindingKind(
        "mapped-address-not-global", .warning, "A public server reports a non-public address for this machine",
        meaning: "The mapped address that a server on the Internet reports cannot be reached from the Internet.",
        causes: [
            "the server stands behind a NAT or load balancer of its own and reports that device's address",
            "the server belongs to this machine's provider, inside a carrier-grade NAT",
        ],
        remedy: "Query a server of another operator; peers on the Internet cannot reach such an address.")

    static func findings(in evidence: Evidence) -> [Finding] {
        let odd = evidence.stun.filter { result in
            guard let server = result.serverAddress, let mapped = result.answer?.mappedAddress else { return false }
            return server.address.realm == .global && mapped.address.realm != .global
        }
        return kind.findings(about: odd) { result in
            let mapped = result.answer.map { "\($0.mappedAddress) (\($0.mappedAddress.address.realm.rawValue) range)" }
            return "\(result.place): \(mapped ?? "")"
        }
    }
}
