import NetTypes

/// Whether a NAT turns back what is sent from inside to a mapped address of its own (RFC 4787 s6).
package enum NATHairpinning: String, Hashable, Sendable, Codable, CaseIterable {
    case none
    /// It comes with the sender's mapped address as its source, as RFC 4787 REQ-9a asks.
    case externalSource = "external-source"
    /// It comes with the sender's local address as its source.
    case internalSource = "internal-source"
}

extension NATEvidence {
    /// The server that tells the hairpin sockets their mapped addresses: the first that can be believed.
    var hairpinServer: Int { servers.indices.first { capability(of: $0).isBelieved } ?? 0 }

    /// The mapped addresses of both sockets; nil until they are known, and where nothing translates.
    func hairpinTargets(server: Int) -> (first: Endpoint, second: Endpoint)? {
        guard let first = mapped(.hairpin(0), by: server), let second = mapped(.hairpin(1), by: server),
            localEndpoints[.hairpin(0)] != first, localEndpoints[.hairpin(1)] != second
        else { return nil }
        return (first, second)
    }

    private func mapped(_ socket: NATSocket, by server: Int) -> Endpoint? {
        exchanges.lazy.filter { $0.socket == socket && $0.destination == servers[server] }
            .compactMap(\.answer?.mappedAddress).first
    }

    var isHairpinned: Bool { exchanges.contains { $0.hairpinned != nil } }

    /// The silence of the first socket, to which the second sends once the first has sent to it, beside what the server
    /// answers to the second.
    func hairpinTest(server: Int, at now: Duration, anticipating: Bool) -> SequentialTest {
        let first = hairpinTargets(server: server)?.first
        let probes = exchanges.filter { $0.socket == .hairpin(1) && $0.destination == first }
        return test(probes, from: .hairpin(1), server: server, at: now, anticipating: anticipating)
    }

    func hairpinning(_ capabilities: [NATServerCapability], _ verdict: NATVerdict) -> NATFinding<NATHairpinning> {
        guard asksHairpin else { return .unknown("not asked; --hairpin asks") }
        guard let server = capabilities.firstIndex(where: \.isBelieved) else {
            return .unknown(whyNothingIsKnown(capabilities))
        }
        if verdict.mapping.value == NATDependence.none { return .unknown("there is no NAT") }
        guard let mapped = hairpinTargets(server: server) else {
            return .unknown(cut("too few sockets got an answer"))
        }
        if let source = exchanges.lazy.compactMap(\.hairpinned?.source).first {
            let isExternal = [mapped.first.address, mapped.second.address].contains(source.address)
            return .known(isExternal ? .externalSource : .internalSource, risk: 0)
        }
        let test = hairpinTest(server: server, at: endedAt, anticipating: false)
        guard test.isDecided else { return .unknown(undecided(test)) }
        // Two sockets know each other's mapped address as a server sees it. Where the mapping depends on the destination,
        // they send to each other from other ones, so what is turned back meets a filter that they have not opened.
        let isPredictable = verdict.mapping.value.map { !$0.isDependent } ?? false
        let isAdmitted = verdict.filtering.value.map { $0 == .endpointIndependent || $0 == .none } ?? false
        guard isPredictable || isAdmitted else {
            return .unknown("nothing came back, which its mapping and its filtering explain as well")
        }
        return .known(.none, risk: test.risk)
    }

    /// Whether something on the way rewrites addresses within payloads: an application level gateway (ALG).
    func payloadRewriting(_ capabilities: [NATServerCapability]) -> NATFinding<Bool> {
        let answers = exchanges.filter { capabilities[$0.server].isBelieved }.compactMap(\.answer)
        let compared = answers.filter { $0.plainAddress != nil }
        guard !compared.isEmpty else {
            return .unknown(
                answers.isEmpty
                    ? whyNothingIsKnown(capabilities)
                    : "no server sent MAPPED-ADDRESS beside XOR-MAPPED-ADDRESS, to be compared")
        }
        return .known(compared.contains { $0.plainAddress != $0.mappedAddress }, risk: 0)
    }
}
