import Diagnosis
import NetTypes
import Planning
import Reporting
import Testing

@testable import Engines

@Suite("The lifetime of mappings, in words and in JSON")
struct NATLifetimeReportTests {
    /// A mapping that was there after each of `alive` seconds, and gone after the next where `isGone`.
    private func record(alive: ClosedRange<Int>, isGone: Bool) -> NATRecord {
        let source = IPAddress(192, 168, 0, 9)
        let mapped = Endpoint(IPAddress(14, 0, 0, 1), 7000)
        let answer = NATLifetimeEvidence.Answer(after: .milliseconds(20), mappedAddress: mapped)
        let times = Array(alive) + (isGone ? [alive.upperBound + 1] : [])
        var lifetime = NATLifetimeEvidence(source: source, idleTimes: times.map { .seconds($0) })
        var server = NATLifetimeEvidence.Server(endpoint: Endpoint(IPAddress(11, 0, 0, 1), 3478), addedAt: .zero)
        server.exchanges = [.init(kind: .refresh, sentAt: .zero, answer: answer)]
        lifetime.servers = [server]
        lifetime.choice = .init(server: 0, method: .responsePort, at: .zero)
        for seconds in times {
            let due = Duration.seconds(seconds) + .milliseconds(20)
            var sample = NATLifetimeEvidence.Sample()
            sample.opening = [.init(kind: .own, sentAt: .zero, answer: answer)]
            sample.test = [.init(kind: .probe, sentAt: due)]
            if seconds > alive.upperBound {
                for _ in 0..<12 {
                    sample.test += [
                        .init(kind: .probe, sentAt: due), .init(kind: .control, sentAt: due, answer: answer),
                    ]
                }
            } else {
                sample.test[0].answer = answer
            }
            lifetime.samples.append(sample)
        }
        lifetime.endedAt = .seconds(alive.upperBound + 3)
        return NATRecord(NATEvidence(source: source, servers: [server.endpoint]), lifetime: lifetime)
    }

    private func report(_ record: NATRecord) -> Report {
        var report = Report.fixture
        report.subject = .nat
        report.nat = [record]
        return report
    }

    private func line(_ record: NATRecord) -> String? {
        report(record).rendered(as: .text, style: RenderingStyle(width: 200)).split(separator: "\n")
            .first { $0.contains("mapping lifetime") }.map(String.init)
    }

    @Test("Bounds, confidence and the interval to set are one line")
    func measured() {
        #expect(
            line(record(alive: 13...14, isGone: true))
                == "  mapping lifetime  14 to 15.1 s idle (confidence 99.99 %); send a keepalive every 7 s")
        #expect(
            line(record(alive: 39...40, isGone: true))
                == "  mapping lifetime  40 to 41.1 s idle (confidence 99.99 %); send a keepalive every 20 s or sooner: "
                + "ICE's default of 15 s will do")
    }

    @Test("Without an upper bound it says why")
    func atLeast() {
        #expect(
            line(record(alive: 1...4, isGone: false))
                == "  mapping lifetime  4 s idle or more (no mapping was left idle for longer); send a keepalive every 2 s"
        )
    }

    @Test("JSON has the bounds in seconds, the precision, the interval and each sample")
    func json() {
        let text = report(record(alive: 13...14, isGone: true)).json(pretty: false)
        #expect(
            text.contains(
                #""mappingLifetime":{"value":"measured","confidence":0.999,"aliveS":14,"expiredS":15.1,"#
                    + #""precisionS":1.1,"keepaliveS":7,"method":"response-port","serverAddress":"11.0.0.1:3478","#
                    + #""samples":[{"idleS":13,"outcome":"alive"},{"idleS":14,"outcome":"alive"},"#
                    + #"{"idleS":15,"outcome":"expired"}],"durationMs":17000}"#), "\(text)")
    }
}
