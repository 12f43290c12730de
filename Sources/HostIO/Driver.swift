import CSystem
package import NetTypes

/// Runs an engine on real sockets, the real clock and the system's resolver: one thread, one readiness loop.
///
/// It owns every descriptor it opens, and closes them with itself. Linux only so far: a port needs its own files
/// beside those of CSystem that are named `_linux`, and must say "not observable" where it has no error queue.
package final class Driver {
    package enum RunEnd: Hashable, Sendable {
        /// The engine has nothing left to do.
        case finished
        case deadline
        /// SIGINT, SIGTERM or SIGHUP came; a second one ends the process at once with 128 + its number.
        case interrupted(signal: Int32)
    }

    enum OpenPath {
        case datagram(DatagramSocket)
        case connection(Connection)
        case listener(Listener)
    }

    /// What a token of the readiness loop stands for.
    enum Source {
        case path(PathID)
        case resolver
        case signals
        case channelInput(PathID)
        case channelOutput(PathID)
    }

    let readiness: Readiness
    let buffer = ReceiveBuffer()
    var paths: [PathID: (path: OpenPath, token: UInt64)] = [:]
    var sources: [UInt64: Source] = [:]
    /// What came to light while the engine's outputs were performed: handed to it when it is drained.
    var pending: [Input] = []
    var resolver: Resolver?
    /// See Driver+Channels.swift.
    var channels: [PathID: Channel] = [:]
    /// When files and FIFOs are looked at again.
    var nextChannelLook: Instant?
    /// Given up for a moment to turn away a connection when there are no more.
    var spareDescriptor: Int32
    var acceptedCount = 0
    private var nextToken: UInt64 = 0
    private var nextAcceptedNumber: UInt32 = 0
    private var signals: Int32?

    /// Datagrams, reads or connections that one descriptor may deliver in one round.
    static let mostInARound = 64
    /// Connections that listeners may have accepted at one time; what comes above it is closed at once.
    static let mostAccepted = 256

    /// - Parameter catchesSignals: whether SIGINT, SIGTERM and SIGHUP end a run; a process asks this once.
    package init(catchesSignals: Bool = false) throws(SystemError) {
        readiness = try Readiness()
        spareDescriptor = csys_spare_descriptor()
        guard catchesSignals else { return }
        let descriptor = try SystemError.check(csys_signals_catch(), "catch signals")
        signals = descriptor
        let token = makeToken(for: .signals)
        try readiness.add(descriptor, token: token, .readable)
    }

    deinit {
        if spareDescriptor >= 0 { csys_close(spareDescriptor) }
        for channel in channels.values { channel.end(grace: .zero) }
    }

    /// Runs `engine` until it is finished, the deadline comes or a signal does; ready at once to run it again, or
    /// another engine on the same paths.
    ///
    /// - Parameters:
    ///   - wakeEvery: at least this often `onWake` is called, as a progress line needs; nil calls it with the engine's
    ///     own wakes alone.
    ///   - onEvent: takes the engine's events in their order.
    ///   - onWake: is shown the engine after every round.
    package func run<E: Engine>(
        _ engine: inout E, until deadline: Instant? = nil, wakeEvery: Duration? = nil,
        onEvent: (E.Event) -> Void = { _ in }, onWake: (E, Instant) -> Void = { _, _ in }
    ) -> RunEnd {
        drain(&engine, onEvent)
        while true {
            lookAtChannels()
            handlePending(&engine, onEvent)
            wakeIfDue(&engine, onEvent)
            let now = MonotonicClock.now
            onWake(engine, now)
            if engine.isFinished { return .finished }
            if let deadline, now >= deadline { return .deadline }
            let wakes = [engine.nextWake, deadline, wakeEvery.map { now + $0 }, nextChannelLook].compactMap(\.self)
            let limit = pending.isEmpty ? wakes.min().map { $0 - now } : .zero
            for event in readiness.wait(atMost: limit) {
                guard let source = sources[event.token] else { continue }
                // What a send brought to light, such as its stamp, is older than any answer to it.
                handlePending(&engine, onEvent)
                switch source {
                case .path(let path): serve(path, event.flags, &engine, deadline, onEvent)
                case .resolver: takeAnswers()
                case .channelInput(let path): readChannel(path)
                case .channelOutput(let path): flushChannel(path)
                case .signals:
                    if let signal = takeSignal() { return .interrupted(signal: signal) }
                }
                // No descriptor's flood may hold up the timers, the deadline or what the others brought to light.
                handlePending(&engine, onEvent)
                wakeIfDue(&engine, onEvent)
                if engine.isFinished { break }
                if let deadline, MonotonicClock.now >= deadline { break }
            }
        }
    }

    /// Hands over one input, then does all that the engine wants.
    func feed<E: Engine>(_ input: Input, to engine: inout E, _ onEvent: (E.Event) -> Void) {
        engine.handle(input, at: MonotonicClock.now)
        drain(&engine, onEvent)
    }

    private func drain<E: Engine>(_ engine: inout E, _ onEvent: (E.Event) -> Void) {
        var isMoving = true
        while isMoving {
            isMoving = false
            while let output = engine.pollOutput(at: MonotonicClock.now) {
                perform(output)
                isMoving = true
            }
            while let event = engine.pollEvent() {
                onEvent(event)
                isMoving = true
            }
        }
    }

    /// One round of what is pending; what that makes pending waits for the next, behind the clock and the sockets.
    private func handlePending<E: Engine>(_ engine: inout E, _ onEvent: (E.Event) -> Void) {
        let inputs = pending
        pending.removeAll(keepingCapacity: true)
        for input in inputs { feed(input, to: &engine, onEvent) }
    }

    private func wakeIfDue<E: Engine>(_ engine: inout E, _ onEvent: (E.Event) -> Void) {
        guard let wake = engine.nextWake, wake <= MonotonicClock.now else { return }
        for case .datagram(let socket) in paths.values.map(\.path) {
            pending += socket.drainErrors(into: buffer).inputs
        }
        feed(.timeout, to: &engine, onEvent)
    }

    private func perform(_ output: Output) {
        switch output {
        case .open(let path, let specification): open(path, specification)
        case .transmit(let transmit):
            guard case .datagram(let socket) = paths[transmit.path]?.path else { return }
            pending += socket.send(transmit, buffer: buffer)
        case .write(let path, let bytes): write(bytes, to: path)
        case .close(let path): close(path)
        case .query(let query, let question): ask(query, question)
        }
    }

    /// The signal that came; the exit status of a process that it ends is 128 + its number.
    private func takeSignal() -> Int32? {
        guard let signals else { return nil }
        let number = csys_signals_take(signals)
        return number == 0 ? nil : number
    }

    func makeToken(for source: Source) -> UInt64 {
        nextToken += 1
        sources[nextToken] = source
        return nextToken
    }

    /// A number for an accepted connection: the top bit keeps it apart from those that engines choose.
    func makeAcceptedPath() -> PathID {
        nextAcceptedNumber = (nextAcceptedNumber + 1) & 0x7FFF_FFFF
        return PathID(0x8000_0000 | nextAcceptedNumber)
    }
}
