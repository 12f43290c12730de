import Reporting
import Testing

@Suite("The report of data from relay to relay")
struct RelayPairReportTests {
    @Test("Text shows each pair with its round trips, its loss, and what failed")
    func text() {
        #expect(
            Report.pairFixture.rendered(as: .text, style: RenderingStyle(width: 120)).contains(
                #"""
                From relay to relay (1 of 3 carry data)
                    from the relay      to the relay             min ms  RTT ms  p95 ms  jitter ms  overhead ms      lost  channel
                  ✔ 198.51.100.1:50001  198.51.100.1:50002       41.000  42.000  43.000      1.500        2.000    1 of 4  yes
                      turn:turn.example.org over udp
                  ✘ 198.51.100.1:50003  198.51.100.2:50004
                      turn:turn.example.org over udp, turn:other.example.org over udp
                      error-response: turn:other.example.org: it refused the CreatePermission with 403 (Forbidden), reason "Forbidden
                      IP"
                  ✘ 198.51.100.2:50005  198.51.100.2:50006                                                       24 of 24
                      turn:other.example.org over udp
                      no-data: of 24 datagrams none came
                  ? 198.51.100.2:50007  198.51.100.2:3478, IPv4
                      turn:other.example.org over udp
                      not measured (limit): no second allocation
                """#))
    }

    @Test("JSON has its keys in their order, and none for what there is nothing to say of")
    func json() {
        #expect(
            Report.pairFixture.json(pretty: false).contains(
                #"""
                "relayPairs":[{"first":{"server":"turn:turn.example.org","transport":"udp",\#
                "serverAddress":"198.51.100.1:3478","relayedAddress":"198.51.100.1:50001","rttMs":20,\#
                "permissionMs":21,"deleted":"confirmed"},"second":{"server":"turn:turn.example.org",\#
                "transport":"udp","serverAddress":"198.51.100.1:3478","relayedAddress":"198.51.100.1:50002",\#
                "peerAddress":"198.51.100.1:50001","rttMs":20,"permissionMs":21,"channelMs":22,\#
                "deleted":"confirmed"},"relayedFamily":"ipv4","sameServer":true,"ok":true,"relay":{"sent":4,\#
                "received":3,"lossRatio":0.25,"rttMs":42,"minMs":41,"p95Ms":43,"jitterMs":1.5,"overheadMs":2,\#
                "indications":{"sent":2,"arrived":2,"returned":2},"channel":{"sent":2,"arrived":2,\#
                "returned":1}},"tookMs":130},{"first":{"server":"turn:turn.example.org","transport":"udp",\#
                "serverAddress":"198.51.100.1:3478","relayedAddress":"198.51.100.1:50003","rttMs":20,\#
                "permissionMs":21,"deleted":"confirmed"},"second":{"server":"turn:other.example.org",\#
                "transport":"udp","serverAddress":"198.51.100.2:3478","relayedAddress":"198.51.100.2:50004",\#
                "rttMs":20,"deleted":"confirmed","errorCode":403},"relayedFamily":"ipv4","sameServer":false,\#
                "ok":false,"error":{"kind":"error-response",\#
                "message":"turn:other.example.org: it refused the CreatePermission with 403 (Forbidden)",\#
                "code":403,"reason":"Forbidden IP"}},{"first":{"server":"turn:other.example.org",\#
                "transport":"udp","serverAddress":"198.51.100.2:3478","relayedAddress":"198.51.100.2:50005",\#
                "rttMs":20,"permissionMs":21,"deleted":"confirmed"},\#
                "second":{"server":"turn:other.example.org","transport":"udp",\#
                "serverAddress":"198.51.100.2:3478","relayedAddress":"198.51.100.2:50006","rttMs":20,\#
                "permissionMs":21,"deleted":"confirmed"},"relayedFamily":"ipv4","sameServer":true,"ok":false,\#
                "relay":{"sent":24,"received":0,"lossRatio":1,"indications":{"sent":24,"arrived":0,\#
                "returned":0},"reverse":{"sent":24,"arrived":0}},"error":{"kind":"no-data",\#
                "message":"of 24 datagrams none came"}},{"first":{"server":"turn:other.example.org",\#
                "transport":"udp","serverAddress":"198.51.100.2:3478","relayedAddress":"198.51.100.2:50007",\#
                "rttMs":20,"permissionMs":21,"deleted":"confirmed"},\#
                "second":{"server":"turn:other.example.org","transport":"udp",\#
                "serverAddress":"198.51.100.2:3478","rttMs":20,"permissionMs":21,"deleted":"confirmed"},\#
                "relayedFamily":"ipv4","sameServer":true,"ok":false,"notMeasured":{"reason":"limit",\#
                "detail":"no second allocation"}}]
                """#))
    }

    @Test("No line is wider than the terminal where there is a way to break it", arguments: [80, 100, 120, 200])
    func widths(width: Int) {
        let text = Report.pairFixture.rendered(as: .text, style: RenderingStyle(width: width))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= width })
    }

    @Test("Without a pair there is no section and no key")
    func none() {
        var report = Report.empty
        report.relayPairs = []
        #expect(!report.rendered(as: .text, style: RenderingStyle()).contains("relay to relay"))
        #expect(!report.json(pretty: false).contains("relayPairs"))
    }
}
