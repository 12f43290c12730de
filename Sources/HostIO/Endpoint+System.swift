import CSystem
import NetTypes

extension IPAddress {
    /// Nil where the system gave none.
    init?(_ flat: csys_endpoint) {
        switch flat.family {
        case 4: self.init(v4: UInt32(truncatingIfNeeded: flat.low))
        case 6: self.init(v6: UInt128(flat.high) << 64 | UInt128(flat.low), zone: flat.scope)
        default: return nil
        }
    }
}

extension Endpoint {
    /// Nil where the system gave none.
    init?(_ flat: csys_endpoint) {
        guard let address = IPAddress(flat) else { return nil }
        self.init(address, flat.port)
    }

    var flat: csys_endpoint {
        csys_endpoint(
            high: UInt64(truncatingIfNeeded: address.value >> 64), low: UInt64(truncatingIfNeeded: address.value),
            scope: address.zone, port: port, family: family == .ipv4 ? 4 : 6)
    }
}
