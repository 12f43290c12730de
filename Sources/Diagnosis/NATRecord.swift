package import Engines
package import Facts
package import NetTypes

/// How the NAT between one local address and the servers behaves, with what shows it.
package struct NATRecord: Hashable, Sendable {
    package var evidence: NATEvidence
    package var verdict: NATVerdict
    /// Nil where it was not asked how long a mapping lives.
    package var lifetime: Lifetime?
    /// What relays show; nil where none was asked.
    package var relayed: Relayed?

    /// What relays show of it, by themselves.
    package struct Relayed: Hashable, Sendable {
        package var evidence: RelayedNATEvidence
        package var verdict: RelayedNATVerdict
        /// The attempts at the relays, by the relay's place.
        package var attempts: [TURNEvidence]

        init(_ evidence: RelayedNATEvidence, _ attempts: [TURNEvidence]) {
            self.evidence = evidence
            self.attempts = attempts
            var troubles: [Int: String] = [:]
            for (place, attempt) in attempts.enumerated() { troubles[place] = Self.trouble(of: attempt) }
            verdict = RelayedNATVerdict(evidence, troubles: troubles)
        }

        private static func trouble(of attempt: TURNEvidence) -> String? {
            attempt.trouble.map { ProbeError($0, of: attempt).message }
        }

        /// Why a relay shows nothing, or not all; nil where it does.
        package func reason(_ place: Int) -> String? {
            let trouble = attempts.indices.contains(place) ? Self.trouble(of: attempts[place]) : nil
            return evidence.whyNoHelp(of: place, trouble: trouble)
        }
    }

    package struct Lifetime: Hashable, Sendable {
        package var evidence: NATLifetimeEvidence
        package var verdict: NATLifetimeVerdict
    }

    package init(_ evidence: NATEvidence, lifetime: NATLifetimeEvidence? = nil, relayed: Relayed? = nil) {
        self.evidence = evidence
        self.relayed = relayed
        verdict = NATVerdict(evidence)
        if let relayed { verdict.complete(with: relayed.verdict) }
        self.lifetime = lifetime.map { Lifetime(evidence: $0, verdict: NATLifetimeVerdict($0)) }
    }

    package var family: IPAddress.Family { evidence.source.family }
    package var transport: Transport { evidence.transport }
    package var requests: Int { evidence.exchanges.count }
    package var answers: Int { evidence.exchanges.count { $0.answer != nil } }

    /// The endpoints that answered at least once.
    package var heard: Set<Endpoint> { Set(evidence.exchanges.filter { $0.answer != nil }.map(\.destination)) }

    /// The server whose answers the verdict rests on, else the first that answered.
    private var leadingServer: Int? {
        if case .discovery(let server) = verdict.method { return evidence.servers.firstIndex(of: server) }
        return evidence.servers.indices.first { evidence.longestRoundTrip(server: $0) != nil }
    }

    /// The median round trip of plain requests to the leading server.
    package var roundTrip: Duration? {
        let trips = roundTrips
        return trips.isEmpty ? nil : trips[trips.count / 2]
    }

    /// Of plain requests to the leading server, the shortest first.
    private var roundTrips: [Duration] {
        guard let server = leadingServer else { return [] }
        return evidence.exchanges.filter { $0.server == server && $0.change == .none }.compactMap(\.answer?.after)
            .sorted()
    }

    /// What it takes at least on this path; nil where nothing was found out, and over TCP, whose handshakes it leaves
    /// out.
    package var bound: NATBound? {
        evidence.transport == .udp ? roundTrips.first.flatMap { NATBound(verdict, roundTrip: $0) } : nil
    }

    /// What a server with RFC 5780, or several servers, show by themselves.
    package var verdictOfServers: NATVerdict { NATVerdict(evidence) }

    /// What the first server that can be believed saw of the mapping socket.
    package var mappedAddress: Endpoint? {
        evidence.exchanges.first {
            $0.socket == .mapping && $0.answer != nil && verdict.capabilities[$0.server].isBelieved
        }?.answer?.mappedAddress ?? relayed?.mappedAddress
    }
}

extension NATRecord {
    /// How one socket was seen from where, by the method that gave the mapping.
    var sightings: [(observer: Endpoint, mappedAddress: Endpoint)] {
        if case .relay = verdict.method, let relayed { return relayed.sightings }
        return evidence.exchanges.filter { $0.socket == .mapping }.compactMap { exchange in
            exchange.answer.map { (exchange.destination, $0.mappedAddress) }
        }
    }
}

extension NATRecord.Relayed {
    fileprivate var sightings: [(observer: Endpoint, mappedAddress: Endpoint)] {
        evidence.exchanges.filter { $0.socket == .mapping }.compactMap { exchange in
            guard let observer = exchange.way.observer.flatMap(evidence.endpoint), let outcome = exchange.outcome
            else { return nil }
            return (observer, outcome.endpoint)
        }
    }

    /// What the first relay that can be believed saw of the mapping socket.
    package var mappedAddress: Endpoint? {
        evidence.relays.indices.lazy.compactMap { place -> Endpoint? in
            guard evidence.objection(to: .relay(place)) == nil else { return nil }
            return evidence.exchanges.lazy.filter { $0.socket == .mapping && $0.way == .contacted(relay: place) }
                .compactMap(\.outcome?.endpoint).first
        }.first
    }
}
