import NetTypes
import Server
import Testing

@Suite struct SourceRateLimiterTests {
    private let source = IPAddress(192, 0, 2, 1)

    @Test func givesTheBurstAtOnceAndThenTheRate() {
        var limiter = SourceRateLimiter(.init(perSecond: 10, burst: 5))
        let atOnce = (0..<20).filter { _ in limiter.admits(source, at: .zero) }
        #expect(atOnce.count == 5)
        var admitted = 0
        for tick in 1...1000 where limiter.admits(source, at: .zero + .milliseconds(tick * 10)) { admitted += 1 }
        #expect(admitted == 100)
    }

    @Test func aSilenceFillsTheBucketAndNoMore() {
        var limiter = SourceRateLimiter(.init(perSecond: 10, burst: 5))
        for _ in 0..<5 { _ = limiter.admits(source, at: .zero) }
        let later = Instant.zero + .seconds(3600)
        #expect((0..<20).filter { _ in limiter.admits(source, at: later) }.count == 5)
    }

    @Test func sourcesHaveBucketsOfTheirOwn() {
        var limiter = SourceRateLimiter(.init(perSecond: 1, burst: 1))
        let other = IPAddress(192, 0, 2, 2)
        #expect([source, other, source, other].map { limiter.admits($0, at: .zero) } == [true, true, false, false])
    }

    @Test(arguments: [
        // One host has its /64 to itself, and IPv4 written as IPv6 is the same IPv4.
        ("2001:db8::1", "2001:db8::ffff:1", false),
        ("2001:db8::1", "2001:db8:0:1::1", true),
        ("192.0.2.1", "::ffff:192.0.2.1", false),
    ])
    func tellsSourcesApartByWhatAHostHas(first: String, second: String, areApart: Bool) throws {
        var limiter = SourceRateLimiter(.init(perSecond: 1, burst: 1))
        let sources = [try #require(IPAddress(first)), try #require(IPAddress(second))]
        #expect(sources.map { limiter.admits($0, at: .zero) } == [true, areApart])
    }

    @Test func aFloodOfForgedSourcesStaysInItsTableAndSharesOneBucket() {
        var limiter = SourceRateLimiter(.init(perSecond: 10, burst: 5, sources: 100))
        let admitted = (0..<10_000).filter { limiter.admits(IPAddress(v4: 0x0A00_0000 + UInt32($0)), at: .zero) }
        #expect(admitted.count == 105)
        #expect(limiter.trackedSources == 100)
        // Once the buckets are full again they are forgotten, and newcomers have their own.
        #expect([source].map { limiter.admits($0, at: .zero + .seconds(1)) } == [true])
        #expect(limiter.trackedSources == 1)
    }

    @Test(arguments: [0, -5])
    func senselessLimitsMeanOne(number: Int) {
        var limiter = SourceRateLimiter(.init(perSecond: number, burst: number, sources: number))
        #expect([source, source].map { limiter.admits($0, at: .zero) } == [true, false])
    }
}
