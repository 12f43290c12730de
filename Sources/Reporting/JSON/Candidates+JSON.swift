package import Diagnosis
import Engines
package import JSON
package import NetTypes

extension NetworkInterface: JSONRecord {
    package static let shape = Shape<NetworkInterface> {
        Field("name", \.name, "As the system names it.", .notEmpty)
        Field("index", \.index, "The system's number of it.")
        Field("kind", \.kind)
        Field("up", \.isUp, "Administratively up.")
        Field("running", \.isRunning, "Has a carrier.")
        Field("pointToPoint", \.isPointToPoint)
        Field("mtuBytes", \.mtu, "Largest packet, in bytes.")
        Field("addresses", \.addresses)
    }
}

extension NetworkInterface.Address: JSONRecord {
    package static let shape = Shape<NetworkInterface.Address> {
        Field("address", \.address)
        Field("prefixLength", \.prefixLength, "Bits of the network.", ["maximum": 128])
        Field("family", \.address.family)
        Field("realm", \.address.realm, "What the address is for, by the IANA special-purpose registries.")
        Field(
            "scope", \.address.scope, "The scope of an IPv6 address (RFC 4291).",
            ["enum": ["link-local", "site-local", "global"]])
        Field("temporary", \.isTemporary, "A privacy address (RFC 8981).")
        Field("deprecated", \.isDeprecated, "Its preferred lifetime is over (RFC 4862).")
        Field("tentative", \.isTentative, "Duplicate address detection has not finished, or failed.")
    }
}

extension IPAddress {
    /// The scope of an IPv6 address (RFC 4291 s2.5; ::1 is link-local, s2.5.3), and nil for IPv4, which has none.
    fileprivate var scope: String? {
        guard family == .ipv6 else { return nil }
        return switch realm {
        case .loopback, .linkLocal: "link-local"
        case _ where hasPrefix(IPAddress(v6: 0xFEC0 << 112), length: 10): "site-local"
        default: "global"
        }
    }
}

extension CandidateRecord: JSONRecord {
    package static let shape = Shape<CandidateRecord>(
        nil, "A candidate of this machine.",
        rules: [
            "if": ["properties": ["offered": ["const": false]]], "then": ["required": ["withheld"]],
            "else": ["not": ["required": ["withheld"]]],
        ]
    ) {
        Field(
            "type", \.candidate.kind.name, "RFC 8445 s5.1.1.",
            ["enum": ["host", "server-reflexive", "peer-reflexive", "relayed"]])
        Field("transport", \.transport)
        Field("tcpType", \.candidate.tcpType?.rawValue, "RFC 6544 s4.5.", ["enum": ["active", "passive", "so"]])
        Field("address", \.endpoint.address)
        Field("port", \.endpoint.port)
        Field("baseAddress", \.base.address)
        Field("basePort", \.base.port)
        Field("interface", \.interface, "The interface of the base.", .notEmpty)
        Field("interfaceKind", \.interfaceKind)
        Field("priority", \.candidate.priority, "RFC 8445 s5.1.2.")
        Field("foundation", \.candidate.foundation, "RFC 8445 s5.1.1.3.", ["minLength": 1, "maxLength": 32])
        Field(
            "sdp", \.candidate.description, "The candidate attribute (RFC 8839 s5.1), without \"a=\".",
            ["pattern": "^candidate:"])
        Field("server", \.server, "The server that reported it.", .notEmpty)
        Field("temporary", \.isTemporary)
        Field("deprecated", \.isDeprecated)
        Field("offered", { $0.withheld == nil }, "Whether a browser would offer it.")
        Field("withheld", \.withheld, "Why it would not.", .notEmpty)
    }
}
