import Engines
import NetTypes
import Planning

@testable import Diagnosis
@testable import Reporting

extension Report {
    /// A report with every kind of part and of outcome.
    static var fixture: Report {
        Report(
            toolVersion: "0.1.0", startedAt: "2026-05-04T03:02:01Z", duration: .microseconds(5_000_213),
            command: "icecheck check stun:stun.example.org --timeout 5", timeout: .seconds(5), isInterrupted: true,
            verdict: Verdict(
                isOK: true, best: .serverReflexive, summary: "IPv4: behind a NAT. IPv6: no address.",
                families: [
                    .init(family: .ipv4, isOK: true, best: .serverReflexive, summary: "behind a NAT as 203.0.113.7"),
                    .init(family: .ipv6, isOK: false, best: .none, summary: "no STUN server answered"),
                ]),
            interfaces: NetworkInterface.fixtures, candidates: CandidateRecord.fixtures, stun: STUNResult.fixtures,
            notMeasured: [
                NotMeasured(
                    what: "stun:stun.example.org", family: .ipv6, reason: .noRoute, detail: "no IPv6 route: ENETUNREACH"
                )
            ],
            findings: Finding.fixtures)
    }

    /// What `icecheck candidates` reports with no server to ask.
    static var candidatesFixture: Report {
        var report = empty
        report.subject = .candidates
        report.verdict = Verdict(isOK: true, best: .host, summary: "IPv4: 2 host candidates.", families: [])
        report.interfaces = NetworkInterface.fixtures
        report.candidates = CandidateRecord.fixtures
        return report
    }

    /// What `icecheck stun --count` reports.
    static var seriesFixture: Report {
        var report = empty
        report.subject = .stun
        report.verdict.summary = "1 of 2 servers gave no answer that can be used."
        report.stun = STUNResult.fixtures.filter { $0.statistics != nil }
        return report
    }

    /// What `icecheck stun` reports of a server that answers and one that refuses.
    static var refusedFixture: Report {
        var report = empty
        report.subject = .stun
        report.stun = [STUNResult.fixtures[0], STUNResult.fixtures[4]]
        report.findings = Finding.fixtures.filter { $0.severity == .warning }
        return report
    }

    /// Nothing but what every report has.
    static var empty: Report {
        Report(
            toolVersion: "0.1.0", startedAt: "2026-05-04T03:02:01Z", duration: .milliseconds(1), command: "icecheck",
            timeout: .seconds(5),
            verdict: Verdict(isOK: false, best: .none, summary: "Nothing could be measured.", families: []))
    }
}

extension NetworkInterface {
    static var fixtures: [NetworkInterface] {
        [
            NetworkInterface(
                name: "eth0", index: 2, kind: .ethernet,
                addresses: [
                    Address(IPAddress(192, 168, 1, 5), prefixLength: 24),
                    Address(.linkLocalFixture, prefixLength: 64),
                    Address(
                        IPAddress(v6: 0x2001_0DB8_0001_0002_0003_0004_0005_0006), prefixLength: 64, isTemporary: true,
                        isDeprecated: true, isTentative: true),
                ]),
            NetworkInterface(
                name: "tun0", index: 7, kind: .tunnel, isPointToPoint: true, mtu: 1420,
                addresses: [Address(IPAddress(100, 64, 0, 9), prefixLength: 32)]),
            NetworkInterface(name: "wlan0", index: 3, kind: .wireless, isRunning: false, mtu: nil),
            NetworkInterface(name: "lan9", index: 9, kind: .other, isUp: false, isRunning: false),
        ]
    }
}

extension IPAddress {
    /// With a zone, which no output may show.
    static var linkLocalFixture: IPAddress { IPAddress(v6: 0xFE80 << 112 | 0x5, zone: 2) }
}

extension CandidateRecord {
    static var fixtures: [CandidateRecord] {
        let base = Endpoint(IPAddress(192, 168, 1, 5), 51234)
        return [
            CandidateRecord(
                candidate: Candidate(.host, foundation: "1", priority: 2_130_706_431, endpoint: base), base: base,
                interface: "eth0", interfaceKind: .ethernet, isTemporary: true),
            CandidateRecord(
                candidate: Candidate(
                    .host, transport: .tcp, tcpType: .active, foundation: "2", priority: 2_105_524_479,
                    endpoint: Endpoint(base.address, 9)),
                base: Endpoint(base.address, 9), interface: "eth0", interfaceKind: .ethernet),
            CandidateRecord(
                candidate: Candidate(
                    .serverReflexive, foundation: "3", priority: 1_694_498_815,
                    endpoint: Endpoint(IPAddress(203, 0, 113, 7), 62000), related: base),
                base: base, interface: "eth0", interfaceKind: .ethernet, server: "stun:stun.example.org"),
            CandidateRecord(
                candidate: Candidate(
                    .host, foundation: "4", priority: 1, endpoint: Endpoint(.linkLocalFixture, 0)),
                base: Endpoint(.linkLocalFixture, 0), interface: "eth0", isDeprecated: true,
                withheld: "link-local: browsers do not offer it"),
        ]
    }
}

extension Finding {
    static var fixtures: [Finding] {
        [
            Finding(
                OtherAddressNotGlobal.kinds[0], title: "The server is behind a NAT itself",
                evidence: ["OTHER-ADDRESS 10.0.0.2:3479"], causes: ["It is configured with its private address"],
                remedy: ""),
            Finding(
                ServerSilent.kinds[0],
                about: [FindingScope(servers: ["stun:silent.example.org:3479"], family: .ipv4, transport: .udp)],
                severity: .warning, title: "A server does not answer",
                evidence: ["no answer to 7 requests within 5 s"], causes: ["It is down"],
                remedy: "Take it out of iceServers."),
            Finding(
                UDPBlocked.kinds[0], title: "UDP does not leave this network",
                evidence: ["0 of 3 servers answered over UDP", "2 of 3 answered over TCP"],
                causes: [
                    "A firewall on the way drops UDP to all ports but 53, which is usual in networks of companies and "
                        + "hotels",
                    "A VPN carries TCP only",
                ],
                remedy: "Allow UDP to port 3478 or offer a relay over TCP or TLS: "
                    + "turns:turn.example.org:443?transport=tcp."),
        ]
    }
}
