import Engines
import NetTypes
import STUN

/// A probe that is under way, or over.
struct ActiveProbe: Sendable {
    let description: Probe
    let path: PathID
    var transaction: ClientTransaction
    var ignored: [IgnoredReplies.Reason: IgnoredReplies] = [:]
    /// The first ICMP error that named this probe's datagram, and when a reply must have come to outweigh it.
    var trouble: (kind: PathTrouble, giveUpAt: Instant)?

    init(_ description: Probe, path: PathID, transaction: ClientTransaction) {
        self.description = description
        self.path = path
        self.transaction = transaction
    }

    var nextWake: Instant? {
        [transaction.nextWake, trouble?.giveUpAt].compactMap { $0 }.min()
    }
}

extension Session {
    /// The wait before an ICMP error is put to a second test.
    static var secondOpinion: Duration { .milliseconds(20) }

    mutating func startProbe(
        _ description: Probe, path: PathID, schedule: RetransmissionSchedule, at now: Instant
    ) {
        let id = TransactionID(using: &random)
        let index = probes.count
        probes.append(
            ActiveProbe(
                description, path: path,
                transaction: ClientTransaction(
                    id: id, request: BindingRequest.bytes(id), schedule: schedule, from: now)))
        liveProbes.insert(index)
        probeByTransaction[id] = index
        observe(.probeStarted(index, description), at: now)
        if case .failed(let trouble) = paths[path]?.state {
            end(index, .failed(index, .path(trouble)), at: now)
        }
    }

    // MARK: Sending

    /// The next datagram that is due, whose path is open and whose destination is not over its rate.
    mutating func nextTransmission(at now: Instant) -> Output? {
        for index in liveProbes.sorted() where !probes[index].description.transport.isStream {
            let probe = probes[index]
            let destination = probe.description.serverAddress
            guard case .open = paths[probe.path]?.state, probe.transaction.isDue(at: now),
                pacer.earliest(to: destination.address, from: now) <= now
            else { continue }
            pacer.book(to: destination.address, at: now)
            probes[index].transaction.transmitted(at: now)
            observe(.sent(index, attempt: probes[index].transaction.attempts), at: now)
            return .transmit(
                Transmit(path: probe.path, destination: destination, bytes: probe.transaction.request))
        }
        return nil
    }

    /// The kernel says when a datagram left: its round trip is measured from there.
    mutating func transmitted(_ transmit: Transmit, at instant: Instant) {
        if let place = paths[transmit.path]?.turn { return turnTransmitted(place, transmit, at: instant) }
        guard let id = TransactionID(inMessage: transmit.bytes), let index = probeByTransaction[id] else { return }
        probes[index].transaction.lastTransmissionLeft(at: instant)
    }

    var nextProbeWake: Instant? {
        liveProbes.compactMap { index -> Instant? in
            let probe = probes[index]
            guard case .open = paths[probe.path]?.state, let wake = probe.nextWake else { return nil }
            // Only what is due to be sent waits for its destination's rate; a timeout does not.
            guard !probe.description.transport.isStream, probe.transaction.isDue(at: wake) else { return wake }
            return pacer.earliest(to: probe.description.serverAddress.address, from: wake)
        }.min()
    }

    mutating func advanceProbes(to now: Instant) {
        for index in liveProbes.sorted() {
            let isOver = probes[index].transaction.handleTimeout(at: now)
            if let trouble = probes[index].trouble, isOver || trouble.giveUpAt <= now {
                end(index, .failed(index, .path(trouble.kind)), at: now)
            } else if isOver {
                let isStream = probes[index].description.transport.isStream
                let silence = isStream ? streamEnd(index, silence: .noAnswer) : .noAnswer
                end(index, .failed(index, silence), at: now)
            }
        }
    }

    // MARK: Receiving

    mutating func datagramArrived(_ datagram: Datagram, at now: Instant) {
        if let place = paths[datagram.path]?.turn { return turnDatagramArrived(place, datagram, at: now) }
        guard paths[datagram.path]?.natSocket == nil else { return natDatagramArrived(datagram, at: now) }
        if let (run, socket) = paths[datagram.path]?.lifetimeSocket {
            return lifetimeDatagramArrived(datagram, run, on: socket, at: now)
        }
        if let (run, socket) = paths[datagram.path]?.relayedNATSocket {
            return relayedNATDatagramArrived(datagram, run, at: socket, now)
        }
        guard let index = probe(of: datagram) else { return }
        let probe = probes[index]
        let reply = BindingReply(datagram.bytes, to: probe.transaction.id)
        if case .ignored(let reason, let detail) = reply {
            ignore(index, IgnoredReplies.Reason(reason), from: datagram.source, detail)
            return
        }
        let expected = probe.description.serverAddress
        guard datagram.source.port == expected.port,
            datagram.source.address.withoutZone == expected.address.withoutZone
        else {
            ignore(index, .wrongSource, from: datagram.source, nil)
            return
        }
        take(reply, for: index, from: datagram.source, arrivedAt: datagram.arrivedAt, datagram.isKernelTimed, at: now)
    }

