import Engines
import NetTypes
import STUN

/// UDP's silence at an address, put to the test beside a connection that answers there.
struct Silence: Sendable {
    let probe: Observation.ProbeIndex
    let connection: PathID
    var test: SilenceTest
    /// The place of each control, by its transaction.
    var controls: [TransactionID: Int] = [:]
}

extension Session {
    /// A request over TCP was answered: where UDP to the same address still waits, the connection serves to find out
    /// why. Gives whether it does.
    mutating func testSilence(
        beside answered: Observation.ProbeIndex, after roundTrip: Duration, at now: Instant
    ) -> Bool {
        let control = probes[answered].description
        let silent = liveProbes.filter {
            let probe = probes[$0].description
            return probe.transport == .udp && probe.role == .primary && probe.server == control.server
                && probe.serverAddress.address == control.serverAddress.address
        }
        guard control.role == .fallback, let probe = silent.min() else { return false }
        silences.append(
            Silence(
                probe: probe, connection: probes[answered].path, test: SilenceTest(roundTrip: roundTrip, from: now)))
        return true
    }

    mutating func advanceSilences(to now: Instant) {
        for silence in silences where !liveProbes.contains(silence.probe) { end(silence) }
        for place in silences.indices {
            let probe = silences[place].probe
            let test = silences[place].test.look(at: probes[probe].transaction.transmissions, at: now)
            if test.isDecided {
                let failure = ProbeFailure.silentBesideTCP(answered: test.answeredControls, risk: test.risk)
                natServerIsSilent(probes[probe].description, risk: test.risk, at: now)
                end(probe, .failed(probe, failure), at: now)
            } else if let round = silences[place].test.nextRound, round <= now {
                probes[probe].transaction.resend(at: now)
                let id = TransactionID(using: &random)
                silences[place].controls[id] = silences[place].test.controlSent(at: now)
                outputs.append(.write(silences[place].connection, BindingRequest.bytes(id)))
            }
        }
        for silence in silences where !liveProbes.contains(silence.probe) { end(silence) }
    }

    private mutating func end(_ silence: Silence) {
        silences.removeAll { $0.connection == silence.connection }
        if paths[silence.connection] != nil { close(silence.connection) }
    }

    /// What comes over the connection of a test; false where the connection is not of one.
    mutating func silenceStreamChanged(_ event: StreamEvent) -> Bool {
        guard let place = silences.firstIndex(where: { $0.connection == event.path }) else { return false }
        guard case .bytes(let bytes) = event.kind else {
            end(silences[place])
            return true
        }
        paths[event.path]?.stream?.framer.append(bytes)
        // What is no STUN answers no control.
        while let frame = try? paths[event.path]?.stream?.framer.next() {
            guard case .message(let message) = frame, let id = TransactionID(inMessage: message),
                let control = silences[place].controls[id], case .success = BindingReply(message, to: id)
            else { continue }
            silences[place].test.controlAnswered(control, at: event.at)
        }
        return true
    }

    var nextSilenceWake: Instant? { silences.compactMap(\.test.nextWake).min() }
}
