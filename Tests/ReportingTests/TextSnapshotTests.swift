import NetTypes
import Reporting
import Testing

@Suite("The report for people")
struct TextSnapshotTests {
    @Test("A whole report has the verdict first, then what to act on, then what was measured and what was not")
    func wholeReport() {
        #expect(
            Report.fixture.rendered(as: .text, style: RenderingStyle(width: 110)) == #"""
                ✔ IPv4: behind a NAT. IPv6: no address.
                  IPv4  behind a NAT as 203.0.113.7
                  IPv6  no STUN server answered
                  Interrupted: this is what was measured until then.

                Findings
                  ✘ error: UDP does not leave this network [udp-blocked]
                    seen    0 of 3 servers answered over UDP
                            2 of 3 answered over TCP
                    likely  1. A firewall on the way drops UDP to all ports but 53, which is usual in networks of companies
                               and hotels
                            2. A VPN carries TCP only
                    do      Allow UDP to port 3478 or offer a relay over TCP or TLS: turns:turn.example.org:443?transport=tcp.
                  ! warning: A server does not answer [server-silent]
                    seen    no answer to 7 requests within 5 s
                    likely  It is down
                    do      Take it out of iceServers.

                Candidates (3, and 1 not offered)
                  type              over        address            interface  kind        priority
                  host              udp         192.168.1.5:51234  eth0       ethernet  2130706431
                    temporary
                  host              tcp active  192.168.1.5:9      eth0       ethernet  2105524479
                  server-reflexive  udp         203.0.113.7:62000  eth0       ethernet  1694498815
                    base 192.168.1.5:51234, told by stun:stun.example.org
                  Not offered
                  host              udp         fe80::5            eth0                          1
                    link-local: browsers do not offer it, deprecated

                STUN servers (1 of 4 answered)
                    over  address             mapped address       RTT ms  min ms  median ms  max ms     lost  attempts
                  stun:stun.example.org
                  ✔ udp   198.51.100.1:3478   203.0.113.7:62000    23.412                                             1
                      Coturn-4.6.1; OTHER-ADDRESS 198.51.100.2:3479
                  ✔ udp   198.51.100.3:3478   203.0.113.7:62000  1000.000                                             2
                      \u{1b}]0;evil\u{7}\x{ff}
                      answered from 198.51.100.4:3478
                      MAPPED-ADDRESS says 192.168.1.5:62000: something on the way rewrites addresses
                      only MAPPED-ADDRESS, as in RFC 3489
                      RTT ambiguous: an earlier request may be the one that was answered
                      two SOFTWARE attributes; the first counts
                      ignored 2 replies (malformed) from 198.51.100.3:3478: length beyond the datagram
                      ignored 1 reply (duplicate) from 198.51.100.3:3478
                      port-unreachable from 198.51.100.3, 2 times
                      other-icmp
                  ✔ tcp   [2001:db8::1]:3478  203.0.113.7:62000             0.213      1.301  20.512  1 of 50
                      Coturn-4.6.1; OTHER-ADDRESS 198.51.100.2:3479
                      answered from 198.51.100.1:3478
                  stun:silent.example.org:3479
                  ✘ udp   198.51.100.9:3479                                                            5 of 5
                      timeout: no answer to 5 requests within 4.9 s
                  stun:refusing.example.org
                  ✘ udp   198.51.100.10:3478                                                                          1
                      error-response: it answered with error 420 (Unknown Attribute), reason "No\u{202e}pe"
                  stun:nowhere.invalid
                  ✘ udp
                      name-not-resolved: A nowhere.invalid: no such name
                  stun:stun.example.org
                  ? udp   IPv6
                      not measured (no route): no IPv6 route

                Not measured
                    what                   why
                  ? stun:stun.example.org  no route  no IPv6 route: ENETUNREACH

                Notes
                  · note: The server is behind a NAT itself [other-address-not-global]
                    seen    OTHER-ADDRESS 10.0.0.2:3479
                    likely  It is configured with its private address

                5 s of at most 5 s; icecheck 0.1.0; 2026-05-04T03:02:01Z; icecheck check stun:stun.example.org --timeout 5

                """#)
    }

    @Test("The candidates command shows interfaces, then candidates")
    func candidates() {
        #expect(
            Report.candidatesFixture.rendered(as: .text, style: RenderingStyle(width: 100)) == #"""
                ✔ IPv4: 2 host candidates.

                Interfaces (4)
                  name   kind      state        MTU  address
                  eth0   ethernet  up          1500  192.168.1.5/24
                    private
                                                     fe80::5/64
                    link-local
                                                     2001:db8:1:2:3:4:5:6/64
                    documentation, temporary, deprecated, tentative
                  tun0   tunnel    up          1420  100.64.0.9/32
                    shared by a carrier's customers, point-to-point
                  wlan0  wireless  no carrier
                    no address
                  lan9   other     down        1500
                    no address