    /// Which probe a datagram is about: the one whose transaction id it carries; else one that waits on the same
    /// socket, rather one that asked its sender. A second answer to a probe that is over is about none.
    private func probe(of datagram: Datagram) -> Observation.ProbeIndex? {
        if let id = TransactionID(inMessage: datagram.bytes), let index = probeByTransaction[id],
            probes[index].path == datagram.path
        {
            return liveProbes.contains(index) ? index : nil
        }
        let waiting = liveProbes.filter { probes[$0].path == datagram.path }
        return waiting.filter { probes[$0].description.serverAddress == datagram.source }.min() ?? waiting.min()
    }

    mutating func ignore(
        _ index: Observation.ProbeIndex, _ reason: IgnoredReplies.Reason, from: Endpoint, _ detail: String?
    ) {
        probes[index].ignored[reason, default: IgnoredReplies(reason: reason, count: 0, from: from, detail: detail)]
            .count += 1
    }

    /// Believes a reply: the probe ends with it.
    mutating func take(
        _ reply: BindingReply, for index: Observation.ProbeIndex, from source: Endpoint, arrivedAt: Instant,
        _ isKernelTimed: Bool, at now: Instant
    ) {
        let probe = probes[index]
        guard case .open(let local) = paths[probe.path]?.state,
            let trip = probe.transaction.roundTrip(arrivingAt: arrivedAt)
        else { return }
        let roundTrip = RoundTrip(
            duration: trip.duration, attempt: trip.attempt,
            isAmbiguous: trip.isAmbiguous && !probe.description.transport.isStream, isKernelTimed: isKernelTimed)
        switch reply {
        case .ignored: return
        case .success(let mapping):
            let answer = BindingAnswer(mapping, local: local, source: source, roundTrip: roundTrip)
            end(index, .answered(index, answer), at: now)
            answered(index, after: roundTrip.duration, at: now)
        case .error(let code, let reason):
            end(index, .failed(index, .errorResponse(code: code, reason: OutsideText(bytes: reason))), at: now)
        case .brokenError(let why): end(index, .failed(index, .brokenErrorResponse(why)), at: now)
        case .unknownAttributes(let types):
            end(index, .failed(index, .unknownAttributes(types.map(\.rawValue))), at: now)
        case .unusable(let why): end(index, .failed(index, .unusableAddress(why)), at: now)
        }
    }

    /// Ends a probe with its last fact.
    mutating func end(_ index: Observation.ProbeIndex, _ fact: Observation.Fact, at now: Instant) {
        guard liveProbes.remove(index) != nil else { return }
        probes[index].transaction.end()
        for reason in IgnoredReplies.Reason.allCases {
            if let replies = probes[index].ignored[reason] { observe(.ignored(index, replies), at: now) }
        }
        observe(fact, at: now)
        if probes[index].description.transport.isStream {
            streamProbeEnded(index, fact, at: now)
        } else {
            datagramProbeEnded(index, fact, at: now)
            if probes[index].description.transport == .dtls { associationProbeEnded(index, fact) }
        }
    }

    // MARK: Errors of the path

    /// An ICMP error or a refused send. One ICMP message can be forged or belong to a moment: it ends a probe only
    /// when it comes twice, or when nothing else comes within one retransmission timeout.
    mutating func datagramFailed(_ error: PathError, _ trouble: PathTrouble, at now: Instant) {
        guard let index = probe(of: error) else { return }
        if error.origin == .local {
            observe(.pathError(index, trouble), at: now)
            if error.kind != .outOfResources { end(index, .failed(index, .path(trouble)), at: now) }
            return
        }
        let isSecond = probes[index].trouble != nil
        observe(.pathError(index, trouble), at: now)
        if isSecond {
            end(index, .failed(index, .path(trouble)), at: now)
        } else {
            probes[index].trouble = (trouble, now + plan.schedule.initialTimeout)
            probes[index].transaction.hasten(to: now + Self.secondOpinion)
        }
    }

    private func probe(of error: PathError) -> Observation.ProbeIndex? {
        if let id = TransactionID(inMessage: error.quoted) {
            guard let index = probeByTransaction[id], liveProbes.contains(index) else { return nil }
            return index
        }
        return liveProbes.filter {
            probes[$0].path == error.path && probes[$0].description.serverAddress == error.destination
        }.min()
    }
}

extension IgnoredReplies.Reason {
    init(_ reason: BindingReply.IgnoreReason) {
        switch reason {
        case .wrongTransactionID: self = .wrongTransactionID
        case .malformed: self = .malformed
        case .badFingerprint: self = .badFingerprint
        case .notAResponse: self = .notAResponse
        case .echo: self = .echo
        }
    }
}

extension BindingAnswer {
    init(_ mapping: BindingReply.Mapping, local: Endpoint, source: Endpoint, roundTrip: RoundTrip) {
        self.init(
            mappedAddress: mapping.mappedAddress, rewrittenAddress: mapping.rewrittenAddress,
            isLegacy: mapping.isLegacy, localAddress: local, source: source, roundTrip: roundTrip,
            software: mapping.software.map(OutsideText.init(bytes:)), otherAddress: mapping.otherAddress,
            responseOrigin: mapping.responseOrigin, remarks: mapping.remarks)
    }
}
