import NetTypes
import Testing

@testable import Engines

/// A discovery through one relay of a server, step by step, on a NAT that is written down here.
@Suite struct RelayedNATDiscoveryTests {
    static let source = IPAddress(192, 168, 1, 5)
    static let server = Endpoint(IPAddress(11, 0, 0, 1), 3478)
    static let relayed = Endpoint(IPAddress(11, 0, 0, 1), 50_000)
    static let elsewhere = Endpoint(IPAddress(12, 0, 0, 1), 3478)
    static let outside = IPAddress(14, 0, 0, 1)
    static let trip = Duration.milliseconds(10)

    /// What becomes of a step.
    enum Fate {
        /// For what asks where the socket is seen: there.
        case seen(Endpoint)
        /// For what goes through the relay: it gets in, from there.
        case arrives(Endpoint)
        case lost
    }

    /// The local port is the mapped one.
    private static func mapped(_ socket: RelayedNATSocket) -> Endpoint {
        Endpoint(outside, socket == .mapping ? 40_000 : 40_001)
    }

    /// Runs it to its end, each step taken when it is due and answered a round trip later.
    private func run(
        servers: [Endpoint] = [server], until end: Duration = .seconds(20), _ fate: (RelayedNATExchange) -> Fate
    ) -> RelayedNATEvidence {
        var now = Instant.zero
        var discovery = RelayedNATDiscovery(source: Self.source, nonce: 7, at: now)
        for server in servers { discovery.add(server: server, at: now) }
        let relay = discovery.addRelay(of: Self.server, at: now)
        discovery.allocated(
            relay, at: Self.relayed, of: Self.server, outside: Self.outside, roundTrip: Self.trip, at: now)
        var due: [(at: Instant, exchange: Int)] = []
        while now < .zero + end {
            while let wanted = discovery.nextPermission(at: now) {
                discovery.permitted(wanted.relay, [wanted.address], at: now)
            }
            for socket in discovery.sockets where discovery.evidence.localEndpoints[socket] == nil {
                discovery.opened(socket, Endpoint(Self.source, Self.mapped(socket).port), at: now)
            }
            if discovery.isOver { break }
            if let next = discovery.nextStep, next.at <= now {
                due.append((now + Self.trip, discovery.sent(next.step, at: now)))
                continue
            }
            // No second relay is to be had.
            if discovery.wantedRelay != nil { discovery.lost(discovery.addRelay(of: Self.server, at: now), at: now) }
            let wakes = [discovery.nextStep?.at, discovery.nextWait, due.first?.at].compactMap(\.self)
            guard let wake = wakes.min() else { break }
            now = max(now, wake)
            discovery.handleTimeout(at: now)
            while let first = due.first, first.at <= now {
                due.removeFirst()
                deliver(first.exchange, fate, to: &discovery, at: now)
            }
        }
        discovery.end(at: now)
        return discovery.evidence
    }

    private func deliver(
        _ number: Int, _ fate: (RelayedNATExchange) -> Fate, to discovery: inout RelayedNATDiscovery, at now: Instant
    ) {
        let exchange = discovery.evidence.exchanges[number]
        let bytes = discovery.payload.bytes(number)
        switch (fate(exchange), exchange.way) {
        case (.seen(let mapped), .asked(let server)):
            let answer = NATExchange.Answer(
                after: Self.trip, source: discovery.evidence.servers[server], mappedAddress: mapped)
            discovery.answered(number, answer, at: now)
        case (.seen(let mapped), .contacted(let relay)):
            discovery.received(bytes, from: mapped, through: relay, arrivedAt: now, at: now)
        case (.arrives(let source), .relayed):
            discovery.arrived(bytes, at: exchange.socket, from: source, arrivedAt: now, at: now)
        default: break
        }
    }

    /// An endpoint-independent mapping, and a filter that lets in only what was sent to.
    private func strict(_ exchange: RelayedNATExchange) -> Fate {
        guard exchange.way.sender != nil else { return .seen(Self.mapped(exchange.socket)) }
        return exchange.socket == .mapping ? .arrives(Self.relayed) : .lost
    }

    @Test func twoPortsOfOneAddressLeaveOpenWhetherItDependsOnTheAddress() {
        let verdict = RelayedNATVerdict(run { strict($0) })
        #expect(verdict.mapping.possible == [.endpointIndependent, .addressDependent])
        #expect(verdict.mapping.reason.contains("a server at another address than 11.0.0.1 would tell"))
        #expect(verdict.filtering.possible == [.addressAndPortDependent])
        #expect(verdict.filtering.risk > 0 && verdict.filtering.risk <= SequentialTest.mostRisk)
        #expect(verdict.server == Self.server)
    }

    @Test func aServerElsewhereTellsTheRest() {
        let verdict = RelayedNATVerdict(
            run(servers: [Self.server, Self.elsewhere]) { exchange in
                guard exchange.way.sender != nil, exchange.socket != .mapping else { return strict(exchange) }
                return exchange.socket == .filtering(.server(0)) ? .arrives(Self.relayed) : .lost
            })
        #expect(verdict.mapping.finding == .known(.endpointIndependent, risk: 0))
        #expect(verdict.filtering.possible == [.addressDependent])
    }

