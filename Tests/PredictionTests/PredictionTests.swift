import Engines
import NetTypes
import Testing

@testable import Prediction

/// The truth of ICE between two networks, in the terms of RFC 4787: what the model must find by itself.
@Suite("A prediction") struct PredictionTests {
    typealias Kind = (mapping: NATDependence, filtering: NATDependence)

    static let kinds: [Kind] = NATDependence.allCases.dropFirst().flatMap { mapping in
        NATDependence.allCases.dropFirst().map { (mapping, $0) }
    }

    static func machine(
        _ ipv4: NetworkKind = .absent, _ ipv6: NetworkKind = .absent, _ relays: RelayKind = .none
    ) -> MachineModel { MachineModel(MachineKind(ipv4: ipv4, ipv6: ipv6, relays: relays)) }

    private static let strict = NetworkKind.nat(.addressAndPortDependent, .addressAndPortDependent)
    private static let cone = NetworkKind.nat(.endpointIndependent, .addressAndPortDependent)
    private static let firewall = NetworkKind.firewall(.addressAndPortDependent)

    /// Whether two NATs let each other through, by reasoning.
    private static func isDirect(_ one: Kind, _ other: Kind) -> Bool {
        switch (one.mapping.isDependent, other.mapping.isDependent) {
        // Each is sent to at the port that its server saw, and has itself sent to the other's.
        case (false, false): true
        // It comes from a port that the other has never sent to: only a filter that looks at ports keeps it out.
        case (true, false): other.filtering != .addressAndPortDependent
        case (false, true): one.filtering != .addressAndPortDependent
        // A first check comes in only where nothing is filtered. The answer and the triggered check leave from another
        // port: the other side must not look at ports, and one of the two must have one port for all of an address, or
        // request and answer are never of the same pair (RFC 8445 s7.2.5.2.1).
        case (true, true):
            [(one, other), (other, one)].contains { entry, far in
                entry.filtering == .endpointIndependent && far.filtering != .addressAndPortDependent
            } && (one.mapping == .addressDependent || other.mapping == .addressDependent)
        }
    }

    @Test("Of each two of the nine kinds of NAT is what their mapping and filtering say")
    func natWithNAT() {
        var predictor = Predictor()
        for one in Self.kinds {
            for other in Self.kinds {
                let (a, b) = (
                    NetworkKind.nat(one.mapping, one.filtering), NetworkKind.nat(other.mapping, other.filtering)
                )
                let plain = predictor.predict(Self.machine(a), Self.machine(b))
                let expected: PathOutcome = Self.isDirect(one, other) ? .direct : .none
                #expect(plain.outcome == expected, "\(one) with \(other)")
                #expect((plain.why == nil) == (expected == .direct))
                #expect((plain.setup == nil) == (expected == .none))
                let relayed = predictor.predict(Self.machine(a, .absent, .overUDP), Self.machine(b))
                #expect(relayed.outcome == (expected == .direct ? .direct : .relayed), "\(one) with \(other)")
                #expect((relayed.local?.kind == .relayed || relayed.remote?.kind == .relayed) == (expected == .none))
            }
        }
    }

    private struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var local: MachineModel
        var remote: MachineModel
        var outcome: PathOutcome
        var why: String?

