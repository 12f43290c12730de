import NetTypes
import Reporting
import Testing

@Suite("The report of relays")
struct TURNReportTests {
    @Test("Text shows each attempt with its round trip, what failed, and what TLS showed")
    func text() {
        #expect(
            Report.relayFixture.rendered(as: .text, style: RenderingStyle(width: 120)) == #"""
                ✘ 1 of 4 relays carries data.

                TURN relays (1 of 4 carry data)
                    over  address            relayed address     allocated ms  RTT ms  p95 ms  jitter ms    lost
                  turns:turn.example.org
                  ✔ tls   198.51.100.1:5349  198.51.100.1:50000        41.000  42.000  44.000      2.000  1 of 6
                      Coturn-4.6.1; realm example.org; user 1777900000:alice; lifetime 120 s
                      TLSv1.3, TLS_AES_256_GCM_SHA384, handshake 31.500 ms, ALPN stun.turn
                      certificate for turn.example.org, 198.51.100.1, from CN=Example CA, until 2026-05-28
                      a chain of 2 certificates
                  turn:turn.example.org
                  ✘ udp   198.51.100.1:3478  IPv4
                      allocate: error-response: it refused the Allocate with 486 (Allocation Quota Reached), in an answer that is not
                      authenticated, reason "Allocation Quota Reached"
                      Coturn-4.6.1; realm example.org; user 1777900000:alice
                  turns:other.example.org?transport=udp
                  ✘ dtls  198.51.100.1:5349  IPv4
                      tls: tls: the DTLS handshake failed: the certificate is for turn.example.org
                      user 1777900000:alice
                      TLSv1.3, TLS_AES_256_GCM_SHA384, handshake 40.000 ms, ALPN stun.turn
                      certificate for turn.example.org, 198.51.100.1, from CN=Example CA, until 2026-05-28
                      a chain of 2 certificates
                  turn:turn.example.org
                  ? udp   IPv6
                      not measured (no route): no IPv6 route

                0.001 s of at most 5 s; icecheck 0.1.0; 2026-05-04T03:02:01Z; icecheck

                """#)
    }

    @Test("JSON has its keys in their order, and none for what there is nothing to say of")
    func json() {
        #expect(
            Report.relayFixture.json(pretty: false) == #"""
                {"schema":"icecheck/report/1","tool":{"name":"icecheck","version":"0.1.0"},\#
                "startedAt":"2026-05-04T03:02:01Z","durationMs":1,"timeoutMs":5000,"command":"icecheck","subject":"turn",\#
                "verdict":{"ok":false,"best":"relayed","summary":"1 of 4 relays carries data.",\#
                "families":[{"family":"ipv4","ok":false,"best":"relayed",\#
                "summary":"1 of 4 relays carries data"}]},"turn":[{"server":"turns:turn.example.org",\#
                "transport":"tls","family":"ipv4","serverAddress":"198.51.100.1:5349","ok":true,"stage":"relay",\#
                "username":"1777900000:alice","realm":"example.org","software":"Coturn-4.6.1",\#
                "relayedAddress":"198.51.100.1:50000","relayedFamily":"ipv4","mappedAddress":"203.0.113.7:62000",\#
                "localAddress":"192.168.1.5:51234","lifetimeS":120,"rttMs":20,"connectMs":20,"allocateMs":41,\#
                "allocateRoundTrips":2,"permissionMs":20,"channelMs":21,"tookMs":212,"tls":{"ok":true,\#
                "verified":true,"version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384","alpn":"stun.turn",\#
                "handshakeMs":31.5,"daysToExpiry":24,"chain":[{"subject":"CN=turn.example.org",\#
                "issuer":"CN=Example CA","names":["turn.example.org","198.51.100.1"],"notBefore":"2026-02-02",\#
                "notAfter":"2026-05-28","key":"EC 256","signature":"ecdsa-with-SHA256",\#
                "sha256":"abababababababababababababababababababababababababababababababab"},\#
                {"subject":"CN=Example CA","issuer":"CN=Example CA","notBefore":"2026-02-02",\#
                "notAfter":"2026-05-28","key":"EC 256","signature":"ecdsa-with-SHA256",\#
                "sha256":"abababababababababababababababababababababababababababababababab"}]},"relay":{"transport":"udp","way":"second-socket","sent":6,\#
                "received":5,"lossRatio":0.167,"rttMs":42,"minMs":40,"p95Ms":44,"jitterMs":2,"overheadMs":2,\#
                "peerAddress":"203.0.113.7:62001","indications":{"sent":3,"arrived":3,"returned":2},\#
                "channel":{"sent":3,"arrived":3,"returned":3}},"deleted":"confirmed"},\#
                {"server":"turn:turn.example.org","transport":"udp","family":"ipv4",\#
                "serverAddress":"198.51.100.1:3478","ok":false,"stage":"allocate","username":"1777900000:alice",\#
                "realm":"example.org","software":"Coturn-4.6.1","relayedFamily":"ipv4",\#
                "localAddress":"192.168.1.5:51234","tookMs":212,"redirects":["198.51.100.2:3478",\#
                "198.51.100.1:3478"],"error":{"kind":"error-response",\#
                "message":"it refused the Allocate with 486 (Allocation Quota Reached), in an answer that is not authenticated",\#
                "code":486,"reason":"Allocation Quota Reached"}},\#
                {"server":"turns:other.example.org?transport=udp","transport":"dtls","family":"ipv4",\#
                "serverAddress":"198.51.100.1:5349","ok":false,"stage":"tls","username":"1777900000:alice",\#
                "relayedFamily":"ipv4","localAddress":"192.168.1.5:51234","tookMs":212,"tls":{"ok":false,\#
                "verified":false,"version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384","alpn":"stun.turn",\#
                "handshakeMs":40,"daysToExpiry":24,"chain":[{"subject":"CN=turn.example.org",\#
                "issuer":"CN=Example CA","names":["turn.example.org","198.51.100.1"],"notBefore":"2026-02-02",\#
                "notAfter":"2026-05-28","key":"EC 256","signature":"ecdsa-with-SHA256",\#
                "sha256":"abababababababababababababababababababababababababababababababab"},\#
                {"subject":"CN=Example CA","issuer":"CN=Example CA","notBefore":"2026-02-02",\#
                "notAfter":"2026-05-28","key":"EC 256","signature":"ecdsa-with-SHA256",\#
                "sha256":"abababababababababababababababababababababababababababababababab"}],\#
                "faults":[{"kind":"wrong-name","detail":"turn.example.org","certificate":0}]},\#
                "error":{"kind":"tls",\#
                "message":"the DTLS handshake failed: the certificate is for turn.example.org"}},\#
                {"server":"turn:turn.example.org","transport":"udp","family":"ipv6","ok":false,"stage":"resolve",\#
                "notMeasured":{"reason":"no-route","detail":"no IPv6 route"}}],"notMeasured":[],"findings":[]}
                """#)
    }

    @Test("Without a server for it, the section says that none was asked")
    func noRelay() {
        var report = Report.empty
        report.turn = []
        #expect(report.rendered(as: .text, style: RenderingStyle()).contains("TURN relays\n  none asked\n"))
    }

    @Test("No line is wider than the terminal where there is a way to break it", arguments: [80, 100, 120, 200])
    func widths(width: Int) {
        let text = Report.relayFixture.rendered(as: .text, style: RenderingStyle(width: width))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= width })
    }
}
