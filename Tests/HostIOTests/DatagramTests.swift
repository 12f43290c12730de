import NetTypes
import Testing

@testable import HostIO

struct DatagramTests {
    static let here = PathID(1)
    static let there = PathID(2)

    /// The port of a UDP socket that is closed again: nobody listens there.
    static func closedPort(_ family: IPAddress.Family) throws -> Endpoint {
        let socket = try DatagramSocket(
            path: there, PathSpecification(.datagram, family: family, local: Endpoint(.loopback(family), 0)))
        return socket.local
    }

    static func deadline(_ duration: Duration = .seconds(2)) -> Instant { MonotonicClock.now + duration }

    @Test(arguments: IPAddress.Family.allCases)
    func aDatagramArrivesWithItsSourceDestinationTimeToLiveAndKernelStamp(family: IPAddress.Family) throws {
        let any = Endpoint(.loopback(family), 0)
        var engine = ScriptedEngine([.openUDP(Self.here, at: any), .openUDP(Self.there, at: any)]) { engine, input in
            switch input {
            case .opened(Self.there, let local):
                engine.outputs.append(.transmit(Transmit(path: Self.here, destination: local, bytes: [1, 2, 3])))
            case .datagram: engine.isFinished = true
            default: break
            }
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        let datagram = try #require(engine.datagrams.first)
        #expect(datagram.bytes == [1, 2, 3])
        #expect(datagram.path == Self.there)
        #expect(datagram.source == engine.local(of: Self.here))
        #expect(datagram.destination == .loopback(family))
        #expect(datagram.timeToLive == 64)
        #expect(datagram.isKernelTimed)
        #expect(datagram.arrivedAt >= engine.sentAt[0])
        #expect(try datagram.arrivedAt <= #require(engine.inputs.last).at)
    }

    @Test func aDatagramOfTheLargestSizeArrivesWhole() throws {
        let bytes = [UInt8](repeating: 7, count: 65_507)
        var engine = ScriptedEngine([.openUDP(Self.here), .openUDP(Self.there)]) { engine, input in
            if case .opened(Self.there, let local) = input {
                engine.outputs.append(.transmit(Transmit(path: Self.here, destination: local, bytes: bytes)))
            }
            if case .datagram = input { engine.isFinished = true }
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        #expect(engine.datagrams.first?.bytes == bytes)
    }

    @Test(arguments: IPAddress.Family.allCases)
    func aClosedPortIsNamedWithItsHostAndQuotesTheDatagram(family: IPAddress.Family) throws {
        let closed = try Self.closedPort(family)
        let bytes = [UInt8](0..<28)
        var engine = ScriptedEngine([.openUDP(Self.here, at: Endpoint(.loopback(family), 0))]) { engine, input in
            if case .opened(let path, _) = input {
                engine.outputs.append(.transmit(Transmit(path: path, destination: closed, bytes: bytes)))
            }
            if case .pathError = input { engine.isFinished = true }
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        let error = try #require(engine.pathErrors.first)
        #expect(error.kind == .portUnreachable)
        #expect(error.origin == .icmp(from: .loopback(family)))
        #expect(error.destination == closed)
        #expect(error.quoted == bytes)
        #expect(!error.isFatal)
    }

    /// On loopback the ICMP message is in the error queue before the send returns: each next send meets it.
    @Test func anErrorOfOneDestinationIsNeverBookedToAnother() throws {
        let closed = try Self.closedPort(.ipv4)
        var engine = ScriptedEngine([.openUDP(Self.here), .openUDP(Self.there)]) { engine, input in
            guard case .opened(Self.there, let healthy) = input else {
                engine.isFinished = engine.datagrams.count == 20 && engine.pathErrors.count == 20
                return
            }
            for number in UInt8(0)..<20 {
                engine.outputs += [
                    .transmit(Transmit(path: Self.here, destination: closed, bytes: [number])),
                    .transmit(Transmit(path: Self.here, destination: healthy, bytes: [number])),
                ]
            }
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        #expect(engine.datagrams.map(\.bytes) == (0..<20).map { [$0] })
        #expect(engine.pathErrors.allSatisfy { $0.destination == closed && $0.kind == .portUnreachable })
        #expect(engine.pathErrors.map(\.quoted) == (0..<20).map { [$0] })
    }

    @Test func aSendThatTheMachineRefusesIsALocalErrorOfThatDestination() throws {
        let broadcast = Endpoint(IPAddress(255, 255, 255, 255), 9)
        var engine = ScriptedEngine([.openUDP(Self.here)]) { engine, input in
            guard case .opened(let path, let local) = input else {
                engine.isFinished = engine.pathErrors.count == 2
                return
            }
            engine.outputs = [
                // Without SO_BROADCAST.
                .transmit(Transmit(path: path, destination: broadcast, bytes: [1])),
                .transmit(Transmit(path: path, destination: local, bytes: [UInt8](repeating: 0, count: 65_508))),
            ]
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        let errors = engine.pathErrors
        #expect(errors.map(\.kind) == [.notPermitted, .messageTooBig(mtu: 65_535)])
        #expect(errors.allSatisfy { $0.origin == .local && !$0.isFatal })
        #expect(errors.first?.destination == broadcast)
        #expect(errors.first?.quoted == [1])
    }

    @Test(arguments: [
        (Endpoint(IPAddress(192, 0, 2, 1), 0), nil, PathError.Kind.addressNotAvailable),
        (Endpoint(IPAddress(127, 0, 0, 1), 0), "no-such-if", .noSuchInterface),
    ])
    func aSocketThatCannotBeOpenedIsAFatalLocalError(
        local: Endpoint, interface: String?, kind: PathError.Kind
    ) throws {
        let specification = PathSpecification(.datagram, family: .ipv4, local: local, interface: interface)
        var engine = ScriptedEngine([.open(Self.here, specification)]) { engine, _ in engine.isFinished = true }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        let error = try #require(engine.pathErrors.first)
        #expect(error.kind == kind)
        #expect(error.origin == .local)
        #expect(error.isFatal)
    }

    @Test func anAddressInUseIsNamed() throws {
        var engine = ScriptedEngine([.openUDP(Self.here)]) { engine, input in
            if case .opened(Self.here, let local) = input { engine.outputs = [.openUDP(Self.there, at: local)] }
            if case .pathError = input { engine.isFinished = true }
        }
        #expect(try Driver().run(&engine, until: Self.deadline()) == .finished)
        #expect(engine.pathErrors.first?.kind == .addressInUse)
    }

    @Test func aFloodDelaysNeitherATimerNorTheDeadline() throws {
        let path = PathID(3)
        let start = MonotonicClock.now
        let wake = start + .milliseconds(50)
        var wokenAt: Instant?
        var received = 0
        // Each datagram that arrives is answered by two: the flood feeds itself, and its queue is never empty.
        var engine = ScriptedEngine([.openUDP(path)])
        engine.nextWake = wake
        engine.onInput = { engine, input in
            engine.inputs.removeAll()
            switch input {
            case .opened(_, let local):
                engine.outputs = (0..<200).map { _ in
                    .transmit(Transmit(path: path, destination: local, bytes: [UInt8](repeating: 0, count: 64)))
                }
            case .datagram(let datagram):
                received += 1
                engine.outputs = (0..<2).map { _ in
                    .transmit(Transmit(path: path, destination: datagram.source, bytes: datagram.bytes))
                }
            case .timeout:
                wokenAt = wokenAt ?? MonotonicClock.now
                engine.nextWake = nil
            default: break
            }
        }
        let deadline = start + .milliseconds(700)
        #expect(try Driver().run(&engine, until: deadline) == .deadline)
        // Many rounds of it: how many in this time is the machine's affair.
        #expect(received > 20 * Driver.mostInARound)
        // The clock is looked at however much comes, long before the end and at it.
        #expect(try #require(wokenAt) < deadline)
        #expect(MonotonicClock.now - deadline < .seconds(5))
    }
}
