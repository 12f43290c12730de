import Engines
import Facts
import NetTypes
import Planning

/// Data over the selected pair.
extension Connection {
    /// Whether there are figures to show: the connection came about.
    var isMeasured: Bool { meter != nil }
    /// Only another icecheck sends datagrams back; other peers answer STUN.
    private var hasEcho: Bool { !configuration.usesSDP && peerTieBreaker != nil }

    mutating func beginMeasuring(at now: Instant) {
        enter(.measuring, at: now)
        meter = EchoMeter(hasEcho ? .echo : .binding, duration: configuration.duration, at: now)
    }

    var measuringWake: Instant? {
        guard phase == .measuring else { return nil }
        return [meter?.nextWake, bulk.flatMap { $0.isSending ? $0.nextWake : nil }].compactMap(\.self).min()
    }

    /// Sends what is due: called before each output, so that nothing waits for a wake.
    mutating func sendData(at now: Instant) {
        guard phase == .measuring, let own = agent?.tieBreaker else { return }
        if let number = meter?.next(at: now) {
            if hasEcho {
                send(EchoDatagram(.request, nonce: own, number: number, time: now.nanoseconds), at: now)
            } else {
                agent?.probe(at: now)
            }
        }
        guard bulk != nil else { return }
        for _ in 0..<Self.mostAtOnce {
            guard let number = bulk?.next(at: now) else { break }
            send(
                EchoDatagram(.bulk, nonce: own, number: number, time: now.nanoseconds), size: BulkTransfer.datagramSize,
                at: now)
        }
    }

    /// Datagrams of a bulk transfer that leave together.
    private static var mostAtOnce: Int { 16 }

    private mutating func send(_ datagram: EchoDatagram, size: Int = EchoDatagram.size, at now: Instant) {
        _ = agent?.send(datagram.bytes(size: size), at: now)
    }

    mutating func advanceMeasuring(to now: Instant) {
        guard phase == .measuring, let meter, meter.isOver(at: now) else { return }
        // After the echoes, which it would disturb.
        if configuration.measuresThroughput, hasEcho, bulk?.isSending != true {
            var begun = bulk ?? BulkTransfer(at: now)
            begun.begin(for: configuration.duration, at: now)
            bulk = begun
            return
        }
        if let bulk, bulk.isSending, !bulk.isOver(at: now) { return }
        if configuration.checksAllPairs, hasOpenPairs { return }
        leave(at: now)
    }

    /// Whether a pair is not checked to its end.
    private var hasOpenPairs: Bool {
        agent?.pairs.contains { $0.state != .succeeded && $0.state != .failed } ?? false
    }

    mutating func consentRefreshed(after trip: Duration) {
        if meter?.data.method == .binding { meter?.answered(after: trip) }
    }

    /// What came over a valid pair and is no STUN.
    mutating func arrived(_ bytes: [UInt8], at now: Instant) {
        guard let first = bytes.first else { return }
        if (20...63).contains(first), dtlsRole != nil { return arrived(record: bytes, at: now) }
        guard let datagram = EchoDatagram(bytes), let own = agent?.tieBreaker, let theirs = peerTieBreaker else {
            return
        }
        goodbye.heardAt = now
        switch datagram.kind {
        case .request where datagram.nonce == theirs:
            if datagram.number < EchoMeter.warmUpMark { receivedFromPeer &+= 1 }
            meter?.received(datagram.number, sentAt: datagram.time, at: now)
            send(
                EchoDatagram(
                    .reply, nonce: theirs, number: datagram.number, time: datagram.time, received: receivedFromPeer),
                at: now)
        case .reply where datagram.nonce == own:
            meter?.returned(
                Int(clamping: datagram.number), arrivedThere: Int(clamping: datagram.received), at: now)
        case .bulk where datagram.nonce == theirs:
            if bulk == nil { bulk = BulkTransfer(at: now) }
            bulk?.received(bytes.count, at: now)
            send(EchoDatagram(.confirmation, nonce: theirs, number: datagram.number), at: now)
        case .confirmation where datagram.nonce == own: bulk?.confirmed(datagram.number, at: now)
        case .goodbye where datagram.nonce == theirs: peerSaidGoodbye(at: now)
        default: break
        }
    }

    /// Says over the pair that this side has all that it wants.
    mutating func sendGoodbye(at now: Instant) {
        guard let own = agent?.tieBreaker, hasEcho else { return }
        send(EchoDatagram(.goodbye, nonce: own), at: now)
    }

    var expectsGoodbye: Bool { hasEcho && seen.selected != nil && seen.failure == nil }
    var typicalRoundTrip: Duration { meter?.figures.summary?.median ?? .milliseconds(100) }
}
