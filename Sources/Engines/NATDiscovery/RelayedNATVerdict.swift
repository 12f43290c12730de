package import NetTypes

/// How the NAT between one local address and some relays behaves, as far as they show it.
///
/// What is known in part is said in part: the behaviours that fit what was seen.
package struct RelayedNATVerdict: Hashable, Sendable {
    package var mapping: Estimate
    package var filtering: Estimate
    /// The server of the relay that was seen first; nil where no relay showed anything.
    package var server: Endpoint?

    package struct Estimate: Hashable, Sendable {
        /// Those that fit.
        package var possible: Set<NATDependence>
        /// Where one fits: the chance that it is wrong because datagrams were lost.
        package var risk: Double
        /// Where several fit: why no more is known.
        package var reason: String

        init(_ value: NATDependence, risk: Double = 0) {
            possible = [value]
            self.risk = risk
            reason = ""
        }

        init(possible: Set<NATDependence> = Set(NATDependence.allCases), _ reason: String) {
            self.possible = possible
            risk = 1
            self.reason = reason
        }

        package var finding: NATFinding<NATDependence> {
            guard possible.count == 1, let value = possible.first else { return .unknown(reason) }
            return .known(value, risk: risk)
        }
    }

    /// Judges what was seen.
    ///
    /// - Parameter troubles: why there is no relay, by the place in ``RelayedNATEvidence/relays``.
    package init(_ evidence: RelayedNATEvidence, troubles: [Int: String] = [:]) {
        mapping = evidence.mapping(troubles)
        filtering = evidence.filtering(troubles)
        if evidence.isUntranslated, filtering.possible.remove(.endpointIndependent) != nil {
            filtering.possible.insert(.none)
        }
        let views = evidence.views(of: .mapping)
        server = evidence.relays.indices.first { views[.relay($0)] != nil }.map { evidence.relays[$0].server }
    }
}
