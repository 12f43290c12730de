import Glibc
import NetTypes
import Testing

@testable import HostIO

struct SignalTests {
    /// SIGHUP, because the test runner itself has no use for it; one alone, because a second ends the process.
    @Test func aSignalEndsTheRunAndLeavesTheDriverUsable() throws {
        let driver = try Driver(catchesSignals: true)
        var engine = ScriptedEngine([.openUDP(PathID(1))]) { _, input in
            if case .opened = input { kill(getpid(), SIGHUP) }
        }
        #expect(driver.run(&engine, until: MonotonicClock.now + .seconds(2)) == .interrupted(signal: SIGHUP))
        #expect(driver.run(&engine, until: MonotonicClock.now + .milliseconds(20)) == .deadline)
    }
}
