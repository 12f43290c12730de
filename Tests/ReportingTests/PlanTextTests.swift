import NetTypes
import Planning
import Reporting
import STUN
import TestSupport
import Testing

/// What `--dry-run` prints.
@Suite("The plan, in words and in JSON")
struct PlanTextTests {
    private static let interfaces = [
        .loopback, .ethernet(Place.host),
        NetworkInterface(
            name: "wg0", index: 3, kind: .tunnel, addresses: [.init(IPAddress(10, 8, 0, 2), prefixLength: 24)]),
    ]

    private func plan(
        _ command: Options.Command, _ uris: [String], bind: IPAddress? = nil, count: Int = 1
    ) throws -> Plan {
        try Plan(
            Options(
                command: command, servers: try .init(uris, account: nil), families: [.ipv4], bindAddress: bind,
                count: count), interfaces: Self.interfaces)
    }

    @Test("The plan of a check says over what each server is asked, and where TCP is tried")
    func check() throws {
        let plan = try plan(
            .check,
            ["stun:stun.example.org", "stun:192.0.2.1:19302", "turn:a.example?transport=tcp", "stuns:b.example"])
        #expect(
            plan.rendered(as: .text, style: RenderingStyle())
                == #"""
                This would be done within 5 s; nothing was sent.

                Servers
                  server                        over                requests
                  stun:stun.example.org         UDP, TCP if silent       209
                  stun:192.0.2.1:19302          UDP, TCP if silent       209
                  turn:a.example?transport=tcp  TCP                        1
                  stuns:b.example               TLS                        1

                From
                  address     interface  kind
                  192.0.2.10  eth0       ethernet
                  10.8.0.2    wg0        tunnel

                Not measured
                  IPv6: the options leave it out

                requests: the most to each address of a server, from each address of this machine.

                """#)
    }

    @Test("What a command excludes is said with its reason")
    func excluded() throws {
        let plan = try plan(.nat, ["stuns:b.example"])
        let text = plan.rendered(as: .text, style: RenderingStyle())
        #expect(text.contains("stuns:b.example         0  a NAT's behavior is asked about over UDP and TCP"))
        #expect(plan.rendered(as: .json, style: RenderingStyle()).contains("\"notMeasured\": \"a NAT's behavior"))
    }

    @Test("The plan of --lifetime says how many sockets are left idle and for how long, and fits into --timeout")
    func lifetime() throws {
        var options = Options(command: .nat, families: [.ipv4], measuresLifetime: true)
        var plan = try Plan(options, interfaces: Self.interfaces)
        #expect(plan.timeout == .seconds(372) && plan.idleTimes.last == .seconds(360))
        #expect(plan.rendered(as: .text, style: RenderingStyle()).contains("90 sockets from each address"))
        options.timeout = .seconds(30)
        plan = try Plan(options, interfaces: Self.interfaces)
        #expect(plan.timeout == .seconds(30) && plan.idleTimes.last == .seconds(22))
        options.timeout = .seconds(2)
        #expect(throws: PlanError.self) { try Plan(options, interfaces: Self.interfaces) }
        options.measuresLifetime = false
        #expect(try Plan(options, interfaces: Self.interfaces).idleTimes.isEmpty)
    }

    @Test("--bind leaves one source; a later request of --count is one more for each address")
    func bind() throws {
        let plan = try plan(.candidates, ["stun:192.0.2.1"], bind: IPAddress(10, 8, 0, 2), count: 3)
        #expect(
            plan.rendered(as: .text, style: RenderingStyle())
                == #"""
                This would be done within 5.04 s; nothing was sent.

                Servers
                  server          over  requests
                  stun:192.0.2.1  UDP          6

                From
                  address   interface  kind
                  10.8.0.2  wg0        tunnel

                Not measured
                  IPv6: the options leave it out

                requests: the most to each address of a server, from each address of this machine.

                """#)
    }

    @Test("Without a server, the addresses are what is left")
    func noServer() throws {
        #expect(
            try plan(.candidates, []).rendered(as: .text, style: RenderingStyle())
                == #"""
                This would be done within 5 s; nothing was sent.

                Servers
                  none

                From
                  address     interface  kind
                  192.0.2.10  eth0       ethernet
                  10.8.0.2    wg0        tunnel

                Not measured
                  IPv6: the options leave it out

                requests: the most to each address of a server, from each address of this machine.

                """#)
    }

    @Test("The stun command sends from where the system routes")
    func stun() throws {
        #expect(
            try plan(.stun, ["192.0.2.1"]).rendered(as: .text, style: RenderingStyle())
                == #"""
                This would be done within 5 s; nothing was sent.

                Servers
                  server          over  requests
                  stun:192.0.2.1  UDP          4

                From
                  the address that the system routes from

                Not measured
                  IPv6: the options leave it out

                requests: the most to each address of a server, from each address of this machine.

                """#)
    }

    @Test("The stun command says the address of --bind, though no browser would offer it")
    func stunBound() throws {
        let plan = try plan(.stun, ["127.0.0.1"], bind: IPAddress(127, 0, 0, 1))
        #expect(plan.rendered(as: .text, style: RenderingStyle()).contains("127.0.0.1  lo         loopback"))
    }

    @Test("JSON says the same, for programs")
    func json() throws {
        let plan = try plan(.check, ["stun:192.0.2.1", "stuns:b.example"], bind: IPAddress(192, 0, 2, 10))
        #expect(
            plan.rendered(as: .json, style: RenderingStyle())
                == #"""
                {
                  "schema": "icecheck/plan/1",
                  "command": "check",
                  "timeoutMs": 5000,
                  "servers": [
                    {
                      "server": "stun:192.0.2.1",
                      "transports": [
                        "udp"
                      ],
                      "fallsBackToTcp": true,
                      "requests": 209
                    },
                    {
                      "server": "stuns:b.example",
                      "transports": [
                        "tls"
                      ],
                      "fallsBackToTcp": false,
                      "requests": 1
                    }
                  ],
                  "sources": [
                    {
                      "address": "192.0.2.10",
                      "interface": "eth0",
                      "interfaceKind": "ethernet"
                    }
                  ],
                  "notMeasured": [
                    {
                      "what": "IPv6",
                      "reason": "excluded",
                      "detail": "the options leave it out"
                    }
                  ]
                }

                """#)
    }
}
