import NetTypes
import Testing

@testable import Engines

/// What is opened, asked and given up, and when.
@Suite struct NATStreamDiscoveryTests {
    static let server = Endpoint(IPAddress(11, 0, 0, 1), 3478)
    static let other = Endpoint(IPAddress(12, 0, 0, 1), 3479)
    static let local = Endpoint(IPAddress(192, 168, 0, 9), 50_000)
    static let mapped = Endpoint(IPAddress(14, 0, 0, 1), 50_000)

    private func begun(hurried: Bool = true) -> NATStreamDiscovery {
        var discovery = NATStreamDiscovery(source: Self.local.address, at: .zero)
        discovery.hurry(hurried)
        discovery.add(server: Self.server, at: .zero)
        #expect(discovery.nextStep(at: .zero) == .reserve)
        #expect(discovery.nextStep(at: .zero) == nil)
        discovery.reserved(Self.local, at: .zero)
        return discovery
    }

    private func answer(_ mapped: Endpoint = Self.mapped, from source: Endpoint) -> NATExchange.Answer {
        NATExchange.Answer(after: .milliseconds(20), source: source, mappedAddress: mapped, otherAddress: Self.other)
    }

    private func ms(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    /// All that is to be done at a time.
    private func steps(_ discovery: inout NATStreamDiscovery, at milliseconds: Int64) -> [NATStreamDiscovery.Step] {
        var steps: [NATStreamDiscovery.Step] = []
        while let step = discovery.nextStep(at: ms(milliseconds)) { steps.append(step) }
        return steps
    }

    @Test func otherEndpointsAreAskedFromTheSamePortOnceTheFirstAnswerNamesThem() {
        var discovery = begun()
        #expect(steps(&discovery, at: 0) == [.open(connection: 0, to: Self.server, from: Self.local)])
        discovery.opened(0, at: ms(20))
        #expect(steps(&discovery, at: 20) == [.ask(connection: 0, exchange: 0)])
        discovery.answered(0, answer(from: Self.server))
        let otherPort = Endpoint(Self.server.address, Self.other.port)
        #expect(
            steps(&discovery, at: 40) == [
                .open(connection: 1, to: otherPort, from: Self.local),
                .open(connection: 2, to: Self.other, from: Self.local),
            ])
        discovery.opened(1, at: ms(60))
        discovery.opened(2, at: ms(60))
        #expect(steps(&discovery, at: 60) == [.ask(connection: 1, exchange: 1), .ask(connection: 2, exchange: 2)])
        discovery.answered(1, answer(from: otherPort))
        discovery.answered(2, answer(from: Self.other))
        #expect(discovery.isOver && discovery.nextWake == nil)
        #expect(NATVerdict(discovery.evidence).mapping == .known(.endpointIndependent, risk: 0))
    }

    @Test func dependentMappingIsConfirmedOnTheFirstConnection() {
        var discovery = begun()
        let endpoints = [Self.server, Endpoint(Self.server.address, Self.other.port), Self.other]
        for (place, endpoint) in endpoints.enumerated() {
            _ = steps(&discovery, at: 0)
            discovery.opened(place, at: ms(0))
            _ = steps(&discovery, at: 0)
            let exchange = discovery.evidence.exchanges.lastIndex { $0.destination == endpoint }
            let mapped = Endpoint(Self.mapped.address, 1000 + UInt16(place))
            if let exchange { discovery.answered(exchange, answer(mapped, from: endpoint)) }
            if place == 0 {
                _ = steps(&discovery, at: 0)
                discovery.opened(1, at: ms(0))
                discovery.opened(2, at: ms(0))
                _ = steps(&discovery, at: 0)
            }
        }
        #expect(!discovery.isOver)
        #expect(NATVerdict(discovery.evidence).mapping.value == nil)
        #expect(steps(&discovery, at: 0) == [.ask(connection: 0, exchange: 3)])
        discovery.answered(3, answer(Endpoint(Self.mapped.address, 1000), from: Self.server))
        #expect(discovery.isOver)
        #expect(NATVerdict(discovery.evidence).mapping == .known(.addressAndPortDependent, risk: 0))
    }

