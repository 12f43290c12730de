import NetTypes

/// The clock, and the hands of the engines: as the driver of real sockets does it.
extension SimNet {
    /// Steps at one instant: more are a livelock.
    private static let mostAtOneInstant = 1_000_000

    /// Lets the next thing happen; false where that is after `end`, which is then the present.
    mutating func step(until end: Int64?) -> Bool {
        guard let next = schedule.next else {
            guard let end else { preconditionFailure("the engine waits for nothing") }
            clock = max(clock, end)
            return false
        }
        if let end, next > end {
            clock = max(clock, end)
            return false
        }
        idleSteps = next > clock ? 0 : idleSteps + 1
        precondition(idleSteps < Self.mostAtOneInstant, "livelock: time stands still")
        clock = max(clock, next)
        switch schedule.popFirst() {
        case .arrival(let packet, let stop): arrive(packet, at: stop)
        case .answer(let query, let answer, let seat): tell(seat, .answer(query, answer))
        case .wake(let seat):
            if seats[seat].wake == clock {
                seats[seat].wake = nil
                tell(seat, .timeout)
            }
        case .connectingTimedOut(let slot, let serial): connectingTimedOut(slot, serial)
        case nil: break
        }
        return true
    }

    /// Has an input handed to an engine as soon as it has done what it is at.
    mutating func tell(_ seat: Int, _ input: Input) { ready.append((seat, input)) }

    mutating func nextReady() -> (Int, Input)? {
        guard readyHead < ready.count else {
            ready.removeAll(keepingCapacity: true)
            readyHead = 0
            return nil
        }
        defer { readyHead += 1 }
        return ready[readyHead]
    }

    /// Hands an input to an engine in the background, or keeps it for one that its owner will run again.
    mutating func visit(_ seat: Int, _ input: Input?) {
        // Taken out while it works, so that its box has one owner and is not copied.
        guard var engine = seats[seat].engine.take() else {
            if seats[seat].isForeground, let input { seats[seat].inbox.append(input) }
            return
        }
        serve(&engine, seat, input)
        seats[seat].engine = engine
    }

    private mutating func serve<E: Engine>(_ engine: inout E, _ seat: Int, _ input: Input?) {
        if let input {
            if case .timeout = input, !isDue(engine, seat) { return }
            engine.handle(input, at: now)
        }
        var isMoving = true
        while isMoving {
            isMoving = perform(&engine, seat)
            while engine.pollEvent() != nil { isMoving = true }
        }
        setWake(engine.nextWake, seat)
    }

    /// Does all that an engine wants, and keeps what it tells.
    mutating func drain<E: Engine>(_ engine: inout E, _ seat: Int, _ events: inout [E.Event]) {
        var isMoving = true
        while isMoving {
            isMoving = perform(&engine, seat)
            while let event = engine.pollEvent() {
                events.append(event)
                isMoving = true
            }
        }
        setWake(engine.nextWake, seat)
    }

    private mutating func perform<E: Engine>(_ engine: inout E, _ seat: Int) -> Bool {
        var count = 0
        while let output = engine.pollOutput(at: now) {
            count += 1
            precondition(count < Self.mostAtOneInstant, "livelock: the engine's output has no end")
            perform(output, for: seat)
        }
        return count > 0
    }

    /// Whether an engine wants to be woken now; if not, it will be later.
    mutating func isDue(_ engine: some Engine, _ seat: Int) -> Bool {
        guard let wake = engine.nextWake, wake.nanoseconds <= clock else {
            setWake(engine.nextWake, seat)
            return false
        }
        return true
    }

    /// Puts an engine's next wake-up into the schedule; one that stands there already and is not wanted any more is
    /// passed over when it comes.
    private mutating func setWake(_ wake: Instant?, _ seat: Int) {
        guard let wake else {
            seats[seat].wake = nil
            return
        }
        let at = max(clock, wake.nanoseconds)
        guard seats[seat].wake != at else { return }
        seats[seat].wake = at
        schedule.add(.wake(seat: seat), at: at, isTimeout: true)
    }

    private mutating func perform(_ output: Output, for seat: Int) {
        switch output {
        case .open(let path, let specification): open(path, specification, for: seat)
        case .transmit(let transmit): send(transmit, for: seat)
        case .write(let path, let bytes): write(bytes, to: path, of: seat)
        case .close(let path): close(path, of: seat)
        case .query(let id, let query): ask(id, query, for: seat)
        }
    }

    private mutating func ask(_ id: QueryID, _ query: SystemQuery, for seat: Int) {
        if case .source(let remote, _) = query {
            // ENETUNREACH, as Linux numbers it.
            let source = hosts[seats[seat].host].source(to: remote.address)
            return tell(seat, .answer(id, source.map { .source($0) } ?? .failed(.noRoute(errno: 101))))
        }
        guard let answer = names.answer(query) else { return }
        let delay = names.delay.nanoseconds
        if delay <= 0 { return tell(seat, .answer(id, answer)) }
        schedule.add(.answer(id, answer, seat: seat), at: clock + delay)
    }
}