                Candidates (3, and 1 not offered)
                  type              over        address            interface  kind        priority
                  host              udp         192.168.1.5:51234  eth0       ethernet  2130706431
                    temporary
                  host              tcp active  192.168.1.5:9      eth0       ethernet  2105524479
                  server-reflexive  udp         203.0.113.7:62000  eth0       ethernet  1694498815
                    base 192.168.1.5:51234, told by stun:stun.example.org
                  Not offered
                  host              udp         fe80::5            eth0                          1
                    link-local: browsers do not offer it, deprecated

                0.001 s of at most 5 s; icecheck 0.1.0; 2026-05-04T03:02:01Z; icecheck

                """#)
    }

    @Test("A series of requests shows its statistics")
    func series() {
        #expect(
            Report.seriesFixture.rendered(as: .text, style: RenderingStyle(width: 120)) == #"""
                ✘ 1 of 2 servers gave no answer that can be used.

                STUN servers (1 of 2 answered)
                    over  address             mapped address     min ms  median ms  max ms  jitter ms     lost
                  stun:stun.example.org
                  ✔ tcp   [2001:db8::1]:3478  203.0.113.7:62000   0.213      1.301  20.512      0.099  1 of 50
                      Coturn-4.6.1; OTHER-ADDRESS 198.51.100.2:3479
                      answered from 198.51.100.1:3478
                  stun:silent.example.org:3479
                  ✘ udp   198.51.100.9:3479                                                             5 of 5
                      timeout: no answer to 5 requests within 4.9 s

                0.001 s of at most 5 s; icecheck 0.1.0; 2026-05-04T03:02:01Z; icecheck

                """#)
    }

    @Test("On a narrow terminal without Unicode rows become records, in ASCII")
    func narrow() {
        #expect(
            Report.refusedFixture.rendered(as: .text, style: RenderingStyle(width: 44, isUnicode: false)) == #"""
                FAIL Nothing could be measured.

                Findings
                  ! warning: A server does not answer
                    [server-silent]
                    seen    no answer to 7 requests within 5
                            s
                    likely  It is down
                    do      Take it out of iceServers.

                STUN servers (1 of 2 answered)
                  stun:stun.example.org
                  ok   over            udp
                       address         198.51.100.1:3478
                       mapped address  203.0.113.7:62000
                       RTT ms          23.412
                       attempts        1
                       Coturn-4.6.1; OTHER-ADDRESS
                       198.51.100.2:3479
                  stun:refusing.example.org
                  FAIL over            udp
                       address         198.51.100.10:3478
                       attempts        1
                       error-response: it answered with
                       error 420 (Unknown Attribute), reason
                       "No\u{202e}pe"

                0.001 s of at most 5 s; icecheck 0.1.0;
                2026-05-04T03:02:01Z; icecheck

                """#)
    }

    @Test("Colour marks what is good and what is not, and goes nowhere else")
    func colour() {
        let plain = Report.fixture.rendered(as: .text, style: RenderingStyle())
        let coloured = Report.fixture.rendered(as: .text, style: RenderingStyle(isColoured: true))
        #expect(coloured.hasPrefix("\u{1b}[32m✔\u{1b}[0m IPv4: behind a NAT."))
        #expect(coloured.contains("  \u{1b}[31m✘\u{1b}[0m error: UDP"))
        #expect(coloured.replacing(/\u{1b}\[[0-9]+m/, with: "") == plain)
    }

    @Test("No line is wider than the terminal where there is a way to break it", arguments: [80, 100, 110, 140, 200])
    func widths(width: Int) {
        for report in [Report.fixture, .candidatesFixture, .seriesFixture, .refusedFixture] {
            let text = report.rendered(as: .text, style: RenderingStyle(width: width))
            #expect(text.split(separator: "\n").allSatisfy { $0.count <= width })
        }
    }
}

@Suite("Candidate lines")
struct CandidateLineTests {
    @Test("Only what is offered has a line")
    func offered() {
        #expect(
            Report.fixture.rendered(as: .sdp, style: RenderingStyle()) == """
                a=candidate:1 1 udp 2130706431 192.168.1.5 51234 typ host
                a=candidate:2 1 tcp 2105524479 192.168.1.5 9 typ host tcptype active
                a=candidate:3 1 udp 1694498815 203.0.113.7 62000 typ srflx raddr 192.168.1.5 rport 51234

                """)
        #expect(Report.empty.rendered(as: .sdp, style: RenderingStyle()) == "")
    }
}