    @Test func serverOfWhichNothingIsKnownIsWaitedForASecond() {
        var discovery = begun()
        _ = steps(&discovery, at: 0)
        #expect(discovery.nextWake == ms(1000))
        #expect(steps(&discovery, at: 999).isEmpty)
        #expect(steps(&discovery, at: 1000) == [.close(connection: 0)])
        #expect(discovery.isOver)
        #expect(
            NATVerdict(discovery.evidence).mapping
                == .unknown("no TCP connection to 11.0.0.1:3478 within 1000 ms"))
    }

    @Test func knownRoundTripMakesFourAttemptsOfTwoOfItAndTenMilliseconds() {
        var discovery = begun()
        discovery.learn(roundTrip: .milliseconds(20), to: Self.server.address)
        for attempt in 0..<4 {
            let start = Int64(attempt) * 50
            // Each from a port of its own, as there is nothing to compare with yet.
            if attempt > 0 {
                #expect(
                    steps(&discovery, at: start) == [.close(connection: attempt - 1), .reserve], "attempt \(attempt)")
                discovery.reserved(Self.local, at: ms(start))
            }
            #expect(
                steps(&discovery, at: start) == [.open(connection: attempt, to: Self.server, from: Self.local)])
            #expect(discovery.nextWake == ms(start + 50))
            #expect(steps(&discovery, at: start + 49).isEmpty)
        }
        #expect(steps(&discovery, at: 200) == [.close(connection: 3)])
        #expect(discovery.isOver)
        #expect(discovery.evidence.silence(of: Self.server) == "no TCP connection to 11.0.0.1:3478 within 200 ms")
    }

    @Test func moreAttemptsAreMadeWhileTheyHoldNothingUp() {
        var discovery = begun(hurried: false)
        discovery.learn(roundTrip: .milliseconds(20), to: Self.server.address)
        for attempt in 0..<5 {
            _ = steps(&discovery, at: Int64(attempt) * 50)
            discovery.reserved(Self.local, at: ms(Int64(attempt) * 50))
            _ = steps(&discovery, at: Int64(attempt) * 50)
        }
        #expect(discovery.evidence.connections.count == 4 && !discovery.isOver)
        discovery.hurry(true)
        #expect(discovery.nextWake == ms(200))
    }

    @Test func requestIsAskedAgainAndGivenUp() {
        var discovery = begun()
        _ = steps(&discovery, at: 0)
        discovery.opened(0, at: ms(20))
        #expect(steps(&discovery, at: 20) == [.ask(connection: 0, exchange: 0)])
        // A round trip and a quarter, and 5 ms.
        #expect(discovery.nextWake == ms(50))
        #expect(steps(&discovery, at: 50) == [.ask(connection: 0, exchange: 1)])
        var last = Instant.zero
        while let wake = discovery.nextWake {
            last = wake
            while discovery.nextStep(at: wake) != nil {}
        }
        // Three round trips and 250 ms after the first.
        #expect(last == ms(20 + 60 + 250))
        #expect(discovery.evidence.exchanges.count <= 12)
        #expect(
            NATVerdict(discovery.evidence).mapping
                == .unknown("11.0.0.1:3478 took the connection and gave no answer"))
    }

    @Test(arguments: [
        (PathError.Kind.connectionRefused, "11.0.0.1:3478 refuses TCP"),
        (.administrativelyProhibited, "no TCP connection to 11.0.0.1:3478: it is rejected on the way"),
        (.networkUnreachable, "no TCP connection to 11.0.0.1:3478: it cannot be reached"),
    ])
    func refusalEndsAnEndpointAtOnce(_ kind: PathError.Kind, _ words: String) {
        var discovery = begun(hurried: false)
        _ = steps(&discovery, at: 0)
        discovery.failed(0, kind, at: ms(20))
        #expect(discovery.isOver)
        #expect(NATVerdict(discovery.evidence).mapping == .unknown(words))
    }

    @Test func portThatIsTakenIsChangedThreeTimes() {
        var discovery = begun()
        for attempt in 0..<3 {
            #expect(steps(&discovery, at: 0).count == 1)
            discovery.failed(attempt, .addressInUse, at: .zero)
            #expect(steps(&discovery, at: 0) == [.close(connection: attempt), .reserve])
            discovery.reserved(Self.local, at: .zero)
        }
        #expect(steps(&discovery, at: 0) == [.open(connection: 3, to: Self.server, from: Self.local)])
        discovery.failed(3, .addressInUse, at: .zero)
        #expect(discovery.isOver)
    }

    @Test func waitWhoseEndIsNoticedLateIsProlonged() {
        var discovery = begun()
        discovery.learn(roundTrip: .milliseconds(20), to: Self.server.address)
        _ = steps(&discovery, at: 0)
        // This machine was busy: what came meanwhile is not read yet.
        #expect(steps(&discovery, at: 70).isEmpty)
        #expect(discovery.nextWake == ms(75))
        discovery.opened(0, at: ms(71))
        #expect(steps(&discovery, at: 71) == [.ask(connection: 0, exchange: 0)])
    }

    @Test func withoutAnyPortNothingIsKnown() {
        var discovery = NATStreamDiscovery(source: Self.local.address, at: .zero)
        discovery.add(server: Self.server, at: .zero)
        _ = discovery.nextStep(at: .zero)
        discovery.notReserved()
        #expect(discovery.isOver && discovery.nextStep(at: .zero) == nil && discovery.nextWake == nil)
    }
}
