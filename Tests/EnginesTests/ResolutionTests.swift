import STUN
import Testing

@testable import Engines
@testable import NetTypes

struct ResolutionTests {
    @Test("a literal asks nothing and has the scheme's port")
    func literals() throws {
        var harness = ResolutionHarness([:])
        try harness.run("stun:192.0.2.1")
        #expect(harness.asked.isEmpty)
        #expect(harness.endpoints(.ipv4) == ["udp 192.0.2.1:3478"])
        var secure = ResolutionHarness([:])
        try secure.run("turns:[2001:db8::1]", transports: [.udp, .tcp, .tls, .dtls])
        #expect(secure.endpoints(.ipv6) == ["tls [2001:db8::1]:5349", "dtls [2001:db8::1]:5349"])
        #expect(secure.end(.ipv4) == nil)
    }

    @Test("a literal of another family, of a group or without a possible transport fails in words")
    func unusableLiterals() throws {
        var family = ResolutionHarness([:])
        try family.run("stun:192.0.2.1", families: [.ipv6])
        #expect(family.faults(.ipv4).map(\.kind) == [.familyNotAsked])
        for text in ["224.0.0.1", "255.255.255.255", "0.0.0.0"] {
            var harness = ResolutionHarness([:])
            try harness.run("stun:\(text)")
            #expect(harness.faults(.ipv4).map(\.kind) == [.unusableAddress(try #require(IPAddress(text)))])
        }
        var transport = ResolutionHarness([:])
        try transport.run("turn:192.0.2.1?transport=tcp", transports: [.udp])
        #expect(transport.faults(.ipv4).map(\.kind) == [.noTransport])
    }

    @Test("a name with a port is looked up by A and AAAA only, in parallel")
    func explicitPort() throws {
        var harness = ResolutionHarness([
            "A a.example": addresses("192.0.2.1", "192.0.2.2"), "AAAA a.example": addresses("2001:db8::1"),
        ])
        try harness.run("stun:a.example:19302")
        #expect(harness.asked == ["A a.example", "AAAA a.example"])
        #expect(harness.endpoints(.ipv4) == ["udp 192.0.2.1:19302", "udp 192.0.2.2:19302"])
        #expect(harness.endpoints(.ipv6) == ["udp [2001:db8::1]:19302"])
        #expect(harness.end(.ipv4) == 20)
    }

    @Test("a domain without SRV costs no round trip more")
    func withoutServices() throws {
        var harness = ResolutionHarness(["A a.example": addresses("192.0.2.1")])
        try harness.run("stun:a.example")
        #expect(harness.asked == ["SRV _stun._udp.a.example", "A a.example", "AAAA a.example"])
        #expect(harness.endpoints(.ipv4) == ["udp 192.0.2.1:3478"])
        #expect(harness.end(.ipv4) == 20)
        #expect(harness.faults(.ipv6) == [.init(step: "AAAA a.example", kind: .failed(.noSuchName))])
    }

    @Test("only the families that were asked for are looked up")
    func families() throws {
        var harness = ResolutionHarness(["AAAA a.example": addresses("2001:db8::1")])
        try harness.run("stun:a.example", families: [.ipv6])
        #expect(!harness.asked.contains("A a.example"))
        #expect(harness.outcomes.count == 1)
    }

    @Test("SRV gives targets and ports by priority, and says how each was found")
    func services() throws {
        var harness = ResolutionHarness([
            "SRV _stun._udp.a.example": service((20, 0, 3479, "c.example"), (10, 0, 3480, "B.example.")),
            "A b.example": addresses("192.0.2.2"), "A c.example": addresses("192.0.2.3"),
            "A a.example": addresses("192.0.2.1"),
        ])
        try harness.run("stun:a.example")
        #expect(harness.endpoints(.ipv4) == ["udp 192.0.2.2:3480", "udp 192.0.2.3:3479"])
        #expect(harness.end(.ipv4) == 40)
    }

    @Test("each scheme and transport has its service name")
    func serviceNames() throws {
        for (uri, transports, names) in [
            ("stun:a.example", [Transport.tcp], ["SRV _stun._tcp.a.example"]),
            ("stuns:a.example", [.tls], ["SRV _stuns._tcp.a.example"]),
            ("turn:a.example?transport=udp", [.udp, .tcp, .tls], ["SRV _turn._udp.a.example"]),
            (
                "turn:a.example", [.udp, .tcp, .tls],
                ["NAPTR a.example", "SRV _turn._udp.a.example", "SRV _turn._tcp.a.example"]
            ),
            ("turns:a.example?transport=tcp", [.udp, .tcp, .tls], ["SRV _turns._tcp.a.example"]),
        ] {
            var harness = ResolutionHarness([:])
            try harness.run(uri, transports: transports)
            #expect(harness.asked.filter { !$0.hasPrefix("A") } == names)
        }
    }

