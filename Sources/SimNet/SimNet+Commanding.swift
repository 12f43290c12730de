package import NetTypes

/// Engines in the background under the hand of the network's owner: for two machines that signal to each other.
extension SimNet {
    /// Has an engine in the background do something, and does at once what it then wants; nil where it was stopped, or
    /// is of another type.
    @discardableResult
    package mutating func withEngine<E: Engine, Result>(
        _ id: EngineID, as type: E.Type = E.self, _ body: (inout E, Instant) -> Result
    ) -> Result? {
        // Taken out while it works, so that what it holds has one owner and is not copied.
        guard let taken = seats[id.seat].engine.take() else { return nil }
        guard var engine = taken as? E else {
            seats[id.seat].engine = taken
            return nil
        }
        let result = body(&engine, now)
        seats[id.seat].engine = engine
        visit(id.seat, nil)
        return result
    }

    /// Lets the engines in the background run until the condition holds, which is asked after each input, or until a time
    /// comes; whether it holds.
    package mutating func advance(to end: Instant, until condition: () -> Bool) -> Bool {
        while !condition() {
            if let (place, input) = nextReady() {
                visit(place, input)
            } else if !step(until: end.nanoseconds) {
                return false
            }
        }
        return true
    }
}