        init(
            _ name: String, _ local: MachineModel, _ remote: MachineModel, _ outcome: PathOutcome, why: String? = nil
        ) {
            testDescription = name
            self.local = local
            self.remote = remote
            self.outcome = outcome
            self.why = why
        }
    }

    private static let cases: [Case] = [
        Case("a public host with any NAT", machine(strict), machine(.open), .direct),
        Case(
            "a firewall that filters ports with a NAT that maps by them", machine(strict), machine(firewall), .none,
            why: "the firewall of the peer lets in only what comes from the very port that was sent to"),
        Case("two firewalls", machine(firewall), machine(firewall), .direct),
        Case(
            "two NATs that map by port", machine(strict), machine(strict), .none,
            why: "neither side can know the port that the other will use"),
        Case(
            "a carrier's NAT behind a home's", machine(cone),
            machine(.nat(.endpointIndependent, .addressAndPortDependent, isCarrierGrade: true)), .direct),
        Case(
            "UDP blocked, without TURN", machine(.blocked), machine(.open), .none,
            why: "UDP does not get out of the network of this machine"),
        Case(
            "UDP blocked, TURN over TCP", machine(.blocked, .absent, .overStreams), machine(cone), .relayed,
            why: "UDP does not get out of the network of this machine"),
        Case(
            "UDP blocked on both sides, both with TURN over TCP", machine(.blocked, .absent, .overStreams),
            machine(.blocked, .absent, .overStreams), .relayed, why: "UDP gets out of neither network"),
        Case(
            "UDP blocked, where only the other side has TURN", machine(.blocked), machine(cone, .absent, .overUDP),
            .none,
            why: "this machine has no TURN server over TCP or TLS of its own"),
        Case(
            "IPv6 only with IPv4 only", machine(cone), machine(.absent, firewall), .none,
            why: "this machine has IPv4 only, the peer has IPv6 only; neither side has a TURN server"),
        Case(
            "IPv6 only with IPv4 only and relays of both families", machine(cone, .absent, .overUDP),
            machine(.absent, firewall), .relayed),
        Case(
            "IPv6 only with IPv4 only and an IPv4 relay on the IPv4 side",
            machine(cone, .absent, RelayKind(hasIPv4: true)), machine(.absent, firewall), .none,
            why: "the relay of this machine has IPv4 only, which the peer has not"),
        Case(
            "IPv6 only with IPv4 only and an IPv4 relay on the IPv6 side",
            machine(cone), machine(.absent, firewall, RelayKind(hasIPv4: true)), .relayed),
        Case("IPv6 beside NATs that do not let through", machine(strict, firewall), machine(strict, firewall), .direct),
    ]

    @Test("Is what the networks allow", arguments: cases)
    private func network(_ example: Case) {
        var predictor = Predictor()
        let prediction = predictor.predict(example.local, example.remote)
        #expect(prediction.outcome == example.outcome)
        #expect(prediction.isCertain)
        if let why = example.why { #expect(prediction.why?.contains(why) == true, "\(prediction.why ?? "no reason")") }
    }

    // MARK: Neighbours

    private static func neighbour(_ network: UInt8, hairpins: Bool?) -> MachineModel {
        MachineModel(
            MachineKind(
                ipv4: .nat(.endpointIndependent, .addressAndPortDependent, hairpins: hairpins), ipv6: .absent,
                relays: .none),
            mappedIPv4: IPAddress(203, 0, 113, 7),
            subnets: [MachineModel.Subnet(IPAddress(10, 0, network, 20), length: 24)])
    }

    @Test("Of two in one network behind one NAT is direct by host candidates, whatever the NAT does")
    func sameNetwork() {
        var predictor = Predictor()
        let prediction = predictor.predict(Self.neighbour(1, hairpins: false), Self.neighbour(1, hairpins: false))
        #expect(prediction.outcome == .direct)
        #expect(prediction.local?.kind == .host && prediction.remote?.kind == .host)
    }

    @Test("Of two in different networks behind one NAT depends on its hairpin")
    func sameNAT() {
        var predictor = Predictor()
        let turned = predictor.predict(Self.neighbour(1, hairpins: true), Self.neighbour(2, hairpins: true))
        #expect(turned.outcome == .direct)
        let dropped = predictor.predict(Self.neighbour(1, hairpins: false), Self.neighbour(2, hairpins: false))
        #expect(dropped.outcome == .none)
        #expect(dropped.why?.contains("no hairpin") == true)
        let unknown = predictor.predict(Self.neighbour(1, hairpins: nil), Self.neighbour(2, hairpins: nil))
        #expect((unknown.outcome, unknown.best) == (.none, .direct))
        #expect(unknown.dependsOn == ["whether the NAT that both are behind hairpins (IPv4)"])
    }

    @Test("Of two homes behind a carrier's NAT does not take equal private networks for one")
    func carrier() {
        var (one, other) = (Self.neighbour(1, hairpins: false), Self.neighbour(1, hairpins: false))
        one.kind.ipv4.isCarrierGrade = true
        other.kind.ipv4.isCarrierGrade = true
        #expect(Neighbourhood(one, other) == .sameNAT)
        var predictor = Predictor()
        #expect(predictor.predict(one, other).outcome == .none)
    }

    // MARK: Unknowns

    @Test("That does not depend on what is unknown is certain")
    func indifferent() {
        var predictor = Predictor()
        var machine = Self.machine(Self.cone)
        machine.kind.ipv4.filtering = .translated
        let prediction = predictor.predict(machine, Self.machine(Self.cone))
        #expect(prediction.outcome == .direct && prediction.isCertain && prediction.dependsOn.isEmpty)
    }

    @Test("That depends on what is unknown says on what, and counts as the worst")
    func dependent() {
        var predictor = Predictor()
        var machine = Self.machine(Self.cone)
        machine.kind.ipv4.filtering = .translated
        machine.kind.ipv6 = .unknown
        let prediction = predictor.predict(machine, Self.machine(Self.strict))
        #expect((prediction.outcome, prediction.best) == (.none, .direct))
        #expect(prediction.dependsOn == ["what the NAT or firewall of this machine lets in (IPv4)"])
    }

    @Test("Without a word of TURN in the report depends on whether there is a server")
    func unknownRelays() {
        var predictor = Predictor()
        let prediction = predictor.predict(
            Self.machine(Self.strict, .absent, .unknown), Self.machine(Self.strict, .absent, .none))
        #expect((prediction.outcome, prediction.best) == (.none, .relayed))
        #expect(prediction.dependsOn == ["whether this machine has a TURN server"])
    }

    // MARK: Parts

    private static let networks: [NetworkKind] =
        [.absent, .blocked, .open, firewall, .firewall(.addressDependent)]
        + kinds.map { .nat($0.mapping, $0.filtering) }

    @Test("Put together from its parts is that of all together", arguments: 0..<4)
    func parts(seed: UInt64) {
        var random = Seeded(state: seed)
        func pick<Element>(_ elements: [Element]) -> Element {
            elements[Int(random.next() % UInt64(elements.count))]
        }
        var predictor = Predictor()
        for _ in 0..<25 {
            func machine() -> MachineKind {
                let (ipv4, ipv6) = (pick(Self.networks), pick([.absent, .absent, .open, Self.firewall, .blocked]))
                let isBlocked = [ipv4, ipv6].allSatisfy { $0.passesUDP != true || $0.isPresent == false }
                let relays: [RelayKind] = isBlocked ? [.none, .overStreams] : [.none, .overUDP, .overStreams]
                return MachineKind(ipv4: ipv4, ipv6: ipv6, relays: pick(relays))
            }
            let (one, other) = (machine(), machine())
            let question = PathQuestion(
                local: one.settled(best: { _ in false }, beside: .apart),
                remote: other.settled(best: { _ in false }, beside: .apart), neighbourhood: .apart)
            let whole = predictor.parts.run(question).outcome
            var census = MeshCensus()
            for kind in [one, other] { census.add(MachineModel(kind), name: "a machine") }
            let pairs = Mesh(census, .init(bitrate: 1), predictor).pairs
            let put: PathOutcome = pairs.direct == 1 ? .direct : pairs.relayed == 1 ? .relayed : .none
            #expect(put == whole, "seed \(seed): \(one.words) with \(other.words)")
        }
    }

    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }
}
