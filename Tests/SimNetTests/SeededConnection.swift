import Engines
import Facts
import NetTypes
import Planning
import STUN
import Server
import Session
import SimNet
import TestSupport

/// Two machines that connect over a simulated network, and the record of each.
struct SeededConnection: Sendable {
    var name: String
    /// What each machine is behind.
    var middles = [NATLab.Middle.nothing, .nothing]
    var families: [IPAddress.Family] = [.ipv4]
    var links = [Link(delay: .milliseconds(5)), Link(delay: .milliseconds(5))]
    var seed: UInt64 = 1
    var uris = ["stun:11.0.0.1"]
    var far = SeededRun.discovery
    var form = [ConnectPlan.Form.sdp(answers: false), .sdp(answers: true)]
    /// Whether what a side tells comes to the other.
    var carries = [true, true]
    var change: @Sendable (inout ConnectPlan) -> Void = { _ in }

    /// A connection in the background of a network, whose channel is in the hands of the network's owner.
    private struct Wired: Engine {
        typealias Event = Never

        var live: Session
        var observations: [Observation] = []
        var written: [UInt8] = []
        var hasEnded = false

        init(_ live: Session) { self.live = live }

        var isFinished: Bool { live.isFinished }
        var nextWake: Instant? { live.nextWake }
        mutating func handle(_ input: Input, at now: Instant) { live.handle(input, at: now) }
        mutating func pollEvent() -> Never? {
            while let observation = live.pollEvent() { observations.append(observation) }
            return nil
        }
        mutating func pollOutput(at now: Instant) -> Output? {
            while let output = live.pollOutput(at: now) {
                switch output {
                case .write(let path, let bytes) where path == Session.channel:
                    written += bytes
                case .close(let path) where path == Session.channel: hasEnded = true
                default: return output
                }
            }
            return nil
        }
    }

    private func addresses(_ side: Int) -> [IPAddress] {
        families.map { family in
            let number = UInt8(side + 1)
            return family == .ipv4
                ? (middles[side].translates ? IPAddress(192, 168, number, 9) : IPAddress(13, 0, number, 9))
                : IPAddress(v6: 0x2A13 << 112 | UInt128(number))
        }
    }

    private func plan(_ side: Int) throws -> Plan {
        var options = Options(command: .connect, servers: try .init(uris), timeout: .seconds(30))
        options.trust.wallClock = SeededRun.wallClock
        var connect = ConnectPlan(form[side], isLive: true)
        change(&connect)
        options.connect = connect
        return try Plan(options, interfaces: [.ethernet(addresses(side))])
    }

    /// The records of both sides.
    ///
    /// - Parameter own: of the sessions' random numbers.
    func records(own: UInt64 = 1) throws -> [RecordedRun] {
        var net = SimNet(seed: seed)
        try far.start(&net, seed)
        let plans = try (0..<2).map { try plan($0) }
        var ids: [EngineID] = []
        for side in 0..<2 {
            let outside = [IPAddress(14, 0, UInt8(side), 1), IPAddress(14, 0, UInt8(side), 2)]
            let router = middles[side].router(&net, outside: outside)
            let host = net.addHost(
                addresses: addresses(side), behindForIPv4: router, behindForIPv6: nil, link: links[side])
            let live = Session(
                plans[side], random: SeededGenerator(seed: own &* 31 &+ UInt64(side)), from: net.now)
            ids.append(net.start(Wired(live), on: host))
        }
        var ended = [false, false]
        while net.now < .zero + .seconds(40), !ids.allSatisfy({ net.engine($0, as: Wired.self)?.isFinished ?? true }) {
            for side in 0..<2 { pass(from: ids[side], to: ids[1 - side], side, &ended, &net) }
            net.advance(to: net.now + (net.now < .zero + .seconds(2) ? .milliseconds(1) : .milliseconds(20)))
        }
        return (0..<2).map { side in
            RecordedRun(
                toolVersion: "0", startedAt: "2027-01-15T08:00:00Z",
                command: (["icecheck", "connect"] + uris).joined(separator: " "), wallClock: SeededRun.wallClock,
                duration: .seconds(1), end: .finished, plan: plans[side],
                observations: net.engine(ids[side], as: Wired.self)?.observations ?? [])
        }
    }

    /// Carries what a side has written to the other, which takes no time.
    private func pass(from: EngineID, to: EngineID, _ side: Int, _ ended: inout [Bool], _ net: inout SimNet) {
        var bytes: [UInt8] = []
        var hasEnded = false
        net.withEngine(from, as: Wired.self) { wired, _ in
            swap(&bytes, &wired.written)
            hasEnded = wired.hasEnded
        }
        let isEnd = hasEnded && !ended[side]
        ended[side] = hasEnded
        guard carries[side], !bytes.isEmpty || isEnd else { return }
        let path = Session.channel
        net.withEngine(to, as: Wired.self) { wired, now in
            guard !wired.isFinished else { return }
            if !bytes.isEmpty { wired.handle(.stream(StreamEvent(path: path, kind: .bytes(bytes), at: now)), at: now) }
            if isEnd { wired.handle(.stream(StreamEvent(path: path, kind: .ended, at: now)), at: now) }
        }
    }
}

extension SeededConnection {
    private static let symmetric = NATLab.Middle.nat(
        NATBehaviour(mapping: .addressAndPortDependent, allocation: .sequential(step: 1)))
    private static let home = NATLab.Middle.nat(NATBehaviour(filtering: .addressDependent))
    private static let relay = SeededRun.turn(relaysFrom: SeededRun.alternate)

    static let all: [SeededConnection] = [
        SeededConnection(name: "connect-open"),
        SeededConnection(name: "connect-homes", middles: [home, home]),
        SeededConnection(
            name: "connect-symmetric-relay", middles: [symmetric, symmetric], uris: ["turn:11.0.0.1"], far: relay),
        SeededConnection(name: "connect-no-path", middles: [symmetric, symmetric]),
        SeededConnection(
            name: "connect-forced-relay", uris: ["turn:11.0.0.1?transport=tcp"], far: relay
        ) { $0.kinds = [.relayed] },
        SeededConnection(
            name: "connect-redirect", uris: ["turn:11.0.0.1"],
            far: SeededRun.turn(
                SeededRun.redirecting(to: SeededRun.alternate[0]), at: [SeededRun.primary, SeededRun.alternate])),
        SeededConnection(
            name: "connect-loss", middles: [home, .firewall(.addressDependent)],
            links: [
                Link(delay: .milliseconds(20), jitter: .milliseconds(5), loss: 0.1), Link(delay: .milliseconds(5)),
            ], seed: 3),
        SeededConnection(name: "connect-dual-stack", middles: [home, home], families: [.ipv4, .ipv6]),
        SeededConnection(name: "connect-line", middles: [home, symmetric], form: [.line, .line]),
        SeededConnection(name: "connect-silent-server", middles: [home, home], far: SeededRun.silence),
        SeededConnection(name: "connect-no-peer", carries: [true, false]),
        SeededConnection(name: "connect-throughput", middles: [home, home]) { $0.measuresThroughput = true },
    ]
}
