import NetTypes

/// The check list of a data stream (RFC 8445 s6.1.2): which candidates are paired, in which state each pair is, which
/// one is checked next, and which are nominated.
///
/// It sends nothing and waits for nothing: ``ICEAgent`` asks it what to check, and tells it what became of each check.
struct CheckList: Sendable {
    /// What a pair joins, by the places of its candidates.
    struct Ends: Hashable, Sendable {
        /// The local candidate that sends.
        var sender: Int
        var remote: Int
        /// Of a TCP connection that the peer made: each is a pair of its own.
        var connection: PathID?
    }

    /// A check to make.
    struct Turn: Hashable, Sendable {
        var pair: ICEPair.ID
        var nominates = false
        /// Whether it goes ahead of the others, as the peer's checks and nominations do (RFC 8445 s6.1.4.1).
        var isTriggered = true
    }

    /// Every pair; the number of each is its place.
    private(set) var pairs: [ICEPair] = []
    private(set) var role: ICERole
    /// The ends of the pair of the same place.
    private(set) var ends: [Ends] = []
    private var pairByEnds: [Ends: ICEPair.ID] = [:]
    /// The triggered-check queue, first in, first out.
    private var triggered: [Turn] = []
    private var roleChanges = 0

    /// The pair that this side has chosen, until its nomination is through.
    private(set) var nominating: ICEPair.ID?
    private(set) var firstValidAt: Instant?
    private var nominatedByPeer: Set<ICEPair.ID> = []
    /// When the last request of each pair left.
    private var lastSentAt: [ICEPair.ID: Instant] = [:]

    init(role: ICERole) { self.role = role }

    subscript(pair: ICEPair.ID) -> ICEPair { pairs[pair.number] }

    // MARK: Pairs

    func pair(of ends: Ends) -> ICEPair.ID? { pairByEnds[ends] }

    /// The pairs that `suits` holds for, in the order of their forming.
    func pairs(where suits: (ICEPair, Ends) -> Bool) -> [ICEPair.ID] {
        pairs.indices.filter { suits(pairs[$0], ends[$0]) }.map { ICEPair.ID($0) }
    }

    /// Makes place for a pair of this priority where the list is full: the lowest gives way, if it was not tried yet
    /// (RFC 8445 s6.1.2.5).
    ///
    /// - Returns: false where the new one is the lowest; else the pair that failed for it, if one had to.
    mutating func makeRoom(_ local: Candidate, _ remote: Candidate) -> (hasRoom: Bool, superseded: ICEPair.ID?) {
        let live = pairs.indices.filter { pairs[$0].state != .failed }
        guard live.count >= ICEConfiguration.mostPairs else { return (true, nil) }
        let untried = live.filter { pairs[$0].state == .frozen || pairs[$0].state == .waiting }
        guard let lowest = untried.min(by: { pairs[$0].priority < pairs[$1].priority }),
            pairs[lowest].priority < priority(local, remote)
        else { return (false, nil) }
        _ = fail(ICEPair.ID(lowest), .superseded)
        return (true, ICEPair.ID(lowest))
    }

    mutating func add(_ ends: Ends, _ local: Candidate, _ remote: Candidate) -> ICEPair.ID {
        var pair = ICEPair(
            id: ICEPair.ID(pairs.count), local: local, remote: remote, priority: priority(local, remote), state: .frozen
        )
        let alike = pairs.indices.filter { pairs[$0].foundation == pair.foundation }
        // Of each foundation one pair begins, the others wait for it to succeed (RFC 8445 s6.1.2.6).
        if alike.allSatisfy({ pairs[$0].state == .failed }) || alike.contains(where: { pairs[$0].isValid }) {
            pair.state = .waiting
        }
        pairs.append(pair)
        self.ends.append(ends)
        pairByEnds[ends] = pair.id
        return pair.id
    }

    /// Takes what is known of a candidate of the peer's now; its pairs keep their priority.
    mutating func change(remote: Int, to candidate: Candidate) {
        for index in pairs.indices where ends[index].remote == remote { pairs[index].remote = candidate }
    }

    // MARK: The role

    /// Settles the role, by which the pairs are ranked (RFC 8445 s6.1.2.3).
    mutating func setRole(_ role: ICERole) {
        self.role = role
        for index in pairs.indices { pairs[index].priority = priority(pairs[index].local, pairs[index].remote) }
    }

    /// Changes the role, twice at most (I01); false where it stays.
    mutating func changeRole(to role: ICERole) -> Bool {
        guard roleChanges < 2 else { return false }
        roleChanges += 1
        nominating = nil
        setRole(role)
        return true
    }

