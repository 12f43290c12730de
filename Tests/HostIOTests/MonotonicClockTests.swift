import Glibc
import NetTypes
import Testing

@testable import HostIO

struct MonotonicClockTests {
    private static func realtime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    @Test func aStampOfTheKernelBecomesAnInstantThatIsNotAfterNow() throws {
        let before = MonotonicClock.now
        let instant = try #require(MonotonicClock.instant(ofRealtime: Self.realtime() - 1_000_000_000))
        #expect(instant <= MonotonicClock.now)
        #expect(instant >= before + .milliseconds(-1001))
    }

    @Test(arguments: [3_600_000_000_000, -11_000_000_000, -86_400_000_000_000] as [Int64])
    func aStampOfTheFutureOrOfLongAgoIsDiscarded(offset: Int64) {
        #expect(MonotonicClock.instant(ofRealtime: Self.realtime() + offset) == nil)
    }

    @Test func noStampIsNoInstant() {
        #expect(MonotonicClock.instant(ofRealtime: 0) == nil)
    }
}
