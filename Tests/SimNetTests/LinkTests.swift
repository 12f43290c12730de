import NetTypes
import Testing

@testable import SimNet

/// What links do to packets.
@Suite struct LinkTests {
    static let here = Endpoint(IPAddress(192, 0, 2, 10), 5000)
    static let there = Endpoint(IPAddress(192, 0, 2, 1), 1000)

    /// Sends numbered datagrams, a millisecond apart, over one link; gives the numbers that arrive in their order.
    static func send(
        _ count: Int, over link: Link, seed: UInt64 = 5, every interval: Int64 = 1
    ) -> (numbers: [Int], times: [Instant], trace: [TraceEntry]) {
        var net = SimNet(seed: seed)
        net.isTracing = true
        let sender = net.addHost(addresses: [here.address], link: link)
        let receiver = net.addHost(addresses: [there.address])
        let id = net.start(Probe([(.zero, .socket(1, at: there))]), on: receiver)
        var script: [(at: Instant, output: Output)] = [(.zero, .socket(1, at: here))]
        for number in 0..<count {
            let bytes = [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
            script.append((.ms(Int64(number) * interval + 1), .send(1, to: there, bytes)))
        }
        var probe = Probe(script, until: .ms(Int64(count) * interval + 10_000))
        _ = net.run(&probe, on: sender)
        let arrivals: [Probe.Arrival] = net.engine(id, as: Probe.self)?.arrivals ?? []
        return (arrivals.map { Int($0.bytes[0]) << 8 | Int($0.bytes[1]) }, arrivals.map(\.at), net.trace)
    }

    @Test func perfectLinkDeliversEverythingInOrderAfterItsDelay() {
        let (numbers, times, _) = Self.send(100, over: Link(delay: .milliseconds(25)))
        #expect(numbers == Array(0..<100))
        #expect(times == (0..<100).map { .ms($0 + 26) })
    }

    @Test(arguments: [0.01, 0.05, 0.2, 0.5])
    func lossIsWhatItSays(_ loss: Double) {
        let count = 10_000
        let (numbers, _, trace) = Self.send(count, over: Link(delay: .milliseconds(1), loss: loss))
        let lost = Double(count - numbers.count)
        // Five standard deviations of a binomial count.
        let margin = 5 * (Double(count) * loss * (1 - loss)).squareRoot()
        #expect(abs(lost - Double(count) * loss) < margin)
        #expect(trace.filter { $0.fate == .lost }.count == count - numbers.count)
    }

    @Test func lossOfEverythingDeliversNothing() {
        #expect(Self.send(100, over: Link(loss: 1)).numbers.isEmpty)
    }

    @Test func duplicationDoublesItsShare() {
        let (numbers, _, _) = Self.send(10_000, over: Link(delay: .milliseconds(1), duplication: 0.1))
        #expect(Set(numbers).count == 10_000)
        #expect(abs(numbers.count - 11_000) < 150)
    }

    @Test func reorderingLetsLaterPacketsOvertake() {
        let (numbers, _, _) = Self.send(10_000, over: Link(delay: .milliseconds(5), reordering: 0.05))
        #expect(numbers.count == 10_000)
        let overtaken = zip(numbers, numbers.dropFirst()).filter { $0 > $1 }.count
        #expect((350...650).contains(overtaken))
    }

    @Test func jitterSpreadsDelaysAndKeepsTheOrder() {
        let link = Link(delay: .milliseconds(5), jitter: .milliseconds(10))
        let (numbers, times, _) = Self.send(2_000, over: link, every: 20)
        #expect(numbers == Array(0..<2_000))
        let delays = times.enumerated().map { ($1 - .ms(Int64($0) * 20 + 1)).milliseconds }
        #expect(delays.allSatisfy { (5...15).contains($0) })
        #expect(abs(delays.reduce(0, +) / 2_000 - 10) < 0.5)
        #expect(Self.send(2_000, over: link).numbers == Array(0..<2_000))
    }

    @Test func sameSeedIsTheSameRunAndAnotherIsNot() {
        let link = Link(
            delay: .milliseconds(5), jitter: .milliseconds(3), loss: 0.1, duplication: 0.1, reordering: 0.1)
        let first = Self.send(1_000, over: link, seed: 11)
        #expect(first.trace == Self.send(1_000, over: link, seed: 11).trace)
        #expect(first.trace != Self.send(1_000, over: link, seed: 12).trace)
        #expect(first.trace.count > 1_000)
    }
}