    func priority(_ local: Candidate, _ remote: Candidate) -> UInt64 {
        role == .controlling
            ? CandidatePriority.pair(controlling: local.priority, controlled: remote.priority)
            : CandidatePriority.pair(controlling: remote.priority, controlled: local.priority)
    }

    // MARK: Turns

    /// The next check (RFC 8445 s6.1.4.2): a triggered one, else that of the next pair.
    ///
    /// - Parameter isAllowed: whether the pair may be checked now; an ordinary check waits for the pair that is next.
    func next(where isAllowed: (ICEPair.ID) -> Bool) -> Turn? {
        if let turn = triggered.first(where: { isAllowed($0.pair) }) { return turn }
        guard let pair = nextOrdinary, isAllowed(pair) else { return nil }
        return Turn(pair: pair, isTriggered: false)
    }

    /// The pairs of which one is next: those of the triggered checks, and the one for an ordinary check.
    var upcoming: [ICEPair.ID] { triggered.map(\.pair) + [nextOrdinary].compactMap(\.self) }

    private var nextOrdinary: ICEPair.ID? {
        if let waiting = highest(where: { pairs[$0].state == .waiting }) { return ICEPair.ID(waiting) }
        let busy = Set(pairs.indices.lazy.filter { pairs[$0].state == .inProgress }.map { pairs[$0].foundation })
        return highest { pairs[$0].state == .frozen && !busy.contains(pairs[$0].foundation) }.map { ICEPair.ID($0) }
    }

    /// Of pairs of the same priority, the one that was formed first. It goes by places: a pair is costly to copy.
    private func highest(where suits: (Int) -> Bool) -> Int? {
        pairs.indices.lazy.filter(suits).max { pairs[$0].priority < pairs[$1].priority }
    }

    /// Pairs whose checks share the pace (RFC 8445 s14.3).
    var busyCount: Int { pairs.indices.count { pairs[$0].state == .waiting || pairs[$0].state == .inProgress } }

    /// Whether no check is left that could succeed.
    var isExhausted: Bool { triggered.isEmpty && pairs.allSatisfy { $0.state == .failed } }

    /// Puts a pair into the triggered-check queue, whatever became of it before (RFC 8445 s7.3.1.4).
    mutating func trigger(_ pair: ICEPair.ID) {
        if self[pair].state != .succeeded { pairs[pair.number].state = .waiting }
        pairs[pair.number].failure = nil
        if !triggered.contains(where: { $0.pair == pair }) { triggered.append(Turn(pair: pair)) }
    }

    // MARK: What became of checks

    mutating func began(_ turn: Turn) {
        triggered.removeAll { $0.pair == turn.pair }
        if self[turn.pair].state != .succeeded { pairs[turn.pair.number].state = .inProgress }
    }

    mutating func sent(_ pair: ICEPair.ID, at now: Instant) {
        lastSentAt[pair] = now
        pairs[pair.number].transmissions += 1
        if self[pair].firstSentAt == nil { pairs[pair.number].firstSentAt = now }
    }

    /// Takes a success, and lets the pairs be checked that have the foundation of the one that works
    /// (RFC 8445 s7.2.5.3.3).
    ///
    /// - Parameter valid: the local candidate whose address the peer saw.
    mutating func succeeded(
        _ pair: ICEPair.ID, as valid: Candidate, after trip: (duration: Duration, isAmbiguous: Bool)?, at now: Instant
    ) {
        if !self[pair].isValid { pairs[pair.number].succeededAt = now }
        pairs[pair.number].validLocal = valid
        pairs[pair.number].state = .succeeded
        pairs[pair.number].failure = nil
        if let trip, !trip.isAmbiguous || self[pair].roundTrip == nil { pairs[pair.number].roundTrip = trip.duration }
        if firstValidAt == nil { firstValidAt = now }
        for index in pairs.indices
        where pairs[index].state == .frozen && pairs[index].foundation == self[pair].foundation {
            pairs[index].state = .waiting
        }
    }

    /// Takes a failure; false where the pair had failed before.
    mutating func fail(_ pair: ICEPair.ID, _ why: ICECheckFailure) -> Bool {
        guard self[pair].state != .failed else { return false }
        pairs[pair.number].state = .failed
        pairs[pair.number].failure = why
        pairs[pair.number].validLocal = nil
        if nominating == pair { nominating = nil }
        triggered.removeAll { $0.pair == pair }
        return true
    }
}

