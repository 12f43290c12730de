package import NetTypes
package import STUN

/// A Binding request: its schedule, and what is believed of what comes back.
package struct BindingClient: Sendable {
    package private(set) var transaction: ClientTransaction
    package let destination: Endpoint
    /// Over a connection nothing is sent again, and what comes is from its peer.
    private let isReliable: Bool
    /// What was not believed, by reason.
    package private(set) var ignored: [BindingReply.IgnoreReason: Ignored] = [:]
    /// The first ICMP error that named this request, and when an answer must have come to outweigh it.
    private var suspicion: (error: PathError, giveUpAt: Instant)?

    /// Replies that were not believed for one reason.
    package struct Ignored: Hashable, Sendable {
        package var count: Int
        /// The first sender.
        package let from: Endpoint
        /// What was wrong with the first, where there is more to say than the reason.
        package let detail: String?
    }

    /// How long an answer took.
    package struct Trip: Hashable, Sendable {
        package var duration: Duration
        /// Which transmission the time is measured from, from 1.
        package var attempt: Int
        /// Whether an earlier transmission may be the one that was answered (Karn's problem).
        package var isAmbiguous: Bool
    }

    /// What an ICMP error, or an error of the system's, means for the request.
    package enum ErrorMeaning: Hashable, Sendable {
        case nothingYet
        case over
    }

    /// The wait before an ICMP error is put to a second test.
    package static let secondOpinion = Duration.milliseconds(20)

    package init(
        to destination: Endpoint, isReliable: Bool = false, schedule: RetransmissionSchedule,
        change: NATExchange.Change = .none, responsePort: UInt16? = nil,
        using random: inout some RandomNumberGenerator, from start: Instant
    ) {
        let id = TransactionID(using: &random)
        self.destination = destination
        self.isReliable = isReliable
        transaction = ClientTransaction(
            id: id, request: BindingRequest.bytes(id, change: change, responsePort: responsePort), schedule: schedule,
            from: start)
    }

    package var id: TransactionID { transaction.id }
    package var request: [UInt8] { transaction.request }

    // MARK: Sending

    package func isDue(at now: Instant) -> Bool { transaction.isDue(at: now) }
    /// Books a transmission that the driver is about to make.
    package mutating func transmitted(at now: Instant) { transaction.transmitted(at: now) }
    /// The kernel says when the last transmission left.
    package mutating func left(at instant: Instant) { transaction.lastTransmissionLeft(at: instant) }
    package mutating func hasten(to instant: Instant) { transaction.hasten(to: instant) }
    package mutating func follow(_ schedule: RetransmissionSchedule) { transaction.follow(schedule) }
    package mutating func resend(at now: Instant) { transaction.resend(at: now) }

    // MARK: Receiving

    /// Reads what came for this request; nil where it is not believed, which is counted.
    ///
    /// - Returns: the reply, never ``BindingReply/ignored(_:detail:)``, and how long it took.
    package mutating func read(
        _ bytes: [UInt8], from source: Endpoint, arrivedAt: Instant
    ) -> (reply: BindingReply, trip: Trip)? {
        let reply = BindingReply(bytes, to: id)
        if case .ignored(let reason, let detail) = reply {
            ignore(reason, from: source, detail)
            return nil
        }
        guard isReliable || source.isSame(as: destination) else {
            ignore(.wrongSource, from: source, nil)
            return nil
        }
        guard let trip = transaction.roundTrip(arrivingAt: arrivedAt) else { return nil }
        return (
            reply,
            Trip(duration: trip.duration, attempt: trip.attempt, isAmbiguous: trip.isAmbiguous && !isReliable)
        )
    }

    private mutating func ignore(_ reason: BindingReply.IgnoreReason, from source: Endpoint, _ detail: String?) {
        ignored[reason, default: Ignored(count: 0, from: source, detail: detail)].count += 1
    }

    /// Takes an error of the path. One ICMP message can be forged or belong to a moment: it ends the request only when it
    /// comes twice, or when nothing else comes within `patience`.
    package mutating func failed(_ error: PathError, patience: Duration, at now: Instant) -> ErrorMeaning {
        if error.origin == .local { return error.kind == .outOfResources ? .nothingYet : .over }
        guard suspicion == nil else { return .over }
        suspicion = (error, now + patience)
        transaction.hasten(to: now + Self.secondOpinion)
        return .nothingYet
    }

    // MARK: Time

    /// How a request ended that was not answered.
    package enum End: Hashable, Sendable {
        case silence
        case suspected(PathError)
    }

    /// Moves on; gives how the request ended, once it has.
    package mutating func handleTimeout(at now: Instant) -> End? {
        let isOver = transaction.handleTimeout(at: now)
        if let suspicion, isOver || suspicion.giveUpAt <= now { return .suspected(suspicion.error) }
        return isOver ? .silence : nil
    }

    package var nextWake: Instant? { [transaction.nextWake, suspicion?.giveUpAt].compactMap(\.self).min() }
}

extension Endpoint {
    /// Whether both are the same however the system writes their zones.
    package func isSame(as other: Endpoint) -> Bool {
        port == other.port && address.withoutZone == other.address.withoutZone
    }
}
