import NetTypes
import Testing

@testable import HostIO

struct StreamTests {
    static let listener = PathID(1)
    static let client = PathID(2)

    static func listen(_ family: IPAddress.Family = .ipv4) -> Output {
        .open(listener, PathSpecification(.listener, family: family, local: Endpoint(.loopback(family), 0)))
    }

    static func connect(to remote: Endpoint, as path: PathID = client) -> Output {
        .open(path, PathSpecification(.connection(to: remote), family: remote.family))
    }

    static func deadline() -> Instant { MonotonicClock.now + .seconds(3) }

    @Test(arguments: IPAddress.Family.allCases)
    func bytesLargerThanAnySocketBufferArriveInOrderAndThenTheEnd(family: IPAddress.Family) throws {
        // Each half is taken although the peer has read nothing yet; the second waits for the first.
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        var accepted: PathID?
        var engine = ScriptedEngine([Self.listen(family)]) { engine, input in
            switch input {
            case .opened(Self.listener, let local): engine.outputs = [Self.connect(to: local)]
            case .opened(Self.client, _):
                engine.outputs = [
                    .write(Self.client, Array(bytes[..<500_000])), .write(Self.client, Array(bytes[500_000...])),
                ]
            case .stream(let event):
                switch event.kind {
                case .accepted(Self.listener, _, _):
                    accepted = event.path
                case .bytes where engine.bytes(on: event.path).count == bytes.count:
                    engine.outputs = [.close(Self.client)]
                case .ended: engine.isFinished = true
                default: break
                }
            default: break
            }
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        let path = try #require(accepted)
        #expect(path.number & 0x8000_0000 != 0)
        #expect(engine.bytes(on: path).elementsEqual(bytes), "of \(bytes.count) bytes")
        #expect(engine.pathErrors.isEmpty)
    }

    @Test(arguments: IPAddress.Family.allCases)
    func aClosedPortRefusesTheConnection(family: IPAddress.Family) throws {
        var closed: Endpoint?
        var engine = ScriptedEngine([Self.listen(family)]) { engine, input in
            if case .opened(_, let local) = input {
                closed = local
                engine.outputs = [.close(Self.listener), Self.connect(to: local)]
            }
            if case .pathError = input { engine.isFinished = true }
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        let error = try #require(engine.pathErrors.first)
        #expect(error.kind == .connectionRefused)
        #expect(error.origin == .peer)
        #expect(error.destination == closed)
        #expect(error.isFatal)
    }

    @Test(arguments: IPAddress.Family.allCases)
    func connectionsThatShareAPortReachSeveralListenersAndLeaveItFree(family: IPAddress.Family) throws {
        let listeners = [PathID(1), PathID(2)]
        var remotes: [Endpoint] = []
        var local: Endpoint?
        var sources: [Endpoint] = []
        func connect(_ place: Int, _ round: UInt32) -> Output {
            .open(
                PathID(10 * round + UInt32(place)),
                PathSpecification(
                    .connection(to: remotes[place]), family: family, local: local ?? Endpoint(.loopback(family), 0),
                    sharesPort: true))
        }
        var engine = ScriptedEngine(
            listeners.map {
                .open($0, PathSpecification(.listener, family: family, local: Endpoint(.loopback(family), 0)))
            }
        ) { engine, input in
            switch input {
            case .opened(let path, let at) where listeners.contains(path):
                remotes.append(at)
                if remotes.count == 2 { engine.outputs = [connect(0, 1)] }
            case .opened(PathID(10), let at):
                local = at
                engine.outputs = [connect(1, 1)]
            case .stream(let event):
                if case .accepted(_, _, let source) = event.kind { sources.append(source) }
                // Reset rather than closed: the same pair of endpoints can be connected again at once.
                if sources.count == 2 {
                    engine.outputs = [.close(PathID(10)), .close(PathID(11)), connect(0, 2), connect(1, 2)]
                }
                engine.isFinished = sources.count == 4
            default: break
            }
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        let expected = try #require(local)
        #expect(sources == Array(repeating: expected, count: 4))
    }

    @Test func aResetIsNotAnOrderlyEnd() throws {
        var accepted: PathID?
        var isConnected = false
        var engine = ScriptedEngine([Self.listen()]) { engine, input in
            switch input {
            case .opened(Self.listener, let local): engine.outputs = [Self.connect(to: local)]
            case .opened(Self.client, _): isConnected = true
            case .stream(let event): accepted = event.path
            case .pathError: engine.isFinished = true
            default: break
            }
            // Bytes are unread when it is closed: TCP answers with a reset (RFC 2525 s2.17).
            if let path = accepted, isConnected, !engine.isFinished {
                engine.outputs = [.write(Self.client, [1, 2, 3]), .close(path)]
            }
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        let error = try #require(engine.pathErrors.first)
        #expect(error.kind == .connectionReset)
        #expect(error.origin == .peer)
        #expect(error.isFatal)
    }

    @Test func aPeerThatDoesNotReadCannotGrowUs() throws {
        var engine = ScriptedEngine([Self.listen()]) { engine, input in
            switch input {
            case .opened(Self.listener, let local): engine.outputs = [Self.connect(to: local)]
            case .opened(Self.client, _): engine.outputs = [.write(Self.client, [1])]
            case .stream(let event):
                guard case .accepted = event.kind else { return }
                let chunk = [UInt8](repeating: 0, count: 1 << 20)
                engine.outputs = (0..<64).map { _ in .write(event.path, chunk) }
            case .pathError: engine.isFinished = true
            default: break
            }
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        #expect(engine.pathErrors.map(\.kind) == [.outOfResources])
    }

    @Test func connectionsAboveTheCapAreClosedAtOnce() throws {
        let attempts = Driver.mostAccepted + 10
        var ended = 0
        var engine = ScriptedEngine([Self.listen()]) { engine, input in
            switch input {
            case .opened(Self.listener, let local):
                engine.outputs = (0..<attempts).map { Self.connect(to: local, as: PathID(100 + UInt32($0))) }
            case .stream(let event):
                if case .ended = event.kind { ended += 1 }
                engine.isFinished = ended == 10
            default: break
            }
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        let accepted = engine.inputs.filter {
            if case .stream(let event) = $0.input, case .accepted = event.kind { true } else { false }
        }
        #expect(accepted.count == Driver.mostAccepted)
    }

    @Test func aHalfClosedConnectionDoesNotKeepTheLoopBusy() throws {
        var rounds = 0
        var engine = ScriptedEngine([Self.listen()]) { engine, input in
            switch input {
            case .opened(Self.listener, let local): engine.outputs = [Self.connect(to: local)]
            case .stream(let event):
                if case .accepted = event.kind { engine.outputs = [.close(event.path)] }
            default: break
            }
        }
        let end = try Driver().run(
            &engine, until: MonotonicClock.now + .milliseconds(200), onWake: { _, _ in rounds += 1 })
        #expect(end == .deadline)
        #expect(rounds < 20)
    }
}
