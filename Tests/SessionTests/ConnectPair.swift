import Engines
import Facts
import NetTypes
import Planning
import STUN
import SimNet

@testable import Session

extension Session {
    /// What is known of the connection by now.
    var evidence: ConnectEvidence { connection ?? ConnectEvidence(usesSDP: false) }
}

/// Two sessions that are wired to each other: datagrams and channel bytes cross after a delay, in virtual time.
struct ConnectPair {
    struct Flight {
        var at: Instant
        var side: Int
        var input: Input
    }

    var sides: [Session]
    var events: [[Observation]] = [[], []]
    /// What each side wrote on its channel.
    var written: [String] = ["", ""]
    var now = Instant.zero
    let delay: Duration
    /// Whether a datagram is delivered, by who sends it.
    var delivers: (Int, [UInt8]) -> Bool = { _, _ in true }
    /// What becomes of a channel's bytes.
    var carries: (Int, [UInt8]) -> [UInt8]? = { _, bytes in bytes }
    private var flights: [Flight] = []
    private static let addresses = [IPAddress("192.0.2.1"), IPAddress("192.0.2.2")]

    /// - Parameter change: of the options of each side.
    init(
        _ form: [ConnectPlan.Form], isLive: Bool = true, delay: Duration = .milliseconds(10),
        change: (inout Options) -> Void = { _ in }
    ) throws {
        self.delay = delay
        sides = try (0..<2).map { side in
            var options = Options(command: .connect, timeout: .seconds(30))
            options.connect = ConnectPlan(form[side], isLive: isLive)
            change(&options)
            let addresses = Self.addresses[side].map { [NetworkInterface.Address($0, prefixLength: 24)] } ?? []
            let interface = NetworkInterface(name: "eth0", index: 2, kind: .ethernet, addresses: addresses)
            return Session(
                try Plan(options, interfaces: [interface]), random: SeededGenerator(seed: UInt64(side) + 1), from: .zero
            )
        }
    }

    /// Runs until both are finished, or virtual time is over.
    mutating func run(until limit: Duration = .seconds(120)) {
        for side in 0..<2 { drain(side) }
        var rounds = 0
        while !sides.allSatisfy(\.isFinished), rounds < 200_000 {
            rounds += 1
            let wakes = sides.filter { !$0.isFinished }.compactMap(\.nextWake) + flights.map(\.at)
            guard let next = wakes.min(), next <= .zero + limit else { return }
            now = max(now, next)
            let due = flights.filter { $0.at <= now }
            flights.removeAll { $0.at <= now }
            for flight in due {
                sides[flight.side].handle(flight.input, at: now)
                drain(flight.side)
            }
            for side in 0..<2 {
                if let wake = sides[side].nextWake, wake <= now { sides[side].handle(.timeout, at: now) }
                drain(side)
            }
        }
    }

    mutating func give(_ text: String, to side: Int) {
        sides[side].handle(
            .stream(StreamEvent(path: Session.channel, kind: .bytes(Array(text.utf8)), at: now)), at: now)
        drain(side)
    }

    private mutating func drain(_ side: Int) {
        var isMoving = true
        while isMoving {
            isMoving = false
            while let output = sides[side].pollOutput(at: now) {
                perform(output, of: side)
                isMoving = true
            }
            while let event = sides[side].pollEvent() {
                events[side].append(event)
                isMoving = true
            }
        }
    }

    private mutating func perform(_ output: Output, of side: Int) {
        guard let own = Self.addresses[side] else { return }
        let other = 1 - side
        switch output {
        case .open(let path, _):
            flights.append(
                Flight(at: now, side: side, input: .opened(path, local: Endpoint(own, port(of: path)))))
        case .transmit(let transmit):
            guard transmit.destination.port >= 10_000, delivers(side, transmit.bytes) else { return }
            let arrival = Datagram(
                path: PathID(UInt32(transmit.destination.port) - 10_000),
                source: Endpoint(own, port(of: transmit.path)),
                bytes: transmit.bytes, arrivedAt: now + delay)
            flights.append(Flight(at: now + delay, side: other, input: .datagram(arrival)))
        case .write(_, let bytes):
            written[side] += String(decoding: bytes, as: UTF8.self)
            guard let carried = carries(side, bytes) else { return }
            let event = StreamEvent(path: Session.channel, kind: .bytes(carried), at: now + delay)
            flights.append(Flight(at: now + delay, side: other, input: .stream(event)))
        case .close(let path) where path == Session.channel:
            let event = StreamEvent(path: path, kind: .ended, at: now + delay)
            flights.append(Flight(at: now + delay, side: other, input: .stream(event)))
        case .query(let id, .source): flights.append(Flight(at: now, side: side, input: .answer(id, .source(own))))
        case .close, .query: break
        }
    }

    private func port(of path: PathID) -> UInt16 { UInt16(truncatingIfNeeded: path.number + 10_000) }
}