    @Test func theSilenceOfARelayThatStoppedSendingIsNotTheFilters() {
        var sent = 0
        let evidence = run { exchange in
            guard exchange.way.sender != nil else { return strict(exchange) }
            sent += 1
            return sent > 3 ? .lost : strict(exchange)
        }
        let verdict = RelayedNATVerdict(evidence)
        #expect(verdict.filtering.possible.count == NATDependence.allCases.count, "\(verdict.filtering)")
        #expect(verdict.filtering.reason.contains("leaves the silence of"))
    }

    @Test func theSilenceOfASocketWhoseMappingIsGoneIsNotTheFilters() {
        // Its server answers it once, and then no more.
        var answers = 0
        let verdict = RelayedNATVerdict(
            run { exchange in
                guard exchange.socket == .filtering(.server(0)), exchange.way.sender == nil else {
                    return strict(exchange)
                }
                answers += 1
                return answers > 1 ? .lost : strict(exchange)
            })
        #expect(verdict.filtering.possible.count == NATDependence.allCases.count, "\(verdict.filtering)")
    }

    @Test func aSocketThatTheRelaySeesAtTwoAddressesTellsNoMapping() {
        var count = 0
        let verdict = RelayedNATVerdict(
            run { exchange in
                guard case .contacted = exchange.way else { return strict(exchange) }
                count += 1
                return .seen(Endpoint(Self.outside, 40_100 + UInt16(count)))
            })
        #expect(verdict.mapping.finding.value == nil)
        #expect(verdict.mapping.reason.contains("it saw one socket at 14.0.0.1:40101 and 14.0.0.1:40102"))
        #expect(verdict.filtering.finding.value == nil)
    }

    @Test func aDependenceThatIsSeenOnceIsNotBelieved() {
        var count = 0
        let verdict = RelayedNATVerdict(
            run { exchange in
                guard case .contacted = exchange.way else { return strict(exchange) }
                count += 1
                return count == 1 ? .seen(Endpoint(Self.outside, 40_100)) : .lost
            })
        #expect(verdict.mapping.finding.value == nil)
        #expect(verdict.mapping.reason.contains("did not answer a second time"))
    }

    @Test func aRelayThatSendsFromElsewhereShowsNoFilter() {
        let stray = Endpoint(IPAddress(13, 0, 0, 1), 50_000)
        let verdict = RelayedNATVerdict(
            run { exchange in exchange.way.sender == nil ? strict(exchange) : .arrives(stray) })
        #expect(verdict.mapping.possible == [.endpointIndependent, .addressDependent])
        #expect(verdict.filtering.possible.count == NATDependence.allCases.count)
        #expect(verdict.filtering.reason.contains("sends from 13.0.0.1:50000, not from 11.0.0.1:50000"))
    }

    @Test func aRelayBehindABridgeThatHidesItsPeersIsNotBelieved() {
        let bridge = Endpoint(IPAddress(172, 17, 0, 1), 40_000)
        let verdict = RelayedNATVerdict(
            run { exchange in
                if case .contacted = exchange.way { .seen(bridge) } else { strict(exchange) }
            })
        #expect(verdict.mapping.finding.value == nil)
        #expect(verdict.mapping.reason.contains("an address of its own network"))
    }

    @Test func aServerOfTheOwnNetworkIsNotComparedWithRelaysOutside() {
        let inside = Endpoint(IPAddress(192, 168, 1, 1), 3478)
        let verdict = RelayedNATVerdict(
            run(servers: [inside, Self.server]) { exchange in
                exchange.way == .asked(server: 0)
                    ? .seen(Endpoint(Self.source, Self.mapped(exchange.socket).port)) : strict(exchange)
            })
        #expect(verdict.mapping.possible == [.endpointIndependent, .addressDependent])
    }

    @Test func whatIsNotOursCountsForNothing() {
        var discovery = RelayedNATDiscovery(source: Self.source, nonce: 7, at: .zero)
        let relay = discovery.addRelay(of: Self.server, at: .zero)
        discovery.allocated(
            relay, at: Self.relayed, of: Self.server, outside: Self.outside, roundTrip: Self.trip, at: .zero)
        let step = RelayedNATDiscovery.Step(socket: .mapping, way: .contacted(relay: relay))
        let number = discovery.sent(step, at: .zero)
        let other = RelayedNATPayload(nonce: 8)
        for bytes in [[], other.bytes(number), discovery.payload.bytes(99), discovery.payload.bytes(number) + [0]] {
            discovery.received(bytes, from: Self.mapped(.mapping), through: relay, arrivedAt: .zero, at: .zero)
            discovery.arrived(bytes, at: .mapping, from: Self.relayed, arrivedAt: .zero, at: .zero)
        }
        // What was sent to the relay does not come to a socket.
        discovery.arrived(
            discovery.payload.bytes(number), at: .mapping, from: Self.relayed, arrivedAt: .zero, at: .zero)
        #expect(discovery.evidence.exchanges.allSatisfy { $0.outcome == nil })
    }
}
