package import NetTypes
package import STUN

/// One request over UDP from its first transmission to its answer or its end (RFC 8489 s6.2.1).
///
/// It decides when to send and when to give up; what an arriving message means is for its owner, who calls
/// ``roundTrip(arrivingAt:)`` when it has taken one as the answer.
package struct ClientTransaction: Sendable {
    package let id: TransactionID
    package let request: [UInt8]
    package private(set) var schedule: RetransmissionSchedule
    /// When the request was sent, each time.
    package private(set) var transmissions: [Instant] = []

    private enum State: Hashable {
        /// A transmission is due from this instant on.
        case due(Instant)
        case waiting(until: Instant)
        case over
    }
    private var state: State

    package init(id: TransactionID, request: [UInt8], schedule: RetransmissionSchedule, from start: Instant) {
        self.id = id
        self.request = request
        self.schedule = schedule
        state = .due(start)
    }

    /// How many times the request was sent.
    package var attempts: Int { transmissions.count }

    /// Whether a transmission is due at `now`.
    package func isDue(at now: Instant) -> Bool {
        if case .due(let instant) = state { return instant <= now }
        return false
    }

    /// Books a transmission that the driver is about to make.
    package mutating func transmitted(at now: Instant) {
        transmissions.append(now)
        state = .waiting(until: now + schedule.wait(after: attempts))
    }

    /// Corrects the time of the last transmission to the kernel's: what it takes to get there is not the network's.
    package mutating func lastTransmissionLeft(at instant: Instant) {
        guard let last = transmissions.last, instant > last, case .waiting = state else { return }
        transmissions[transmissions.count - 1] = instant
    }

    /// Moves on at a wake-up; returns true where the last wait is over and the request has failed.
    package mutating func handleTimeout(at now: Instant) -> Bool {
        guard case .waiting(let until) = state, until <= now else { return false }
        if attempts < schedule.maximumTransmissions {
            state = .due(until)
            return false
        }
        state = .over
        return true
    }

    /// Asks for the next transmission at `instant`, where it is sooner than the schedule's: to see whether an ICMP
    /// error comes a second time. Does nothing once the schedule is used up.
    package mutating func hasten(to instant: Instant) {
        guard case .waiting(let until) = state, instant < until, attempts < schedule.maximumTransmissions else {
            return
        }
        state = .due(instant)
    }

    /// Goes on by another schedule, as if it had been this one from the start.
    package mutating func follow(_ schedule: RetransmissionSchedule) {
        self.schedule = schedule
        guard case .waiting = state, let last = transmissions.last else { return }
        state = .waiting(until: last + schedule.wait(after: attempts))
    }

    /// Asks for another transmission now, whatever the schedule says: its owner finds out whether any is answered.
    package mutating func resend(at now: Instant) {
        if case .waiting = state { state = .due(now) }
    }

    package var nextWake: Instant? {
        switch state {
        case .due(let instant): instant
        case .waiting(let until): until
        case .over: nil
        }
    }

    /// How long the answer took that arrived at `arrival`: from the last transmission before it. It is ambiguous
    /// where an earlier one could be what was answered (Karn's algorithm, RFC 6298 s3). Nil where nothing was sent
    /// before it: such an answer was guessed, not given.
    package func roundTrip(arrivingAt arrival: Instant) -> (duration: Duration, attempt: Int, isAmbiguous: Bool)? {
        guard let index = transmissions.lastIndex(where: { $0 <= arrival }) else { return nil }
        return (arrival - transmissions[index], index + 1, index > 0)
    }
}
