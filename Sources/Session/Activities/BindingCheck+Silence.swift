import Engines
import Facts
import NetTypes
import STUN

/// UDP's silence at an address, put to the test beside a connection that answers there.
struct SilenceBesideTCP: Sendable {
    let connection: PathID
    var test: SilenceTest
    var framer = StreamFramer()
    /// The place of each control.
    var controls = BindingExchanges<Int>()
}

extension BindingCheck {
    /// Takes over a connection that was answered, to find out why UDP is not.
    mutating func test(beside connection: PathID, roundTrip: Duration, at now: Instant) {
        silence = SilenceBesideTCP(connection: connection, test: SilenceTest(roundTrip: roundTrip, from: now))
    }

    mutating func lookAtSilence(_ desk: inout Desk, at now: Instant) {
        guard var silence, let request = requests.first, let place = requests.indices.first else { return }
        let test = silence.test.look(at: request.client.transaction.transmissions, at: now)
        if test.isDecided {
            self.silence = silence
            let failure = ProbeFailure.silentBesideTCP(answered: test.answeredControls, risk: test.risk)
            desk.news.append(.silenceProven(probe, risk: test.risk))
            return end(request.client.id, .failed(request.index, failure), &desk, at: now)
        }
        if let round = silence.test.nextRound, round <= now {
            requests[place].client.resend(at: now)
            let bytes = silence.controls.request(
                silence.test.controlSent(at: now), on: silence.connection, to: probe.serverAddress,
                using: &desk.random, at: now)
            desk.outputs.append(.write(silence.connection, bytes))
        }
        self.silence = silence
    }

    /// What comes over the connection of the test.
    mutating func silenceChanged(_ event: StreamEvent, _ desk: inout Desk) {
        guard var found = silence, found.connection == event.path else { return }
        guard case .bytes(let bytes) = event.kind else { return silenceEnded(&desk) }
        found.framer.append(bytes)
        // What is not STUN answers no control.
        while let frame = try? found.framer.next() {
            guard case .message(let message) = frame,
                let arrival = found.controls.arrival(message, on: event.path, at: event.at),
                case .success = arrival.reply
            else { continue }
            found.test.controlAnswered(arrival.tag, at: event.at)
        }
        silence = found
    }

    mutating func silenceEnded(_ desk: inout Desk) {
        guard let connection = silence?.connection else { return }
        silence = nil
        desk.close(connection)
    }
}