    @Test(
        "names that are kept out of the DNS are not asked for there",
        arguments: ["localhost", "x.localhost", "x.local"])
    func localNames(_ name: String) throws {
        var harness = ResolutionHarness(["A \(name)": addresses("127.0.0.1")])
        try harness.run("turn:\(name)", transports: [.udp, .tcp])
        #expect(harness.asked == ["A \(name)", "AAAA \(name)"])
        #expect(harness.endpoints(.ipv4) == ["udp 127.0.0.1:3478", "tcp 127.0.0.1:3478"])
    }

    @Test("RFC 5928's NAPTR example leads through SRV to the relay")
    func pointers() throws {
        var harness = ResolutionHarness([
            "NAPTR a.example": .namingAuthorityPointers([
                pointer(200, 10, "", "RELAY:turn.tcp:turn.tls", "nonterm.example"),
                pointer(100, 10, "", "RELAY:turn.udp", "datagram.example"),
                pointer(50, 10, "s", "SIP+D2U", "sip.example"),
            ]),
            "NAPTR datagram.example": .namingAuthorityPointers([
                pointer(100, 10, "S", "relay:TURN.udp", "_turn._udp.b.example")
            ]),
            "NAPTR nonterm.example": .namingAuthorityPointers([
                pointer(100, 20, "a", "RELAY:turn.tcp", "c.example"),
                pointer(100, 10, "s", "RELAY:turn.tls", "_turns._tcp.b.example"),
            ]),
            "SRV _turn._udp.b.example": service((0, 0, 4000, "b.example")),
            "A b.example": addresses("192.0.2.2"), "A c.example": addresses("192.0.2.3"),
        ])
        try harness.run("turn:a.example", transports: [.udp, .tcp, .tls])
        #expect(harness.endpoints(.ipv4) == ["udp 192.0.2.2:4000", "tcp 192.0.2.3:3478"])
        #expect(!harness.asked.contains("SRV _turns._tcp.b.example"))
    }

    @Test("NAPTR records that loop, do not end or are malformed are left, and SRV leads on")
    func badPointers() throws {
        var answers: [String: SystemAnswer] = [
            "NAPTR a.example": .namingAuthorityPointers([
                pointer(1, 1, "", "RELAY:turn.udp", "a.example"),
                pointer(2, 1, "s", "RELAY:turn.udp", "b.example", expression: "!.*!b!"),
                pointer(3, 1, "u", "RELAY:turn.udp", "b.example"),
                pointer(4, 1, "s", "RELAY:turn.udp", String(repeating: "x", count: 300)),
                pointer(5, 1, "", "RELAY:turn.udp", "n1.example"),
            ]),
            "SRV _turn._udp.a.example": service((0, 0, 4000, "b.example")), "A b.example": addresses("192.0.2.2"),
        ]
        for step in 1...100 {
            answers["NAPTR n\(step).example"] = .namingAuthorityPointers([
                pointer(1, 1, "", "RELAY:turn.udp", "n\(step + 1).example")
            ])
        }
        var harness = ResolutionHarness(answers)
        try harness.run("turn:a.example", families: [.ipv4], transports: [.udp])
        #expect(harness.endpoints(.ipv4) == ["udp 192.0.2.2:4000"])
        let kinds = harness.faults(.ipv4).map(\.kind)
        #expect(kinds.contains(.loop) && kinds.contains(.tooManySteps))
        #expect(kinds.count { if case .unusableRecord = $0 { true } else { false } } == 3)
        #expect(harness.asked.count { $0.hasPrefix("NAPTR") } == ResolutionEngine.pointerStepLimit)
    }

    @Test("a thousand SRV records lead to sixteen targets, and bad ones to none")
    func limits() throws {
        let many = (0..<1000).map { ServiceRecord(priority: 1, weight: 0, port: 1, target: "t\($0).example") }
        var harness = ResolutionHarness(["SRV _stun._udp.a.example": .serviceRecords(many)])
        try harness.run("stun:a.example", families: [.ipv4])
        #expect(harness.asked.count { $0.hasPrefix("A t") } == 16)

        var bad = ResolutionHarness([
            "SRV _stun._udp.a.example": service((1, 1, 0, "b.example"), (1, 1, 5, "-h"), (1, 1, 5, "127.1")),
            "A a.example": addresses("192.0.2.1"),
        ])
        try bad.run("stun:a.example", families: [.ipv4])
        #expect(bad.endpoints(.ipv4) == ["udp 192.0.2.1:3478"])
        #expect(bad.faults(.ipv4).count == 2)

        let crowd = (0..<1000).map { IPAddress(v4: 0xC000_0200 + $0) }
        var addresses = ResolutionHarness(["A a.example": .addresses(crowd)])
        try addresses.run("stun:a.example:1", families: [.ipv4])
        guard case .resolved(_, let kept, _, let omitted)? = addresses.outcomes.first?.event else { return }
        #expect(kept.count == 16 && omitted == 984)
    }

