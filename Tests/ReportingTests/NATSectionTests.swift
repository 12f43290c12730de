import Diagnosis
import NetTypes
import Reporting
import STUN
import Testing

@testable import Engines

/// What a report says of a NAT, in words and in JSON.
@Suite("The NAT's section")
struct NATSectionTests {
    private static let server = Endpoint(IPAddress(198, 51, 100, 1), 3478)
    private static let other = Endpoint(IPAddress(198, 51, 100, 2), 3479)
    private static let otherPort = Endpoint(IPAddress(198, 51, 100, 1), 3479)
    private static let source = IPAddress(192, 168, 1, 5)

    /// An endpoint-independent mapping and address-and-port-dependent filtering on a round trip of 10 ms.
    private static var evidence: NATEvidence {
        var evidence = NATEvidence(source: source, servers: [server])
        evidence.localEndpoints = [
            .mapping: Endpoint(source, 50000), .filtering(server: 0): Endpoint(source, 50001),
            .allocation(0): Endpoint(source, 50002), .allocation(1): Endpoint(source, 50003),
            .allocation(2): Endpoint(source, 50004),
        ]
        func add(
            _ socket: NATSocket, _ destination: Endpoint, _ change: NATExchange.Change = .none, at milliseconds: Int,
            mapped port: UInt16?
        ) {
            var exchange = NATExchange(
                socket: socket, server: 0, destination: destination, change: change, sentAt: .milliseconds(milliseconds)
            )
            let from = change == .none ? destination : change.source(asked: server, other: other)
            let mapped = port.map { Endpoint(IPAddress(203, 0, 113, 7), $0) }
            exchange.answer = mapped.map {
                NATExchange.Answer(
                    after: .milliseconds(10), source: from, mappedAddress: $0, plainAddress: $0, otherAddress: other)
            }
            evidence.exchanges.append(exchange)
        }
        for destination in [server, server, otherPort, other] { add(.mapping, destination, at: 0, mapped: 61000) }
        for place in 0...2 { add(.allocation(place), server, at: 0, mapped: 61002 + 2 * UInt16(place)) }
        for change in [NATExchange.Change.addressAndPort, .port] {
            add(.mapping, server, change, at: 20, mapped: 61000)
        }
        for round in 0..<8 {
            add(.filtering(server: 0), server, .port, at: 2 * round, mapped: nil)
            add(.filtering(server: 0), server, at: 2 * round, mapped: 61010)
        }
        evidence.endedAt = .microseconds(46_500)
        return evidence
    }

    private static var report: Report {
        var report = Report.empty
        report.nat = [NATRecord(evidence)]
        return report
    }

    @Test("In words: what is known with its confidence, from whom, and what it took beside what it has to take")
    func text() {
        #expect(
            TextRenderer(style: RenderingStyle()).text(of: Self.report).contains(
                """
                NAT (IPv4, UDP, from 192.168.1.5, seen as 203.0.113.7:61000)
                  mapping           endpoint-independent
                  filtering         address-and-port-dependent (confidence 99.99 %)
                  in RFC 3489       port-restricted cone
                  port allocation   sequential, in steps of 2
                  address pooling   paired
                  asked             198.51.100.1:3478: RFC 5780, other address 198.51.100.2:3479
                  took              46.5 ms on a round trip of 10 ms; 25 requests, 17 answers
                  at least          40 ms: 1 round trip and 30 ms in which 7 requests stay unanswered
                """))
    }

    @Test("In JSON: each verdict with its confidence")
    func json() {
        #expect(
            Self.report.json(pretty: false).contains(
                #"""
                "nat":[{"family":"ipv4","transport":"udp","sourceAddress":"192.168.1.5",\#
                "mappedAddress":"203.0.113.7:61000","mapping":{"value":"endpoint-independent","confidence":1,"method":"rfc5780"},\#
                "filtering":{"value":"address-and-port-dependent","confidence":0.999,"method":"rfc5780"},\#
                "portPreservation":{"value":false,"confidence":1},\#
                "portAllocation":{"value":"sequential","confidence":1},"portStep":2,\#
                "addressPooling":{"value":"paired","confidence":1},\#
                "hairpin":{"value":"unknown","confidence":0,"reason":"not asked; --hairpin asks"},\#
                "alg":{"value":false,"confidence":1},"legacyName":"port-restricted cone","method":"rfc5780",\#
                "servers":[{"serverAddress":"198.51.100.1:3478","use":"discovery",\#
                "otherAddress":"198.51.100.2:3479"}],"requests":25,"answers":17,"rttMs":10,"durationMs":46.5,\#
                "bound":{"roundTrips":1,"silenceMs":30,"durationMs":40}}]
                """#))
    }

    @Test("What is not known has its reason, and no confidence")
    func unknown() {
        var report = Report.empty
        report.nat = [NATRecord(NATEvidence(source: Self.source, servers: [Self.server]))]
        let text = TextRenderer(style: RenderingStyle()).text(of: report)
        #expect(text.contains("  mapping           unknown: 198.51.100.1:3478 gave no answer\n"))
        #expect(!text.contains("at least"))
        #expect(
            report.json(pretty: false).contains(
                #""mapping":{"value":"unknown","confidence":0,"reason":"198.51.100.1:3478 gave no answer"}"#))
    }

    @Test("What several servers tell is said to be theirs, and what another would add")
    func severalServers() {
        var evidence = NATEvidence(source: Self.source, servers: [Self.server, Self.other])
        evidence.localEndpoints = [.mapping: Endpoint(Self.source, 50000)]
        for (place, server) in evidence.servers.enumerated() {
            var exchange = NATExchange(
                socket: .mapping, server: place, destination: server, change: .none, sentAt: .zero)
            exchange.answer = NATExchange.Answer(
                after: .milliseconds(10), source: server, mappedAddress: Endpoint(IPAddress(203, 0, 113, 7), 61000))
            evidence.exchanges.append(exchange)
        }
        var report = Report.empty
        report.nat = [NATRecord(evidence)]
        let text = TextRenderer(style: RenderingStyle()).text(of: report)
        #expect(text.contains("  mapping           endpoint-independent, by what several servers see of one socket\n"))
        let words = text.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        #expect(words.contains("; a server that speaks RFC 5780 would tell port allocation"))
        #expect(report.json(pretty: false).contains(#""method":"several-servers""#))
    }

    @Test("A gateway that rewrites payloads is said")
    func alg() {
        var evidence = Self.evidence
        evidence.exchanges[0].answer?.plainAddress = Endpoint(Self.source, 50000)
        var report = Report.empty
        report.nat = [NATRecord(evidence)]
        #expect(
            TextRenderer(style: RenderingStyle()).text(of: report).contains("  ALG               something on the way"))
        #expect(report.json(pretty: false).contains(#""alg":{"value":true,"confidence":1}"#))
    }
}
