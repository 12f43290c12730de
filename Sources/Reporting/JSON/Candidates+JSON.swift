package import Diagnosis
package import JSON
package import NetTypes

extension NetworkInterface {
    package var jsonValue: JSONValue {
        [
            "name": .string(name),
            "index": .integer(Int(index)),
            "kind": .string(kind.rawValue),
            "up": .bool(isUp),
            "running": .bool(isRunning),
            "pointToPoint": .bool(isPointToPoint),
            "mtuBytes": mtu.map(JSONValue.integer),
            "addresses": addresses.jsonArray(\.jsonValue),
        ]
    }
}

extension NetworkInterface.Address {
    package var jsonValue: JSONValue {
        [
            "address": .address(address),
            "prefixLength": .integer(prefixLength),
            "family": .string(address.family.rawValue),
            "realm": .string(address.realm.rawValue),
            "scope": address.scope.map { .string($0) },
            "temporary": .bool(isTemporary),
            "deprecated": .bool(isDeprecated),
            "tentative": .bool(isTentative),
        ]
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

extension CandidateRecord {
    package var jsonValue: JSONValue {
        [
            "type": .string(type),
            "transport": .string(transport.rawValue),
            "tcpType": tcpType.map(JSONValue.string),
            "address": .address(address),
            "port": .integer(Int(port)),
            "baseAddress": .address(base.address),
            "basePort": .integer(Int(base.port)),
            "interface": interface.map(JSONValue.string),
            "interfaceKind": interfaceKind.map { .string($0.rawValue) },
            "priority": .integer(Int(priority)),
            "foundation": .string(foundation),
            "sdp": .string(sdp),
            "server": server.map(JSONValue.string),
            "temporary": .bool(isTemporary),
            "deprecated": .bool(isDeprecated),
            "offered": .bool(withheld == nil),
            "withheld": withheld.map(JSONValue.string),
        ]
    }
}
