import Diagnosis
import Facts
import NetTypes
import Planning

@testable import Diagnosis

extension STUNResult {
    /// A result of each outcome.
    static var fixtures: [STUNResult] { [answered, odd, series, timedOut, refused, unresolved, unmeasured] }

    private static let server = "stun:stun.example.org"
    private static let serverEndpoint = Endpoint(IPAddress(198, 51, 100, 1), 3478)
    private static let mapped = Endpoint(IPAddress(203, 0, 113, 7), 62000)
    private static let local = Endpoint(IPAddress(192, 168, 1, 5), 51234)

    private static var answered: STUNResult {
        STUNResult(
            server: server, transport: .udp, family: .ipv4, serverAddress: serverEndpoint, outcome: .answered,
            localAddress: local, attempts: 1,
            answer: BindingAnswer(
                mappedAddress: mapped, localAddress: local, source: serverEndpoint,
                roundTrip: RoundTrip(
                    duration: .nanoseconds(23_412_400), attempt: 1, isAmbiguous: false, isKernelTimed: true),
                software: OutsideText("Coturn-4.6.1"), otherAddress: Endpoint(IPAddress(198, 51, 100, 2), 3479),
                responseOrigin: serverEndpoint))
    }

    private static var odd: STUNResult {
        let other = Endpoint(IPAddress(198, 51, 100, 3), 3478)
        return STUNResult(
            server: server, transport: .udp, family: .ipv4, serverAddress: other, outcome: .answered, attempts: 2,
            answer: BindingAnswer(
                mappedAddress: mapped, rewrittenAddress: Endpoint(IPAddress(192, 168, 1, 5), 62000), isLegacy: true,
                localAddress: local, source: Endpoint(IPAddress(198, 51, 100, 4), 3478),
                roundTrip: RoundTrip(duration: .seconds(1), attempt: 2, isAmbiguous: true, isKernelTimed: false),
                software: OutsideText(bytes: Array("\u{1b}]0;evil\u{7}".utf8) + [0xFF]),
                remarks: ["two SOFTWARE attributes; the first counts"]),
            ignored: [
                IgnoredReplies(reason: .malformed, count: 2, from: other, detail: "length beyond the datagram"),
                IgnoredReplies(reason: .duplicate, count: 1, from: other),
            ],
            pathTroubles: [
                PathTrouble(kind: .portUnreachable, origin: .icmp(from: IPAddress(198, 51, 100, 3))),
                PathTrouble(kind: .portUnreachable, origin: .icmp(from: IPAddress(198, 51, 100, 3))),
                PathTrouble(kind: .otherICMP(type: 3, code: 8), origin: .local),
            ])
    }

    private static var series: STUNResult {
        var result = answered
        result.serverAddress = Endpoint(IPAddress(v6: 0x2001_0DB8 << 96 | 1), 3478)
        result.family = .ipv6
        result.transport = .tcp
        result.attempts = 51
        result.statistics = RoundTripStatistics(
            sent: 50, received: 49, minimum: .microseconds(213), median: .microseconds(1301),
            percentile95: .microseconds(3000), maximum: .microseconds(20512), jitter: .microseconds(99))
        return result
    }

    private static var timedOut: STUNResult {
        STUNResult(
            server: "stun:silent.example.org:3479", transport: .udp, family: .ipv4,
            serverAddress: Endpoint(IPAddress(198, 51, 100, 9), 3479),
            outcome: .failed(ProbeError(.timeout, "no answer to 5 requests within 4.9 s")),
            localAddress: local, attempts: 5,
            statistics: RoundTripStatistics(
                sent: 5, received: 0, minimum: .zero, median: .zero, percentile95: .zero, maximum: .zero, jitter: .zero)
        )
    }

    private static var refused: STUNResult {
        STUNResult(
            server: "stun:refusing.example.org", transport: .udp, family: .ipv4,
            serverAddress: Endpoint(IPAddress(198, 51, 100, 10), 3478),
            outcome: .failed(
                ProbeError(
                    .errorResponse, "it answered with error 420 (Unknown Attribute)", code: 420,
                    reason: OutsideText(bytes: Array("No\u{202e}pe".utf8) + [0, 0]), reporter: IPAddress(192, 0, 2, 1))),
            localAddress: local, attempts: 1)
    }

    private static var unresolved: STUNResult {
        STUNResult(
            server: "stun:nowhere.invalid", transport: .udp, family: nil, serverAddress: nil,
            outcome: .failed(ProbeError(.nameNotResolved, "A nowhere.invalid: no such name")))
    }

    private static var unmeasured: STUNResult {
        STUNResult(
            server: server, transport: .udp, family: .ipv6, serverAddress: nil,
            outcome: .notMeasured(NotMeasured(what: server, reason: .noRoute, detail: "no IPv6 route")))
    }
}
