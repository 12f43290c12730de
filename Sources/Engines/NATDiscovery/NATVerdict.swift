package import NetTypes

/// How the NAT between one local address and the servers behaves, in the terms of RFC 4787.
package struct NATVerdict: Hashable, Sendable {
    package var mapping: NATFinding<NATDependence>
    package var filtering: NATFinding<NATDependence>
    /// Whether the mapped port is the local one (RFC 4787 s4.2.1).
    package var portPreservation: NATFinding<Bool>
    package var portAllocation: NATFinding<PortAllocation>
    /// Whether all sockets of this machine share one external address (RFC 4787 s4.1, "paired").
    package var pairedPooling: NATFinding<Bool>
    package var hairpinning: NATFinding<NATHairpinning>
    /// Whether an application level gateway (ALG) rewrites addresses within payloads.
    package var payloadRewriting: NATFinding<Bool>
    /// The server and the method that gave the mapping.
    package var method: Method?
    /// The same for the filtering.
    package var filteringMethod: Method?
    package var capabilities: [NATServerCapability]

    package enum Method: Hashable, Sendable {
        /// RFC 5780 with this server.
        case discovery(Endpoint)
        /// What several servers, or several ports of one, see of one socket.
        case severalServers
        /// A relay of this TURN server, beside other endpoints.
        case relay(Endpoint)
    }

    package enum PortAllocation: Hashable, Sendable, Codable {
        case preserving
        case sequential(step: Int)
        case random
    }

    /// Judges what was seen.
    package init(_ evidence: NATEvidence) {
        let capabilities = evidence.servers.indices.map { evidence.capability(of: $0) }
        self.capabilities = capabilities
        let discoverers = evidence.servers.indices.filter {
            if case .discovers = capabilities[$0] { return true }
            return false
        }
        let mappings = discoverers.map { (server: $0, finding: evidence.mapping(server: $0)) }
        let filterings = discoverers.map { evidence.filtering(server: $0) }
        let why = evidence.whyNothingIsKnown(capabilities)
        let discovered = mappings.first { $0.finding.value != nil }
        let mapping =
            discovered != nil
            ? Self.agreed(mappings.map(\.finding), why)
            : evidence.mappingWithoutDiscovery(mappings.first?.finding, capabilities)
                ?? .unknown(why + Self.hint(capabilities, "a second server would tell, or one that speaks RFC 5780"))
        self.mapping = mapping
        method = mapping.value.map { _ in
            discovered.map { .discovery(evidence.servers[$0.server]) } ?? .severalServers
        }
        filteringMethod = zip(discoverers, filterings).first { $1.value != nil }
            .map { .discovery(evidence.servers[$0.0]) }
        let filtering = Self.agreed(
            filterings, why + Self.hint(capabilities, "a server that speaks RFC 5780 would tell"))
        if evidence.isUntranslated, case .known(.endpointIndependent, let risk) = filtering {
            self.filtering = .known(.none, risk: risk)
        } else {
            self.filtering = filtering
        }
        (portPreservation, portAllocation, pairedPooling) = evidence.allocation(capabilities)
        payloadRewriting = evidence.payloadRewriting(capabilities)
        hairpinning = .unknown(why)
        hairpinning = evidence.hairpinning(capabilities, self)
        if evidence.transport == .tcp { leaveOutWhatOnlyUDPTells() }
    }

    /// What another server would add, where those that were asked can be believed.
    private static func hint(_ capabilities: [NATServerCapability], _ hint: String) -> String {
        capabilities.contains(where: \.isBelieved) ? "; \(hint)" : ""
    }

    private mutating func leaveOutWhatOnlyUDPTells() {
        filtering = .unknown("over TCP no server is asked to connect back: RFC 5780 has no such test")
        portAllocation = .unknown("over TCP all connections are made from one port")
        pairedPooling = .unknown("over TCP all connections are made from one port")
        hairpinning = .unknown("it is asked about over UDP only")
    }

    /// What the servers that can tell agree on; the surest of them.
    private static func agreed(_ findings: [NATFinding<NATDependence>], _ why: String) -> NATFinding<NATDependence> {
        let values = Set(findings.compactMap(\.value))
        guard values.count <= 1 else {
            let names = values.map(\.rawValue).sorted().joined(separator: " and ")
            return .unknown("the servers contradict each other (\(names)): one of them, or its network, is at fault")
        }
        return findings.filter { $0.value != nil }.min { $0.risk < $1.risk } ?? findings.first ?? .unknown(why)
    }

    /// Takes from the relays what no server has shown; where both know it, the server's is kept.
    package mutating func complete(with relayed: RelayedNATVerdict) {
        let isSilent = !capabilities.contains { $0 != .silent }
        func completed(
            _ known: NATFinding<NATDependence>, _ estimate: RelayedNATVerdict.Estimate
        ) -> NATFinding<NATDependence>? {
            guard let why = known.reason else { return nil }
            guard let otherwise = estimate.finding.reason else { return estimate.finding }
            // What is known in part says more than why a server tells nothing.
            let isBetter = isSilent || estimate.possible.count < NATDependence.allCases.count
            return .unknown(isBetter ? otherwise : "\(why); through a relay: \(otherwise)")
        }
        if let found = completed(mapping, relayed.mapping) {
            mapping = found
            method = found.value == nil ? nil : relayed.server.map { .relay($0) }
        }
        if let found = completed(filtering, relayed.filtering) {
            filtering = found
            filteringMethod = found.value == nil ? nil : relayed.server.map { .relay($0) }
        }
    }

    /// The name that RFC 3489 had for it, which people still use; nil where it has none.
    package var legacyName: String? {
        guard let mapping = mapping.value, let filtering = filtering.value else { return nil }
        return switch (mapping, filtering) {
        case (.none, .none): "open Internet"
        case (.none, _): "symmetric UDP firewall"
        case (.endpointIndependent, .endpointIndependent), (.endpointIndependent, .none): "full cone"
        case (.endpointIndependent, .addressDependent): "restricted cone"
        case (.endpointIndependent, .addressAndPortDependent): "port-restricted cone"
        case (.addressDependent, _), (.addressAndPortDependent, _): "symmetric"
        }
    }
}

extension NATFinding {
    package var risk: Double {
        if case .known(_, let risk) = self { return risk }
        return 1
    }
}