// MARK: - Nomination

extension CheckList {
    /// For how long a pair that could not be checked yet may hold up the nomination of another.
    private static let longestGrace = Duration.seconds(2)
    /// What a machine under load may add to a round trip.
    private static let slack = Duration.milliseconds(10)

    /// What the controlling side does about its choice.
    enum Choice: Hashable, Sendable {
        /// It is made, or there is nothing to choose.
        case none
        case wait(until: Instant)
        /// A check that nominates is at the head of the queue.
        case nominate(ICEPair.ID)
    }

    /// Chooses the best valid pair (RFC 8445 s8.1.1) once those that would be better have had their chance. How long that
    /// is, the round trips of this path say: nothing waits for a fixed time.
    ///
    /// - Parameter isComplete: whether all candidates of both sides are known.
    mutating func choose(isComplete: Bool, at now: Instant) -> Choice {
        guard nominating == nil, let firstValidAt,
            let best = highest(where: { pairs[$0].isValid }).map({ pairs[$0] })
        else { return .none }
        let longest = firstValidAt + Self.longestGrace
        let better = pairs.indices.filter { pairs[$0].priority > best.priority && !pairs[$0].isValid }
        var ends = better.compactMap { graceEnd(of: pairs[$0], against: best, longest: longest) }
        // What is better may not be known yet.
        if best.isRelayed, !isComplete { ends.append(longest) }
        if let end = ends.max(), end > now { return .wait(until: end) }
        nominating = best.id
        triggered.removeAll { $0.pair == best.id }
        triggered.insert(Turn(pair: best.id, nominates: true), at: 0)
        return .nominate(best.id)
    }

    /// Until when a better pair may still show that it works; nil where it has failed.
    ///
    /// A check may be lost, or come before the peer's has opened the way: a direct pair has two transmissions before a
    /// relayed one is taken in its place.
    private func graceEnd(of better: ICEPair, against best: ICEPair, longest: Instant) -> Instant? {
        switch better.state {
        case .failed, .succeeded: return nil
        case .frozen, .waiting: return longest
        case .inProgress:
            let needed = best.isRelayed && !better.isRelayed ? 2 : 1
            guard better.transmissions >= needed, let last = lastSentAt[better.id] else { return longest }
            return last + (best.roundTrip ?? .milliseconds(100)) * 2 + Self.slack
        }
    }

    /// Notes that the peer, which decides, has nominated a pair: it is selected when it is valid.
    mutating func peerNominated(_ pair: ICEPair.ID) { nominatedByPeer.insert(pair) }

    func isNominatedByPeer(_ pair: ICEPair.ID) -> Bool { nominatedByPeer.contains(pair) }

    /// Takes a valid pair as nominated, by either side; false where it was before.
    mutating func nominated(_ pair: ICEPair.ID) -> Bool {
        if nominating == pair { nominating = nil }
        defer { pairs[pair.number].isNominated = true }
        return !self[pair].isNominated
    }

    /// Of several that are nominated, as a peer that nominates aggressively gives them, the highest (RFC 5245 s8.1.1.2).
    var bestNominated: ICEPair? {
        pairs.filter { $0.isNominated && $0.isValid }.max { validPriority($0) < validPriority($1) }
    }

    /// Of a valid pair, with the local candidate that the peer sees: both sides then rank alike.
    private func validPriority(_ pair: ICEPair) -> UInt64 { priority(pair.validLocal ?? pair.local, pair.remote) }

    /// Ends the checks of the pairs that were not through when one was selected (RFC 8445 s8.1.2); a check of the peer's
    /// takes them up again. Where the peer may still nominate another, a better one that is under way goes on
    /// (RFC 5245 s8.1.2).
    ///
    /// - Returns: the pairs that have failed for it, and those whose check is not repeated, since the peer may have taken
    ///   what was sent for a nomination: its answer counts.
    mutating func giveUpOthers(than chosen: ICEPair.ID) -> (failed: [ICEPair.ID], calledOff: [ICEPair.ID]) {
        var failed: [ICEPair.ID] = []
        var calledOff: [ICEPair.ID] = []
        for pair in pairs where pair.id != chosen && pair.state != .succeeded {
            if pair.state == .inProgress, role == .controlled {
                if pair.priority < self[chosen].priority { calledOff.append(pair.id) }
            } else if fail(pair.id, .superseded) {
                failed.append(pair.id)
            }
        }
        triggered.removeAll { $0.pair != chosen }
        return (failed, calledOff)
    }
}
