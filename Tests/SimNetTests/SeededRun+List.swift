import Engines
import NetTypes
import Planning
import STUN
import Server
import SimNet

/// The runs that are held to the byte: every command, every kind of NAT, what goes wrong with servers and networks.
extension SeededRun {
    static let all: [SeededRun] = checks + gatherings + bindings + nats + lies + natRelays + relays + relayFaults

    private static let symmetric = NATLab.Middle.nat(
        NATBehaviour(mapping: .addressAndPortDependent, allocation: .sequential(step: 1)))
    private static let lossy = Link(delay: .milliseconds(10), jitter: .milliseconds(4), loss: 0.1)
    private static let dual: [IPAddress.Family] = [.ipv4, .ipv6]

    private static let checks: [SeededRun] = [
        SeededRun(name: "check-open", command: .check, middle: .nothing),
        SeededRun(name: "check-home-nat", command: .check),
        SeededRun(name: "check-symmetric", command: .check, middle: symmetric),
        SeededRun(name: "check-firewall", command: .check, middle: .firewall(.addressAndPortDependent)),
        SeededRun(name: "check-udp-dropped", command: .check, middle: .firewallOnUDP(.drop)),
        SeededRun(
            name: "check-udp-rejected", command: .check, middle: .firewallOnUDP(.reject(.administrativelyProhibited))),
        SeededRun(
            name: "check-carrier-grade", command: .check,
            middle: .carrierGrade(
                home: NATBehaviour(), carrier: NATBehaviour(mapping: .addressDependent, allocation: .random))),
        SeededRun(
            name: "check-ipv6", command: .check, middle: .firewall(.addressDependent), families: [.ipv6],
            uris: ["stun:[2a00::1]"]),
        SeededRun(name: "check-dual-stack", command: .check, families: dual, uris: ["stun:stun.example:3478"]),
        SeededRun(
            name: "check-two-servers", command: .check, uris: ["stun:11.0.0.1", "stun:12.0.0.1"], far: twoServers),
        SeededRun(
            name: "check-relay", command: .check, middle: symmetric, uris: ["turn:11.0.0.1"],
            far: turn(relaysFrom: alternate)),
        SeededRun(
            name: "check-wrong-password", command: .check, uris: ["stun:11.0.0.1", "turn:11.0.0.1"], far: turn()
        ) { $0.servers[1].credentials.credential = Secret("pencils") },
        SeededRun(name: "check-loss", command: .check, link: lossy, seed: 5),
        SeededRun(name: "check-silence", command: .check, far: silence),
        SeededRun(
            name: "check-interrupted", command: .check, uris: ["stun:11.0.0.1", "stun:13.0.0.1"],
            interruptedAt: .milliseconds(300)),
        SeededRun(
            name: "check-names", command: .check,
            uris: ["stun:service.example", "stun:none.example", "stun:slow.example", "stun:both.example"]),
    ]

    private static let bridge = NetworkInterface(
        name: "docker0", index: 3, kind: .bridge, addresses: [.init(IPAddress(172, 17, 0, 1), prefixLength: 16)])

    private static let gatherings: [SeededRun] = [
        SeededRun(name: "candidates-home-nat", command: .candidates),
        SeededRun(
            name: "candidates-dual-stack", command: .candidates, families: dual,
            uris: ["stun:11.0.0.1", "stun:[2a00::1]"]),
        SeededRun(name: "candidates-dead-base", command: .candidates, moreInterfaces: [bridge]),
        SeededRun(name: "candidates-loss", command: .candidates, link: lossy, seed: 8),
    ]

    private static let bindings: [SeededRun] = [
        SeededRun(name: "stun-series", command: .stun, link: lossy, seed: 3) { $0.count = 20 },
        SeededRun(name: "stun-tcp", command: .stun) { $0.transports = [.tcp] },
        SeededRun(
            name: "stun-ipv6", command: .stun, middle: .nothing, families: [.ipv6], uris: ["stun:[2a00::1]"]
        ) { $0.transports = [.udp, .tcp] },
        SeededRun(name: "stun-silence", command: .stun, far: silence, interruptedAt: .seconds(3)),
        SeededRun(name: "stun-nobody", command: .stun, far: nobody) { $0.transports = [.udp, .tcp] },
        SeededRun(name: "stun-old-server", command: .stun, far: lying(.legacy)),
        SeededRun(name: "stun-other-port", command: .stun, far: lying(.answersAllFromOtherPort)),
        SeededRun(
            name: "stun-repeats", command: .stun, far: lying(.repeatsAnswers(after: .milliseconds(25)))
        ) { $0.count = 3 },
        SeededRun(
            name: "stun-names", command: .stun,
            uris: ["stun:service.example", "stun:both.example", "stun:none.example"]
        ) { $0.families = [.ipv4] },
    ]

