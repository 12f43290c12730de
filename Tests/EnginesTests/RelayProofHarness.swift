import NetTypes
import SimNet
import Testing

@testable import Engines

/// A proof between a second socket, a relay and a client, in virtual time: 10 ms for each of the four ways that a
/// datagram goes.
struct RelayProofHarness {
    /// The ways of a datagram, in the order in which it goes them.
    enum Way: Int, CaseIterable { case peerToRelay, relayToClient, clientToRelay, relayToPeer }

    static let leg = Duration.milliseconds(10)
    static let roundTrip = leg * 2
    static let relayed = Endpoint(IPAddress(198, 51, 100, 1), 50000)

    var proof: RelayProof
    var now = Instant.zero
    /// When the permission is known to be there; nil for never.
    var permittedAt: Instant? = .zero + roundTrip
    /// From when on the relay admits datagrams.
    var admitsFrom = Instant.zero + leg
    /// How long the channel takes to be bound once it is wanted; nil where it cannot be.
    var bindsAfter: Duration? = roundTrip
    /// Whether the second socket's outside can be found out.
    var knowsPeer = true
    /// What the relay sends from.
    var source = relayed
    var isLost: (Way, [UInt8]) -> Bool = { _, _ in false }
    /// What becomes of a datagram on its way back.
    var change: ([UInt8]) -> [UInt8] = { $0 }

    private(set) var sent: [(at: Instant, outgoing: RelayProof.Outgoing)] = []
    private(set) var returned: [Bool] = []
    private var inFlight: [(at: Instant, way: Way, bytes: [UInt8])] = []
    private var settlesAt: (at: Instant, isBound: Bool)?
    private var hasAsked = false

    init(count: Int = 3, size: Int = RelayPayload.leastSize, pace: Duration? = nil, nonce: UInt64 = 7) {
        proof = RelayProof(
            relayed: Self.relayed, count: count, size: size, pace: pace, roundTrip: Self.roundTrip, nonce: nonce)
    }

    /// Each way loses so many of a hundred.
    static func losing(percent: UInt64, seed: UInt64) -> RelayProofHarness {
        var harness = RelayProofHarness()
        let random = Box(SeededGenerator(seed: seed))
        harness.isLost = { _, _ in random.value.next() % 100 < percent }
        return harness
    }

    private final class Box {
        var value: SeededGenerator
        init(_ value: SeededGenerator) { self.value = value }
    }

    /// What is lane, or opening, or reversing.
    static func kind(_ bytes: [UInt8]) -> UInt8 { bytes[RelayPayload.leastSize - 4] }

    func kinds(_ matches: (RelayProof.Outgoing) -> [UInt8]?) -> [UInt8] {
        sent.compactMap { matches($0.outgoing).map(Self.kind) }
    }

    var toRelay: [UInt8] { kinds { if case .toRelay(let bytes) = $0 { bytes } else { nil } } }

    mutating func run() {
        proof.begin(at: now)
        for _ in 0..<10_000 {
            drain()
            if proof.isOver { return }
            let wakes = [proof.nextWake, inFlight.map(\.at).min(), permittedAt, settlesAt?.at].compactMap(\.self)
            guard let next = wakes.min() else {
                Issue.record("the proof waits for nothing")
                return
            }
            now = max(now, next)
            step()
        }
        Issue.record("the proof spins at \(now)")
    }

    private mutating func step() {
        if let at = permittedAt, at <= now {
            permittedAt = nil
            proof.permitted(at: now)
        }
        if let (at, isBound) = settlesAt, at <= now {
            settlesAt = nil
            proof.channelSettled(isBound: isBound, at: now)
        }
        let due = inFlight.filter { $0.at <= now }
        inFlight.removeAll { $0.at <= now }
        for packet in due { deliver(packet.way, packet.bytes) }
        proof.handleTimeout(at: now)
        if proof.wantsChannel, !hasAsked {
            hasAsked = true
            settlesAt = (now + (bindsAfter ?? .zero), bindsAfter != nil)
        }
        if proof.wantsPeerAddress { proof.reverse(isPossible: knowsPeer, at: now) }
    }

    private mutating func drain() {
        while let outgoing = proof.next(at: now) {
            sent.append((now, outgoing))
            switch outgoing {
            case .toRelay(let bytes): send(.peerToRelay, bytes)
            case .toPeer(let bytes): send(.clientToRelay, bytes)
            case .aside: break
            }
        }
    }

    private mutating func send(_ way: Way, _ bytes: [UInt8]) {
        if !isLost(way, bytes) { inFlight.append((now + Self.leg, way, bytes)) }
    }

    private mutating func deliver(_ way: Way, _ bytes: [UInt8]) {
        switch way {
        case .peerToRelay: if now >= admitsFrom { send(.relayToClient, bytes) }
        case .relayToClient:
            guard let answer = proof.arrived(bytes) else { return }
            send(.clientToRelay, answer)
        case .clientToRelay: send(.relayToPeer, bytes)
        case .relayToPeer: returned.append(proof.returned(change(bytes), from: source, at: now))
        }
    }
}
