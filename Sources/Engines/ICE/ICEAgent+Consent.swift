package import NetTypes
import STUN

/// The pair that data goes over, and the peer's consent to it.
struct ICESelection: Sendable {
    /// A question whether the peer still consents: each is sent once (RFC 7675 s5.1).
    struct Question: Sendable {
        var id: TransactionID
        var sentAt: Instant
    }

    var pair: ICEPair
    let remote: Endpoint
    let route: ICERoute
    /// Of the session that it was selected in: a restart makes others.
    let credentials: (local: ICECredentials, remote: ICECredentials)
    var questions: [Question] = []
    var nextAt: Instant?
    var expiresAt: Instant
    var hasConsent = true

    init(
        pair: ICEPair, remote: Endpoint, route: ICERoute, credentials: (local: ICECredentials, remote: ICECredentials),
        at now: Instant
    ) {
        self.pair = pair
        self.remote = remote
        self.route = route
        self.credentials = credentials
        // Its last check is the first consent.
        expiresAt = now + Self.lifetime
    }

    /// RFC 7675 s5.1.
    static let lifetime = Duration.seconds(30)
    static let interval = Duration.seconds(5)
    /// Questions whose answers are waited for.
    static let mostQuestions = 64

    var nextWake: Instant? { hasConsent ? [nextAt, expiresAt].compactMap(\.self).min() : nil }

    func isWaiting(for id: TransactionID) -> Bool { questions.contains { $0.id == id } }

    mutating func left(_ id: TransactionID, at instant: Instant) {
        guard let index = questions.firstIndex(where: { $0.id == id }), instant > questions[index].sentAt else {
            return
        }
        questions[index].sentAt = instant
    }
}

/// Consent freshness (RFC 7675).
extension ICEAgent {
    /// Asks over the selected pair once, as consent does: a ``ICEEvent/Fact/consentRefreshed(_:roundTrip:)`` answers.
    package mutating func probe(at now: Instant) {
        if selection?.hasConsent == true { selection?.nextAt = now }
    }

    /// 0.8 to 1.2 times 5 s, at random (RFC 7675 s5.1).
    mutating func scheduleConsent(at now: Instant) {
        let bits: UInt64 = random.next()
        let thousandths = 800 + Int(bits % 401)
        selection?.nextAt = now + ICESelection.interval * thousandths / 1000
    }

    mutating func sendConsentCheck(at now: Instant) -> Bool {
        guard let selection, selection.hasConsent, let next = selection.nextAt, next <= now,
            pacer.earliest(to: selection.remote.address, from: now) <= now
        else { return false }
        let id = TransactionID(using: &random)
        let local = locals[selection.route.sender]
        let bytes = ICEMessage.check(
            id, local: selection.credentials.local, remote: selection.credentials.remote, role: role,
            tieBreaker: tieBreaker,
            priority: CandidatePriority.priority(
                .peerReflexive, local.candidate.transport, tcpType: local.candidate.tcpType,
                localPreference: local.localPreference),
            nominates: false)
        pacer.book(to: selection.remote.address, at: now)
        self.selection?.questions.append(ICESelection.Question(id: id, sentAt: now))
        if selection.questions.count >= ICESelection.mostQuestions { self.selection?.questions.removeFirst() }
        transmit(bytes, to: selection.remote, over: selection.route)
        scheduleConsent(at: now)
        return true
    }

    mutating func consentAnswered(
        _ message: Message, from source: Endpoint, over route: ICERoute, at now: Instant
    ) {
        guard let selection, let question = selection.questions.first(where: { $0.id == message.transactionID }),
            source == selection.remote, route == selection.route,
            message.verifyIntegrity(key: Array(selection.credentials.remote.password.utf8)) == .valid
        else { return }
        self.selection?.questions.removeAll { $0.id == question.id }
        if message.messageClass == .errorResponse {
            guard let error = (try? message.value(.errorCode)) ?? nil, error.code == 403 else { return }
            return loseConsent(.revoked, at: now)
        }
        let trip = now - question.sentAt
        self.selection?.expiresAt = now + ICESelection.lifetime
        self.selection?.pair.roundTrip = trip
        observe(.consentRefreshed(selection.pair.id, roundTrip: trip), at: now)
    }

    mutating func advanceConsent(to now: Instant) {
        guard let selection, selection.hasConsent, selection.expiresAt <= now else { return }
        loseConsent(.expired, at: now)
    }

    mutating func loseConsent(_ why: ICEConsentLoss, at now: Instant) {
        guard let selection, selection.hasConsent else { return }
        self.selection?.hasConsent = false
        self.selection?.questions = []
        observe(.consentLost(selection.pair.id, why), at: now)
        change(to: .disconnected, at: now)
    }
}