    private static let nats: [SeededRun] =
        Dependence.allCases.flatMap { mapping in
            Dependence.allCases.map { filtering in
                SeededRun(
                    name: "nat-\(mapping.rawValue)-\(filtering.rawValue)", command: .nat,
                    middle: .nat(NATBehaviour(mapping: mapping, filtering: filtering)))
            }
        } + [
            SeededRun(name: "nat-none", command: .nat, middle: .nothing),
            SeededRun(name: "nat-firewall", command: .nat, middle: .firewall(.addressAndPortDependent)),
            SeededRun(name: "nat-tcp", command: .nat, middle: symmetric) { $0.transports = [.tcp] },
            SeededRun(name: "nat-both-transports", command: .nat) { $0.transports = [.udp, .tcp] },
            SeededRun(
                name: "nat-ipv6", command: .nat,
                middle: .nat(NATBehaviour(mapping: .addressDependent, allocation: .random)), families: [.ipv6],
                uris: ["stun:[2a00::1]"]),
            SeededRun(name: "nat-hairpin", command: .nat, middle: .nat(NATBehaviour(hairpins: true))) {
                $0.asksHairpin = true
            },
            SeededRun(name: "nat-no-hairpin", command: .nat) { $0.asksHairpin = true },
            SeededRun(
                name: "nat-lifetime", command: .nat,
                middle: .nat(NATBehaviour(lifetime: .seconds(30), inboundRefreshes: true))
            ) { $0.measuresLifetime = true },
            SeededRun(
                name: "nat-lifetime-sequential", command: .nat,
                middle: .nat(NATBehaviour(allocation: .sequential(step: 2), lifetime: .seconds(8)))
            ) {
                $0.measuresLifetime = true
                $0.timeout = .seconds(20)
            },
            SeededRun(
                name: "nat-two-servers", command: .nat, middle: symmetric, uris: ["stun:11.0.0.1", "stun:12.0.0.1"],
                far: twoServers),
            SeededRun(name: "nat-loss", command: .nat, middle: symmetric, link: lossy, seed: 11),
            SeededRun(name: "nat-deadline", command: .nat, far: silence) { $0.timeout = .milliseconds(700) },
            SeededRun(
                name: "nat-interrupted", command: .nat, link: Link(delay: .milliseconds(100)),
                interruptedAt: .milliseconds(450)),
        ]

    private static let lies: [SeededRun] = [
        SeededRun(name: "nat-lie-ignores-change", command: .nat, far: lying(.ignoresChangeRequest)),
        SeededRun(name: "nat-lie-drops-change", command: .nat, far: lying(.dropsChangeRequest)),
        SeededRun(
            name: "nat-lie-other-address", command: .nat,
            far: lying(.otherAddress(Endpoint(IPAddress(192, 168, 7, 7), 3479)))),
        SeededRun(name: "nat-lie-rewrites-ports", command: .nat, far: lying(.rewritesPorts, overTCP: true)),
        SeededRun(
            name: "nat-lie-late", command: .nat, middle: symmetric, far: lying(.answersChangesLate(.milliseconds(400)))),
        SeededRun(name: "nat-lie-stops", command: .nat, far: lying(.stopsAfter(7))),
        SeededRun(name: "nat-lie-mapped-address", command: .nat, far: lying(.mappedAddress(IPAddress(172, 17, 0, 1)))),
    ]

    private static let natRelays: [SeededRun] = [
        SeededRun(
            name: "nat-relays-two-servers", command: .nat, middle: symmetric, uris: ["turn:11.0.0.1", "turn:12.0.0.1"],
            far: turn(at: [primary, alternate])),
        SeededRun(
            name: "nat-relay-elsewhere-loss", command: .nat, link: lossy, seed: 2, uris: ["turn:11.0.0.1"],
            far: turn(relaysFrom: alternate)),
        SeededRun(
            name: "nat-relay-refused", command: .nat, uris: ["turn:11.0.0.1"], far: turn(.refuses(.allocate, code: 486))
        ),
    ]

