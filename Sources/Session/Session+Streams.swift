import Engines
import NetTypes
import STUN

/// What a TCP connection of the session has received.
struct StreamState: Sendable {
    var framer = StreamFramer()
    /// The first bytes, to name a protocol that is not STUN.
    var firstBytes: [UInt8] = []
    var connectStartedAt: Instant
}

extension Session {
    mutating func startStreamProbe(_ description: Probe, at now: Instant) {
        let path = open(
            .connection(to: description.serverAddress), from: description.source,
            security: security(over: description.transport, description.server, description.serverAddress))
        paths[path]?.stream = StreamState(connectStartedAt: now)
        startProbe(description, path: path, schedule: streamSchedule, at: now)
    }

    /// Nothing is sent again over TCP; the answer may take until the deadline.
    var streamSchedule: RetransmissionSchedule { .once(waiting: plan.timeout) }

    mutating func connected(_ path: PathID, _ local: Endpoint, at now: Instant) {
        guard let index = liveProbes.filter({ probes[$0].path == path }).min(),
            let started = paths[path]?.stream?.connectStartedAt
        else { return close(path) }
        observe(.connected(index, local: local, after: now - started), at: now)
        write(index, at: now)
    }

    /// Sends the request of a stream probe.
    mutating func write(_ index: Observation.ProbeIndex, at now: Instant) {
        probes[index].transaction.transmitted(at: now)
        observe(.sent(index, attempt: 1), at: now)
        outputs.append(.write(probes[index].path, probes[index].transaction.request))
    }

    mutating func streamChanged(_ event: StreamEvent, at now: Instant) {
        if case .accepted(let listener, _, _) = event.kind, let place = paths[listener]?.turn {
            return turnStreamChanged(place, event, at: now)
        }
        if let place = paths[event.path]?.turn { return turnStreamChanged(place, event, at: now) }
        if let place = paths[event.path]?.natStream { return natStreamChanged(place, event) }
        guard paths[event.path]?.stream != nil, !silenceStreamChanged(event),
            let index = liveProbes.filter({ probes[$0].path == event.path }).min()
        else { return }
        switch event.kind {
        case .accepted: break
        case .bytes(let bytes): received(bytes, on: event.path, for: index, at: event.at)
        case .ended: end(index, .failed(index, streamEnd(index, silence: .closedWithoutAnswer)), at: now)
        }
    }

    private mutating func received(
        _ bytes: [UInt8], on path: PathID, for index: Observation.ProbeIndex, at now: Instant
    ) {
        guard var stream = paths[path]?.stream else { return }
        stream.firstBytes += bytes.prefix(max(0, 64 - stream.firstBytes.count))
        stream.framer.append(bytes)
        paths[path]?.stream = stream
        while paths[path] != nil {
            let frame: StreamFramer.Frame?
            do {
                frame = try paths[path]?.stream?.framer.next()
            } catch {
                end(index, .failed(index, foreign(stream.firstBytes)), at: now)
                return
            }
            guard let frame else { return }
            guard case .message(let message) = frame else { continue }
            streamMessage(message, on: path, at: now)
        }
    }

    /// A message is for the probe whose transaction id it carries, else for the first that waits.
    private mutating func streamMessage(_ message: [UInt8], on path: PathID, at now: Instant) {
        let waiting = liveProbes.filter { probes[$0].path == path }
        let named = TransactionID(inMessage: message).flatMap { probeByTransaction[$0] }
        guard let index = named ?? waiting.min(), waiting.contains(index) else { return }
        let probe = probes[index]
        let server = probe.description.serverAddress
        switch BindingReply(message, to: probe.transaction.id) {
        case .ignored(let reason, let detail):
            ignore(index, IgnoredReplies.Reason(reason), from: server, detail)
        case let reply:
            take(reply, for: index, from: server, arrivedAt: now, false, at: now)
        }
    }

    /// How a connection ended that had no whole answer: `silence` says it where nothing came, or where whole messages
    /// came that were not believed.
    func streamEnd(_ index: Observation.ProbeIndex, silence: ProbeFailure) -> ProbeFailure {
        guard let stream = paths[probes[index].path]?.stream, !stream.firstBytes.isEmpty,
            probes[index].ignored.isEmpty
        else { return silence }
        let pending = stream.framer.pending
        if let protocolName = ForeignProtocol.identify(stream.firstBytes)?.name {
            return .foreignProtocol(name: protocolName, firstBytes: stream.firstBytes)
        }
        return pending.have > 0 ? .truncated(received: pending.have, needed: pending.need) : silence
    }

    /// How a probe stands when the run ends before it does.
    func unfinished(_ index: Observation.ProbeIndex) -> ProbeFailure {
        let probe = probes[index]
        guard probe.description.transport.isStream else { return .cutShort }
        return paths[probe.path]?.state.isOpening == true ? .notConnected : streamEnd(index, silence: .cutShort)
    }

    private func foreign(_ firstBytes: [UInt8]) -> ProbeFailure {
        .foreignProtocol(name: ForeignProtocol.identify(firstBytes)?.name, firstBytes: firstBytes)
    }

    /// A DTLS association is its series' own, and ends with it.
    mutating func associationProbeEnded(_ index: Observation.ProbeIndex, _ fact: Observation.Fact) {
        if case .answered = fact, probes[index].description.sequence + 1 < plan.count { return }
        if paths[probes[index].path] != nil { close(probes[index].path) }
    }

    /// A connection is closed with its last probe, unless it serves to find out about UDP.
    mutating func streamProbeEnded(_ index: Observation.ProbeIndex, _ fact: Observation.Fact, at now: Instant) {
        let path = probes[index].path
        if case .answered(_, let answer) = fact {
            if probes[index].description.sequence + 1 < plan.count { return }
            if testSilence(beside: index, after: answer.roundTrip.duration, at: now) { return }
        }
        if paths[path] != nil { close(path) }
    }
}

extension TransactionID {
    /// The transaction id at its place in a message, or in the start of one that an ICMP error quotes.
    init?(inMessage bytes: [UInt8]) {
        guard bytes.count >= 20 else { return nil }
        self.init(bytes: bytes[8..<20])
    }
}
