import Engines
import NetTypes

extension MachineKind {
    /// What people read of it: `IPv4 NAT, address-dependent mapping, unknown filtering; no IPv6; no TURN`.
    package var words: String {
        let parts = [IPAddress.Family.ipv4, .ipv6].map { "\($0.name) \(self[$0].words)" }
        return (parts + [relays.words]).joined(separator: "; ")
    }
}

extension NetworkKind {
    fileprivate var words: String {
        guard let isPresent else { return "unknown" }
        guard isPresent else { return "absent" }
        guard passesUDP != false else { return "with UDP blocked" }
        let reach = passesUDP == nil ? ", UDP untested" : ""
        let filter = filtering.words
        switch isTranslated {
        case false?:
            return (filtering.known == NATDependence.none ? "public" : "public, \(filter) filtering") + reach
        case true?:
            return
                "behind a \(isCarrierGrade ? "carrier-grade " : "")NAT, \(mapping.words) mapping, \(filter) filtering"
                + reach
        case nil: return "behind something unknown" + reach
        }
    }
}

extension NATDependences {
    fileprivate var words: String {
        if let known { return known == .none ? "no" : known.rawValue }
        let dependences = NATDependence.allCases.filter { contains(Self($0)) }
        return dependences.count >= 3 ? "unknown" : dependences.map(\.rawValue).joined(separator: " or ")
    }
}

extension RelayKind {
    fileprivate var words: String {
        guard isKnown else { return "TURN unknown" }
        guard !isEmpty else { return "no TURN" }
        let families = hasIPv4 && hasIPv6 ? "" : hasIPv4 ? ", IPv4 relays" : ", IPv6 relays"
        return "TURN over \(isOverStreams ? "TCP or TLS" : "UDP")\(families)"
    }
}
