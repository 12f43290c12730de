/// On what of a destination a NAT's mapping, or its filter, depends (RFC 4787 s4.1 and s5).
package enum NATDependence: String, Hashable, Sendable, Codable, CaseIterable {
    /// There is no NAT, or nothing that filters.
    case none
    case endpointIndependent = "endpoint-independent"
    case addressDependent = "address-dependent"
    case addressAndPortDependent = "address-and-port-dependent"

    /// Whether destinations differ in it.
    package var isDependent: Bool { self == .addressDependent || self == .addressAndPortDependent }
}

/// What was found out, with how sure it is; or why nothing was.
package enum NATFinding<Value: Hashable & Sendable & Codable>: Hashable, Sendable, Codable {
    /// `risk` is the chance that it is wrong because answers were lost; 0 where an answer itself proves it.
    case known(Value, risk: Double)
    case unknown(String)

    package var value: Value? {
        if case .known(let value, _) = self { return value }
        return nil
    }

    /// Why it is unknown, where it is.
    package var reason: String? {
        if case .unknown(let reason) = self { return reason }
        return nil
    }
}
