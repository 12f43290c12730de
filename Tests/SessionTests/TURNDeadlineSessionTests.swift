import Engines
import Facts
import NetTypes
import STUN
import Testing

/// A run is over half a second after its deadline, whatever the servers do, and its allocations are deleted by then.
@Suite struct TURNDeadlineSessionTests {
    private typealias Base = TURNSessionTests
    private static let deadline = Duration.seconds(4)
    /// Milliseconds; what the process itself takes comes on top of it.
    private static let latest: Int64 = 4400

    private static func run(
        delay: Duration = .zero, _ configure: (inout VirtualNetwork, RelayServer) -> Void = { _, _ in }
    ) throws -> TURNSessionTests.Run {
        try Base.run(Base.options(timeout: deadline)) { network, server in
            configure(&network, server)
            let relay = network.relay
            network.relay = { path, local, remote, bytes, now, isStream in
                relay(path, local, remote, bytes, now, isStream)?.map { ($0.0 + delay, $0.1, $0.2) }
            }
        }
    }

    @Test func serverThatIsSilentOnceItMayHoldAnAllocation() throws {
        let run = try Self.run { _, server in server.isDropped = { $0.isSigned } }
        #expect(run.took <= Self.latest && run.first?.trouble?.kind == .noAnswer)
    }

    @Test func serverThatAnswersThreeSecondsLate() throws {
        let run = try Self.run(delay: .seconds(3))
        #expect(run.took <= Self.latest)
        guard case .unconfirmed = run.first?.deletion else {
            Issue.record("\(String(describing: run.first?.deletion))")
            return
        }
    }

    @Test func serverThatNeverAnswersTheDeletion() throws {
        let run = try Self.run { _, server in
            server.isDropped = { $0.method == .refresh || $0.method == .createPermission }
        }
        #expect(run.took <= Self.latest)
        guard case .unconfirmed = run.first?.deletion else {
            Issue.record("\(String(describing: run.first?.deletion))")
            return
        }
    }

    /// The deletion of a distant server's allocation begins before the deadline.
    @Test(arguments: [200, 300, 400]) func distantServersAllocationIsDeletedInTime(delay: Int) throws {
        let run = try Self.run(delay: .milliseconds(delay)) { _, server in
            server.isDropped = { $0.method == .createPermission }
        }
        #expect(run.took <= Self.latest)
        #expect(run.first?.deletion == .confirmed && run.first?.isCutShort == true && run.server.allocations.isEmpty)
    }

    @Test func afterASignalASecondAndAHalfAreEnough() throws {
        let run = try Base.run(Base.options(timeout: Self.deadline), interruptAt: .milliseconds(90)) { _, server in
            server.isDropped = { $0.method == .refresh }
        }
        #expect(run.took <= 1590)
    }
}
