import NetTypes

/// What a discovery has left to do at one moment: a function of what was seen so far.
struct NATAgenda: Sendable {
    struct Entry: Sendable {
        var at: Duration
        var question: NATDiscovery.Question
    }

    /// In the order in which they are to be sent.
    private(set) var entries: [Entry] = []
    /// When a wait is over, which may settle something.
    private(set) var waits: [Duration] = []

    var isOver: Bool { entries.isEmpty && waits.isEmpty }

    /// Before the first answer of a server its questions are repeated at this pace, for so long.
    static let blindPace = Duration.milliseconds(100)
    static let blindEnd = Duration.seconds(1)
    /// Rounds of the filtering question: enough for the sequential test at a loss of 40 % each way.
    static let mostRounds = 60
    /// Requests to one endpoint from a socket that asks it directly.
    static let mostDirectRequests = 12
    /// Requests to an address that only the server named: it may be a third party's.
    private static let mostRequestsElsewhere = 7

    /// Requests to the server's own address in the worst case: the rounds, both its ports and both proofs from the
    /// mapping socket, and the allocation sockets.
    static let mostRequests = 2 * mostRounds + 1 + (4 + NATDiscovery.allocationSockets) * mostDirectRequests

    /// As many more with the hairpin question: its controls; and as many again to each of two mapped addresses.
    static let mostHairpinRequests = mostRounds

    private let evidence: NATEvidence
    private let time: Duration

    init(_ evidence: NATEvidence, addedAt: [Duration], at time: Duration) {
        self.evidence = evidence
        self.time = time
        for server in evidence.servers.indices { plan(server, since: addedAt[server]) }
        entries.removeAll { evidence.localEndpoints[$0.question.socket] == nil }
    }

    private mutating func plan(_ server: Int, since start: Duration) {
        guard evidence.silence[server] == nil else { return }
        let roundTrip = evidence.longestRoundTrip(server: server)
        let asked = evidence.servers[server]
        if roundTrip == nil, time >= start + Self.blindEnd { return }
        if roundTrip == nil { waits.append(start + Self.blindEnd) }
        let direct = DirectQuestions(start: start, roundTrip: roundTrip, patience: evidence.patience(server: server))
        ask(asked, from: .mapping, server, direct)
        if server == 0 {
            for place in 0..<NATDiscovery.allocationSockets { ask(asked, from: .allocation(place), server, direct) }
        }
        hairpin(server, direct)
        if case .discovers(let other) = evidence.capability(of: server) {
            let isWaitedFor = ask(other, from: .mapping, server, direct, limit: Self.mostRequestsElsewhere)
            ask(Endpoint(asked.address, other.port), from: .mapping, server, direct)
            prove(server, asked, direct)
            // A mapping that depends on the destination needs it; to wait and see would cost a round trip.
            ask(asked, from: .mapping, server, direct, answers: 2)
            let isHeard = evidence.exchanges.contains { $0.destination == other && $0.answer != nil }
            if isWaitedFor || isHeard { filter(server, since: start, roundTrip: roundTrip) }
        } else if roundTrip == nil {
            filter(server, since: start, roundTrip: nil)
        } else if evidence.servers.count > 1, evidence.serversDiffer {
            ask(asked, from: .mapping, server, direct, answers: 2)
        }
    }

    private struct DirectQuestions {
        var start: Duration
        var roundTrip: Duration?
        var patience: Duration

        func interval(after count: Int) -> Duration { NATAgenda.interval(after: count, roundTrip: roundTrip) }
    }

    /// The wait before a request is repeated that was sent so often: a round trip and a little more; and from the third
    /// on, where that is short, as long as a server that is busy may take.
    static func interval(after count: Int, roundTrip: Duration?) -> Duration {
        guard let roundTrip else { return blindPace }
        let least = roundTrip * 5 / 4 + .milliseconds(5)
        return max(least, min(.milliseconds(100), least * (1 << max(0, count - 3))))
    }

