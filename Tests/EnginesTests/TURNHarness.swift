import NetTypes
import STUN
import SimNet
import Testing

@testable import Engines

/// A client and a server with a path between them, in virtual time: 10 ms each way.
struct TURNHarness {
    static let delay = Duration.milliseconds(10)
    static let peer = Endpoint(IPAddress(203, 0, 113, 5), 4000)

    var client: TURNAllocation
    var server: TURNServer
    var now = Instant.zero
    var random = SeededGenerator(seed: 1)
    /// Whether the client's datagram of this number, from 0, is lost; and the server's.
    var losesFromClient: (Int) -> Bool = { _ in false }
    var losesFromServer: (Int) -> Bool = { _ in false }

    private(set) var events: [(at: Instant, event: TURNEvent)] = []
    /// What the client has sent, and when.
    private(set) var sent: [(at: Instant, bytes: [UInt8])] = []
    private var answers = 0
    private var inFlight: [(at: Instant, isForServer: Bool, bytes: [UInt8])] = []
    private var fromServer = StreamFramer()
    private var fromClient = StreamFramer()

    init(_ server: TURNServer = TURNServer(), _ configuration: TURNConfiguration = TURNHarness.configuration()) {
        client = TURNAllocation(configuration)
        self.server = server
    }

    static func configuration(isReliable: Bool = false, password: String = "pencil") -> TURNConfiguration {
        TURNConfiguration(
            credential: try? LongTermCredential(username: "user", password: password), isReliable: isReliable)
    }

    var isReliable: Bool { client.configuration.isReliable }
    var allocated: TURNAllocated? { client.allocated }

    /// The failures, in order.
    var failures: [(stage: TURNStage, failure: TURNFailure)] {
        events.compactMap { if case .failed(let stage, let failure) = $0.event { (stage, failure) } else { nil } }
    }

    var received: [TURNReceived] {
        events.compactMap { if case .received(let data) = $0.event { data } else { nil } }
    }

    var deletion: TURNDeletion? {
        events.compactMap { if case .deleted(let deletion) = $0.event { deletion } else { nil } }.first
    }

    /// When an event of a kind came first, milliseconds.
    func time(_ matches: (TURNEvent) -> Bool) -> Int64? {
        events.first { matches($0.event) }.map { $0.at.nanoseconds / 1_000_000 }
    }

    var sentTimes: [Int64] { sent.map { $0.at.nanoseconds / 1_000_000 } }

    /// Something that arrives from the server's address now.
    mutating func inject(_ bytes: [UInt8]) {
        client.handle(datagram: bytes, at: now)
        drain()
    }

    mutating func drain() {
        while let bytes = client.pollOutput(at: now, using: &random) {
            if !losesFromClient(sent.count) { inFlight.append((now + Self.delay, true, bytes)) }
            sent.append((now, bytes))
        }
        while let event = client.pollEvent() { events.append((now, event)) }
    }

    /// Runs for a while, or until nothing more can happen; jumps from one instant to the next.
    mutating func run(for duration: Duration = .seconds(60), until isDone: (TURNHarness) -> Bool = { _ in false }) {
        let end = now + duration
        drain()
        for _ in 0..<100_000 where !isDone(self) {
            let next = [inFlight.map(\.at).min(), client.nextWake].compactMap(\.self).min()
            guard let next, next <= end else {
                now = max(now, end)
                return
            }
            now = max(now, next)
            deliver()
            client.handleTimeout(at: now)
            drain()
        }
        if !isDone(self) { Issue.record("the client spins at \(now)") }
    }

    private mutating func deliver() {
        let due = inFlight.filter { $0.at <= now }
        inFlight.removeAll { $0.at <= now }
        for packet in due {
            if packet.isForServer { serve(packet.bytes) } else { take(packet.bytes) }
            drain()
        }
    }

    private mutating func serve(_ bytes: [UInt8]) {
        var messages = [bytes]
        if isReliable {
            fromClient.append(bytes)
            messages = []
            while let frame = try? fromClient.next() {
                switch frame {
                case .message(let message): messages.append(message)
                case .channelData(let data): messages.append(data.encoded(padded: false))
                }
            }
        }
        for message in messages {
            for reply in server.receive(message) {
                if !losesFromServer(answers) {
                    let padding = isReliable ? reply.count.paddedToFour - reply.count : 0
                    inFlight.append((now + Self.delay, false, reply + [UInt8](repeating: 0, count: padding)))
                }
                answers += 1
            }
        }
    }

    private mutating func take(_ bytes: [UInt8]) {
        guard isReliable else { return client.handle(datagram: bytes, at: now) }
        fromServer.append(bytes)
        while let frame = try? fromServer.next() { client.handle(frame, at: now) }
    }
}

extension TURNEvent {
    var isAllocated: Bool { if case .allocated = self { true } else { false } }
    var isPermitted: Bool { if case .permitted = self { true } else { false } }
    var isBound: Bool { if case .channelBound = self { true } else { false } }
    var isFailed: Bool { if case .failed = self { true } else { false } }
    var isRefreshed: Bool { if case .refreshed = self { true } else { false } }
}
