import NetTypes

/// The questions of a run to the system, each asked once however many need its answer: a name keeps one meaning.
struct SystemQuestions: Sendable {
    private enum Question {
        case asked(by: [ActivityID])
        case answered(SystemAnswer)
    }

    private var questions: [SystemQuery: Question] = [:]
    private var pending: [QueryID: SystemQuery] = [:]
    private var waiting = Queue<SystemQuery>()
    private var known = Queue<(asker: ActivityID, query: SystemQuery, answer: SystemAnswer)>()
    private var nextID: UInt32 = 0

    /// Each question to the DNS is a thread of the driver's: there are many, and not any number of them.
    private static let mostAtOnce = 256

    mutating func ask(_ query: SystemQuery, for asker: ActivityID) {
        switch questions[query] {
        case .answered(let answer): known.append((asker, query, answer))
        case .asked(let others): questions[query] = .asked(by: others + [asker])
        case nil:
            questions[query] = .asked(by: [asker])
            waiting.append(query)
        }
    }

    mutating func nextOutput() -> Output? {
        guard pending.count < Self.mostAtOnce, let query = waiting.popFirst() else { return nil }
        nextID += 1
        pending[QueryID(nextID)] = query
        return .query(QueryID(nextID), query)
    }

    /// Takes an answer; gives its question and who asked it.
    mutating func answered(_ id: QueryID, _ answer: SystemAnswer) -> (SystemQuery?, [ActivityID]) {
        guard let query = pending.removeValue(forKey: id),
            case .asked(let askers) = questions.updateValue(.answered(answer), forKey: query)
        else { return (nil, []) }
        return (query, askers)
    }

    /// What was answered before it was asked again.
    mutating func popKnown() -> (asker: ActivityID, query: SystemQuery, answer: SystemAnswer)? { known.popFirst() }
}