    /// Asks an endpoint until it has answered so many times; gives whether there is still something to wait for.
    @discardableResult private mutating func ask(
        _ destination: Endpoint, change: NATExchange.Change = .none, from socket: NATSocket, _ server: Int,
        _ direct: DirectQuestions, limit: Int = mostDirectRequests, answers: Int = 1
    ) -> Bool {
        let made = evidence.exchanges.filter {
            $0.socket == socket && $0.destination == destination && $0.change == change
        }
        let answered = made.count { $0.answer != nil || $0.errorCode != nil }
        guard answered < answers else { return false }
        let limit = direct.roundTrip == nil ? Int.max : limit
        if made.count < limit {
            let next =
                made.last.map { $0.sentAt + ($0.answer?.after ?? direct.interval(after: made.count)) } ?? direct.start
            let question = NATDiscovery.Question(
                socket: socket, server: server, destination: destination, change: change)
            entries.append(Entry(at: next, question: question))
            return true
        }
        guard let last = made.last, last.sentAt + direct.patience > time else { return false }
        waits.append(last.sentAt + direct.patience)
        return true
    }

    /// Where the mapping socket has opened the way for all endpoints, the server has to answer from elsewhere: one that
    /// does not says nothing of the filter by its silence, and one that takes its time shows how long.
    private mutating func prove(_ server: Int, _ asked: Endpoint, _ direct: DirectQuestions) {
        guard evidence.provesChanges(server: server) else { return }
        for change in evidence.changesKeptOut(server: server) {
            ask(asked, change: change, from: .mapping, server, direct)
        }
    }

    /// The rounds of the filtering question: the probe, then the control that vouches for it. The first round asks for
    /// both changes, since what lets in all lets in both.
    private mutating func filter(_ server: Int, since start: Duration, roundTrip: Duration?) {
        guard let open = evidence.openChange(server: server),
            !evidence.test(open, server: server, at: time).isDecided
        else { return }
        let socket = NATSocket.filtering(server: server)
        let made = evidence.exchanges.filter { $0.socket == socket }
        let isFirst = !made.contains { $0.change == .none }
        let changes: [NATExchange.Change] = isFirst ? [.addressAndPort, .port, .none] : [open, .none]
        let questions = changes.map {
            NATDiscovery.Question(
                socket: socket, server: server, destination: evidence.servers[server], change: $0)
        }
        let isEnough = evidence.test(open, server: server, at: time, anticipating: true).isDecided
        addRound(questions, made: made, isEnough: isEnough, since: start, roundTrip: roundTrip)
    }

    /// Two sockets send to each other's mapped address, so that each has opened its filter for the other. What the NAT
    /// turns back comes to the other socket.
    private mutating func hairpin(_ server: Int, _ direct: DirectQuestions) {
        guard evidence.asksHairpin, server == evidence.hairpinServer else { return }
        let asked = evidence.servers[server]
        for place in 0...1 { ask(asked, from: .hairpin(place), server, direct) }
        guard let mapped = evidence.hairpinTargets(server: server), !evidence.isHairpinned else { return }
        let test = evidence.hairpinTest(server: server, at: time, anticipating: false)
        if test.isDecided { return }
        let questions = [(0, mapped.second), (1, mapped.first), (1, asked)].map {
            NATDiscovery.Question(socket: .hairpin($0), server: server, destination: $1, change: .none)
        }
        let made = evidence.exchanges.filter { $0.socket == .hairpin(0) || $0.socket == .hairpin(1) }
        let isEnough = evidence.hairpinTest(server: server, at: time, anticipating: true).isDecided
        addRound(questions, made: made, isEnough: isEnough, since: direct.start, roundTrip: direct.roundTrip)
    }

    /// Adds what is left of a round, or waits for what was sent where that is enough. The last of its questions is the
    /// control that vouches for the others.
    private mutating func addRound(
        _ questions: [NATDiscovery.Question], made: [NATExchange], isEnough: Bool, since start: Duration,
        roundTrip: Duration?
    ) {
        guard let control = questions.last else { return }
        let asked = made.map {
            NATDiscovery.Question(
                socket: $0.socket, server: $0.server, destination: $0.destination, change: $0.change)
        }
        if isEnough || asked.count(where: { $0 == control }) >= Self.mostRounds {
            let patience = evidence.patience(server: control.server)
            // Those whose time is not over; the last of them settles it, an earlier one may ask for another round.
            waits += evidence.exchanges.filter { $0.server == control.server }.map { $0.sentAt + patience }
                .filter { $0 > time }
            return
        }
        let pace = roundTrip.map(SequentialTest.pace) ?? Self.blindPace
        let last = asked.lastIndex(of: control)
        let next = last.map { made[$0].sentAt + pace } ?? start
        let begun = asked.suffix(from: last.map { $0 + 1 } ?? 0)
        entries += questions.filter { !begun.contains($0) }.map { Entry(at: next, question: $0) }
    }
}
