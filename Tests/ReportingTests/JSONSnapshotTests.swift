import NetTypes
import Reporting
import Testing

@Suite("The JSON report")
struct JSONSnapshotTests {
    @Test("A whole report has its keys in their order, and none for what there is nothing to say of")
    func wholeReport() {
        #expect(
            Report.fixture.json(pretty: false) == #"""
                {"schema":"icecheck/report/1","tool":{"name":"icecheck","version":"0.1.0"},\#
                "startedAt":"2026-05-04T03:02:01Z","durationMs":5000.213,"timeoutMs":5000,\#
                "command":"icecheck check stun:stun.example.org --timeout 5","subject":"check","interrupted":true,\#
                "verdict":{"ok":true,"best":"server-reflexive","summary":"IPv4: behind a NAT. IPv6: no address.",\#
                "families":[{"family":"ipv4","ok":true,"best":"server-reflexive",\#
                "summary":"behind a NAT as 203.0.113.7"},{"family":"ipv6","ok":false,"best":"none",\#
                "summary":"no STUN server answered"}]},"interfaces":[{"name":"eth0","index":2,"kind":"ethernet",\#
                "up":true,"running":true,"pointToPoint":false,"mtuBytes":1500,\#
                "addresses":[{"address":"192.168.1.5","prefixLength":24,"family":"ipv4","realm":"private",\#
                "temporary":false,"deprecated":false,"tentative":false},{"address":"fe80::5","prefixLength":64,\#
                "family":"ipv6","realm":"link-local","scope":"link-local","temporary":false,"deprecated":false,\#
                "tentative":false},{"address":"2001:db8:1:2:3:4:5:6","prefixLength":64,"family":"ipv6",\#
                "realm":"documentation","scope":"global","temporary":true,"deprecated":true,"tentative":true}]},\#
                {"name":"tun0","index":7,"kind":"tunnel","up":true,"running":true,"pointToPoint":true,\#
                "mtuBytes":1420,"addresses":[{"address":"100.64.0.9","prefixLength":32,"family":"ipv4",\#
                "realm":"shared-address-space","temporary":false,"deprecated":false,"tentative":false}]},\#
                {"name":"wlan0","index":3,"kind":"wireless","up":true,"running":false,"pointToPoint":false,\#
                "addresses":[]},{"name":"lan9","index":9,"kind":"other","up":false,"running":false,\#
                "pointToPoint":false,"mtuBytes":1500,"addresses":[]}],"candidates":[{"type":"host",\#
                "transport":"udp","address":"192.168.1.5","port":51234,"baseAddress":"192.168.1.5",\#
                "basePort":51234,"interface":"eth0","interfaceKind":"ethernet","priority":2130706431,\#
                "foundation":"1","sdp":"candidate:1 1 udp 2130706431 192.168.1.5 51234 typ host","temporary":true,\#
                "deprecated":false,"offered":true},{"type":"host","transport":"tcp","tcpType":"active",\#
                "address":"192.168.1.5","port":9,"baseAddress":"192.168.1.5","basePort":9,"interface":"eth0",\#
                "interfaceKind":"ethernet","priority":2105524479,"foundation":"2",\#
                "sdp":"candidate:2 1 tcp 2105524479 192.168.1.5 9 typ host tcptype active","temporary":false,\#
                "deprecated":false,"offered":true},{"type":"server-reflexive","transport":"udp",\#
                "address":"203.0.113.7","port":62000,"baseAddress":"192.168.1.5","basePort":51234,\#
                "interface":"eth0","interfaceKind":"ethernet","priority":1694498815,"foundation":"3",\#
                "sdp":"candidate:3 1 udp 1694498815 203.0.113.7 62000 typ srflx raddr 192.168.1.5 rport 51234",\#
                "server":"stun:stun.example.org","temporary":false,"deprecated":false,"offered":true},\#
                {"type":"host","transport":"udp","address":"fe80::5","port":0,"baseAddress":"fe80::5",\#
                "basePort":0,"interface":"eth0","priority":1,"foundation":"4",\#
                "sdp":"candidate:4 1 udp 1 fe80::5 0 typ host","temporary":false,"deprecated":true,\#
                "offered":false,"withheld":"link-local: browsers do not offer it"}],\#
                "stun":[{"server":"stun:stun.example.org","transport":"udp","family":"ipv4",\#
                "serverAddress":"198.51.100.1:3478","ok":true,"mappedAddress":"203.0.113.7:62000",\#
                "localAddress":"192.168.1.5:51234","rttMs":23.412,"rttClock":"kernel","attempts":1,\#
                "software":"Coturn-4.6.1","otherAddress":"198.51.100.2:3479","responseOrigin":"198.51.100.1:3478",\#
                "answeredFrom":"198.51.100.1:3478"},{"server":"stun:stun.example.org","transport":"udp",\#
                "family":"ipv4","serverAddress":"198.51.100.3:3478","ok":true,"mappedAddress":"203.0.113.7:62000",\#
                "localAddress":"192.168.1.5:51234","rttMs":1000,"rttClock":"user","rttAmbiguous":true,\#
                "attempts":2,"software":"\\u{1b}]0;evil\\u{7}\\x{ff}","softwareHex":"1b5d303b6576696c07ff",\#
                "answeredFrom":"198.51.100.4:3478","rewrittenAddress":"192.168.1.5:62000","legacy":true,\#
                "remarks":["two SOFTWARE attributes; the first counts"],"ignored":[{"reason":"malformed",\#
                "count":2,"from":"198.51.100.3:3478","detail":"length beyond the datagram"},{"reason":"duplicate",\#
                "count":1,"from":"198.51.100.3:3478"}],"pathErrors":[{"kind":"port-unreachable",\#
                "from":"198.51.100.3"},{"kind":"port-unreachable","from":"198.51.100.3"},{"kind":"other-icmp"}]},\#
                {"server":"stun:stun.example.org","transport":"tcp","family":"ipv6",\#
                "serverAddress":"[2001:db8::1]:3478","ok":true,"mappedAddress":"203.0.113.7:62000",\#
                "localAddress":"192.168.1.5:51234","rttMs":1.301,"rttClock":"kernel","attempts":51,\#
                "software":"Coturn-4.6.1","otherAddress":"198.51.100.2:3479","responseOrigin":"198.51.100.1:3478",\#
                "answeredFrom":"198.51.100.1:3478","statistics":{"sent":50,"received":49,"lossRatio":0.02,\#
                "minMs":0.213,"medianMs":1.301,"maxMs":20.512,"jitterMs":0.099}},\#
                {"server":"stun:silent.example.org:3479","transport":"udp","family":"ipv4",\#
                "serverAddress":"198.51.100.9:3479","ok":false,"localAddress":"192.168.1.5:51234","attempts":5,\#
                "statistics":{"sent":5,"received":0,"lossRatio":1},"error":{"kind":"timeout",\#
                "message":"no answer to 5 requests within 4.9 s"}},{"server":"stun:refusing.example.org",\#
                "transport":"udp","family":"ipv4","serverAddress":"198.51.100.10:3478","ok":false,\#
                "localAddress":"192.168.1.5:51234","attempts":1,"error":{"kind":"error-response",\#
                "message":"it answered with error 420 (Unknown Attribute)","code":420,"reason":"No\\u{202e}pe",\#
                "reasonHex":"4e6fe280ae70650000","from":"192.0.2.1"}},{"server":"stun:nowhere.invalid",\#
                "transport":"udp","ok":false,"attempts":0,"error":{"kind":"name-not-resolved",\#
                "message":"A nowhere.invalid: no such name"}},{"server":"stun:stun.example.org","transport":"udp",\#
                "family":"ipv6","ok":false,"attempts":0,"notMeasured":{"reason":"no-route",\#
                "detail":"no IPv6 route"}}],"notMeasured":[{"what":"stun:stun.example.org","family":"ipv6",\#
                "reason":"no-route","detail":"no IPv6 route: ENETUNREACH"}],\#
                "findings":[{"id":"other-address-not-global","severity":"note",\#
                "title":"The server is behind a NAT itself","evidence":["OTHER-ADDRESS 10.0.0.2:3479"],\#
                "causes":["It is configured with its private address"],"remedy":""},{"id":"server-silent",\#
                "severity":"warning","title":"A server does not answer","servers":["stun:silent.example.org:3479"],\#
                "family":"ipv4","transport":"udp","evidence":["no answer to 7 requests within 5 s"],"causes":["It is down"],\#
                "remedy":"Take it out of iceServers."},{"id":"udp-blocked","severity":"error",\#
                "title":"UDP does not leave this network","evidence":["0 of 3 servers answered over UDP",\#
                "2 of 3 answered over TCP"],\#
                "causes":["A firewall on the way drops UDP to all ports but 53, which is usual in networks of companies and hotels",\#
                "A VPN carries TCP only"],\#
                "remedy":"Allow UDP to port 3478 or offer a relay over TCP or TLS: turns:turn.example.org:443?transport=tcp."}]}
                """#)
    }

    @Test("The command writes it for people to read, with a newline at its end")
    func pretty() {
        #expect(
            Report.empty.rendered(as: .json, style: RenderingStyle()) == """
                {
                  "schema": "icecheck/report/1",
                  "tool": {
                    "name": "icecheck",
                    "version": "0.1.0"
                  },
                  "startedAt": "2026-05-04T03:02:01Z",
                  "durationMs": 1,
                  "timeoutMs": 5000,
                  "command": "icecheck",
                  "subject": "check",
                  "verdict": {
                    "ok": false,
                    "best": "none",
                    "summary": "Nothing could be measured.",
                    "families": []
                  },
                  "notMeasured": [],
                  "findings": []
                }

                """)
    }
}