    @Test("a domain that says it has no such service is believed")
    func declined() throws {
        for target in [".", ""] {
            var harness = ResolutionHarness([
                "SRV _stun._udp.a.example": service((0, 0, 0, target)), "A a.example": addresses("192.0.2.1"),
            ])
            try harness.run("stun:a.example", families: [.ipv4])
            #expect(harness.endpoints(.ipv4).isEmpty)
            #expect(harness.faults(.ipv4).map(\.kind) == [.noSuchService])
        }
    }

    @Test("each family ends on its own, a silent one at five seconds")
    func silence() throws {
        var harness = ResolutionHarness(["A a.example": addresses("192.0.2.1")])
        harness.delay = { $0.hasPrefix("AAAA") ? nil : .milliseconds(20) }
        try harness.run("stun:a.example")
        #expect(harness.end(.ipv4) == 20)
        #expect(harness.end(.ipv6) == 5000)
        #expect(harness.faults(.ipv6).map(\.kind) == [.failed(.timedOut)])
    }

    @Test("a dead resolver costs five seconds in all")
    func dead() throws {
        var harness = ResolutionHarness([:])
        harness.delay = { _ in nil }
        try harness.run("turn:a.example", transports: [.udp, .tcp])
        #expect(harness.end(.ipv4) == 5000)
        #expect(harness.end(.ipv6) == 5000)
        #expect(harness.faults(.ipv4).contains(.init(step: "A a.example", kind: .failed(.timedOut))))
    }

    @Test("a router that drops SRV questions costs two seconds, not five")
    func droppedServices() throws {
        var harness = ResolutionHarness(["A a.example": addresses("192.0.2.1")])
        harness.delay = { $0.hasPrefix("A") ? .milliseconds(20) : nil }
        try harness.run("stun:a.example")
        #expect(harness.end(.ipv4) == 2000)
        #expect(harness.endpoints(.ipv4) == ["udp 192.0.2.1:3478"])
        #expect(harness.faults(.ipv4) == [.init(step: "SRV _stun._udp.a.example", kind: .failed(.timedOut))])
    }

    @Test("answers that trickle in for ever end at five seconds")
    func trickle() throws {
        var answers: [String: SystemAnswer] = [:]
        answers["SRV _stun._udp.a.example"] = service((0, 0, 1, "b.example"))
        answers["A b.example"] = addresses("192.0.2.2")
        var harness = ResolutionHarness(answers)
        harness.delay = { _ in .milliseconds(2600) }
        try harness.run("stun:a.example", families: [.ipv4])
        #expect(harness.end(.ipv4) == 5000)
        #expect(harness.faults(.ipv4).contains(.init(step: "A b.example", kind: .failed(.timedOut))))
    }

    @Test("addresses of no host and of the wrong family are left out")
    func unusableAddresses() throws {
        var harness = ResolutionHarness(["A a.example": addresses("0.0.0.0"), "AAAA a.example": addresses("192.0.2.1")])
        try harness.run("stun:a.example:3478")
        #expect(harness.faults(.ipv4).map(\.kind) == [.unusableAddress(IPAddress(0, 0, 0, 0))])
        #expect(harness.faults(.ipv6).map(\.kind) == [.failed(.noRecords)])
    }

    @Test("every failure of a resolver has its own words")
    func words() {
        let failures: [QueryFailure] = [
            .noSuchName, .noRecords, .resolverFailed("SERVFAIL"), .timedOut, .noRoute(errno: 101),
        ]
        #expect(Set(failures.map(\.message)).count == failures.count)
    }

    @Test("SRV records of one priority come in proportion to their weights, those of weight 0 rarely")
    func weights() {
        let records = [(UInt16(0), "zero"), (10, "ten"), (30, "thirty")].map {
            ServiceRecord(priority: 1, weight: $0.0, port: 1, target: $0.1)
        }
        var random = SeededGenerator(seed: 7)
        var first: [String: Int] = [:]
        for _ in 0..<10_000 {
            let ordered = ServiceRecordOrder.order(records, using: &random)
            #expect(ordered.count == 3)
            first[ordered[0].target, default: 0] += 1
        }
        #expect((100...400).contains(first["zero"] ?? 0), "\(first)")
        #expect((2200...2700).contains(first["ten"] ?? 0), "\(first)")
    }
}
