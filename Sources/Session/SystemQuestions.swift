import NetTypes

/// The questions of a run to the system, each asked once however many need its answer: a name keeps one meaning.
struct SystemQuestions: Sendable {
    private var answers: [SystemQuery: SystemAnswer] = [:]
    private var askers: [SystemQuery: [ActivityID]] = [:]
    private var pending: [QueryID: SystemQuery] = [:]
    private var waiting = Queue<SystemQuery>()
    private var known = Queue<(asker: ActivityID, query: SystemQuery, answer: SystemAnswer)>()
    private var nextID: UInt32 = 0

    /// Each question to the DNS is a thread of the driver's: there are many, and not any number of them.
    private static let mostAtOnce = 256

    mutating func ask(_ query: SystemQuery, for asker: ActivityID) {
        if let answer = answers[query] { return known.append((asker, query, answer)) }
        askers[query, default: []].append(asker)
        if askers[query]?.count == 1 { waiting.append(query) }
    }

    mutating func nextOutput() -> Output? {
        guard pending.count < Self.mostAtOnce, let query = waiting.popFirst() else { return nil }
        nextID += 1
        pending[QueryID(nextID)] = query
        return .query(QueryID(nextID), query)
    }

    /// Takes an answer; gives its question and who asked it.
    mutating func answered(_ id: QueryID, _ answer: SystemAnswer) -> (SystemQuery?, [ActivityID]) {
        guard let query = pending.removeValue(forKey: id) else { return (nil, []) }
        answers[query] = answer
        return (query, askers.removeValue(forKey: query) ?? [])
    }

    /// What was answered before it was asked again.
    mutating func popKnown() -> (asker: ActivityID, query: SystemQuery, answer: SystemAnswer)? { known.popFirst() }
}