    private static let relays: [SeededRun] = [
        SeededRun(name: "turn-udp", command: .turn, uris: ["turn:11.0.0.1"], far: turn()),
        SeededRun(name: "turn-tcp", command: .turn, uris: ["turn:11.0.0.1?transport=tcp"], far: turn()),
        SeededRun(name: "turn-dual-stack", command: .turn, families: dual, uris: ["turn:11.0.0.1"], far: turn()) {
            $0.turn.usesAllTransports = true
        },
        SeededRun(
            name: "turn-ipv6", command: .turn, middle: .nothing, families: [.ipv6], uris: ["turn:[2a00::1]"],
            far: turn()),
        SeededRun(
            name: "turn-pairs-loss", command: .turn, link: lossy, seed: 4, uris: ["turn:11.0.0.1", "turn:12.0.0.1"],
            far: turn(at: [primary, alternate])),
        SeededRun(name: "turn-soak", command: .turn, uris: ["turn:11.0.0.1"], far: turn()) {
            $0.turn.soaks = true
            $0.timeout = .seconds(90)
        },
        SeededRun(
            name: "turn-load", command: .turn, link: lossy, seed: 6, uris: ["turn:11.0.0.1?transport=tcp"], far: turn()
        ) { $0.turn.load = .init(count: 40, size: 200, pace: .milliseconds(20)) },
        SeededRun(
            name: "turn-tcp-relay", command: .turn, uris: ["turn:11.0.0.1?transport=tcp"], far: turn()
        ) { $0.turn.relayTransport = .tcp },
    ]

    private static let relayFaults: [SeededRun] = [
        SeededRun(
            name: "turn-redirect", command: .turn, uris: ["turn:11.0.0.1"],
            far: turn(.redirects(to: Endpoint(alternate[0], 3478)), at: [primary, alternate])),
        SeededRun(
            name: "turn-redirect-tcp", command: .turn, uris: ["turn:11.0.0.1?transport=tcp"],
            far: turn(.redirects(to: Endpoint(alternate[0], 3478)), at: [primary, alternate])),
        SeededRun(
            name: "turn-redirect-circle", command: .turn, uris: ["turn:11.0.0.1"],
            far: turn(.redirects(to: Endpoint(primary[0], 3478)))),
        SeededRun(name: "turn-437", command: .turn, uris: ["turn:11.0.0.1"], far: turn(.refusesFirstPort(code: 437))),
        SeededRun(
            name: "turn-486", command: .turn, uris: ["turn:11.0.0.1"], far: turn(.refuses(.allocate, code: 486))),
        SeededRun(
            name: "turn-permission-403", command: .turn, uris: ["turn:11.0.0.1"],
            far: turn(.refuses(.createPermission, code: 403))),
        SeededRun(name: "turn-wrong-password", command: .turn, uris: ["turn:11.0.0.1"], far: turn()) {
            $0.servers[0].credentials.credential = Secret("pencils")
        },
        SeededRun(
            name: "turn-udp-dropped", command: .turn, middle: .firewallOnUDP(.drop),
            uris: ["turn:11.0.0.1?transport=tcp"], far: turn()),
        SeededRun(
            name: "check-udp-dropped-relay", command: .check, middle: .firewallOnUDP(.drop),
            uris: ["turn:11.0.0.1", "turn:11.0.0.1?transport=tcp"], far: turn()),
        SeededRun(name: "turn-relay-silent", command: .turn, uris: ["turn:11.0.0.1"], far: turn(.dropsRelayedData)),
        SeededRun(
            name: "turn-relay-silent-tcp", command: .turn, uris: ["turn:11.0.0.1?transport=tcp"],
            far: turn(.dropsRelayedData)),
        SeededRun(
            name: "turn-allocate-silent", command: .turn, uris: ["turn:11.0.0.1"], far: turn(.dropsRequests(.allocate))),
        SeededRun(
            name: "turn-late", command: .turn, uris: ["turn:11.0.0.1"], far: turn(.delays(.seconds(3)))
        ) { $0.timeout = .seconds(4) },
        SeededRun(
            name: "turn-interrupted", command: .turn, link: Link(delay: .milliseconds(100)), uris: ["turn:11.0.0.1"],
            far: turn(), interruptedAt: .milliseconds(700)),
        SeededRun(name: "turn-nobody", command: .turn, uris: ["turn:11.0.0.1"], far: nobody) {
            $0.turn.usesAllTransports = true
        },
        SeededRun(name: "turn-rfc5389", command: .turn, uris: ["turn:11.0.0.1"], far: turn { $0.algorithms = nil }),
    ]
}
