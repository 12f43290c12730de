import Engines
import Facts
import NetTypes
import Planning
import STUN
import SimNet
import TestSupport
import Testing

/// A run is over half a second after its deadline, whatever the servers do, and its allocations are deleted by then.
@Suite struct TURNDeadlineSessionTests {
    private typealias Base = TURNSessionTests
    private static let deadline = Duration.seconds(4)
    /// Milliseconds; what the process itself takes comes on top of it.
    private static let latest: Int64 = 4400

    /// - Parameter delay: of each answer, besides the 20 ms.
    private static func run(
        delay: Duration = .zero, _ configure: (inout SessionLab) -> Void = { _ in }
    ) throws -> SessionLab.Run {
        try Base.run(Base.options(timeout: deadline)) { lab in
            lab.link.delay += delay / 2
            configure(&lab)
        }
    }

    @Test func serverThatIsSilentOnceItMayHoldAnAllocation() throws {
        let run = try Self.run { $0.faults.drop { request, _ in request.isSigned } }
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
        let run = try Self.run {
            $0.faults.drop { request, _ in request.method == .refresh || request.method == .createPermission }
        }
        #expect(run.took <= Self.latest)
        guard case .unconfirmed = run.first?.deletion else {
            Issue.record("\(String(describing: run.first?.deletion))")
            return
        }
    }

    /// The deletion of a distant server's allocation begins before the deadline.
    @Test(arguments: [200, 300, 400]) func distantServersAllocationIsDeletedInTime(delay: Int) throws {
        let run = try Self.run(delay: .milliseconds(delay)) {
            $0.faults.drop(.createPermission)
        }
        #expect(run.took <= Self.latest)
        #expect(run.first?.deletion == .confirmed && run.first?.isCutShort == true && run.log.left == 0)
    }

    @Test func afterASignalASecondAndAHalfAreEnough() throws {
        let run = try Base.run(Base.options(timeout: Self.deadline), interruptAt: .milliseconds(90)) {
            $0.faults.drop(.refresh)
        }
        #expect(run.took <= 1590)
    }
}
