import NetTypes
import Testing

@testable import Engines

struct CandidateTests {
    @Test(
        "a line comes back to the letter",
        arguments: [
            "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host",
            "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.5 rport 46154 generation 0 "
                + "ufrag EEtu network-id 3 network-cost 10",
            "candidate:Rc+/9 256 udp 1 2001:db8::1 9 typ relay raddr 0.0.0.0 rport 0",
            "candidate:4 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
            "candidate:4 1 tcp 1518280447 192.0.2.1 0 typ host tcptype active",
            "candidate:5 2 tcp 1509957375 192.0.2.1 50001 typ prflx raddr 10.0.0.1 rport 9 tcptype so x y",
            "candidate:6 1 udp 2122260223 0ed2a3c1-7cfa-4f6d-9c4e-8a1d5a0b7f52.local 50000 typ host generation 0",
            "candidate:7 1 udp 4294967295 turn.example.org 1 typ host",
            "candidate:8 1 udp 7 192.0.2.1 1 typ host url stun:example.org empty  next 1",
        ])
    func roundTrip(_ line: String) throws {
        let candidate = try Candidate(parsingAttribute: line)
        #expect(candidate.description == line)
        #expect(candidate.sdp == "a=" + line)
        #expect(try Candidate(parsingAttribute: "a=\(line)\r\n") == candidate)
    }

    @Test("each field is read, and what ICE does not know is kept in order")
    func fields() throws {
        let candidate = try Candidate(
            parsingAttribute: "a=candidate:842163049 1 UDP 1677729535 203.0.113.7 46154 typ srflx generation 0 "
                + "raddr 10.0.0.5 rport 46155 network-cost 10")
        #expect(candidate.kind == .serverReflexive)
        #expect(candidate.kind.name == "server-reflexive")
        #expect(candidate.transport == .udp)
        #expect(candidate.component == 1)
        #expect(candidate.foundation == "842163049")
        #expect(candidate.priority == 1_677_729_535)
        #expect(candidate.endpoint == Endpoint(IPAddress(203, 0, 113, 7), 46154))
        #expect(candidate.relatedAddress == .address(IPAddress(10, 0, 0, 5)))
        #expect(candidate.relatedPort == 46155)
        #expect(
            candidate.extensions == [.init(name: "generation", value: "0"), .init(name: "network-cost", value: "10")])
    }

    @Test("no zone leaves the machine")
    func zone() {
        let address = IPAddress(v6: 0xFE80 << 112 | 1, zone: 7)
        let candidate = Candidate(
            .host, foundation: "1", priority: 1, endpoint: Endpoint(address, 1), related: Endpoint(address, 2))
        #expect(candidate.sdp == "a=candidate:1 1 udp 1 fe80::1 1 typ host raddr fe80::1 rport 2")
    }

    @Test(
        "each refusal says the place and the rule",
        arguments: [
            ("", 0, "begins with"),
            ("m=audio 9", 0, "begins with"),
            ("candidate:", 10, "the foundation is missing"),
            ("candidate:1", 11, "the component is missing"),
            ("candidate: 1 udp 1 192.0.2.1 1 typ host", 10, "foundation is missing here"),
            ("candidate:a-b 1 udp 1 192.0.2.1 1 typ host", 10, "1 to 32"),
            ("candidate:1 0 udp 1 192.0.2.1 1 typ host", 12, "1 to 256"),
            ("candidate:1 257 udp 1 192.0.2.1 1 typ host", 12, "1 to 256"),
            ("candidate:1 1 sctp 1 192.0.2.1 1 typ host", 14, "udp or tcp"),
            ("candidate:1 1 udp 0 192.0.2.1 1 typ host", 18, "4294967295"),
            ("candidate:1 1 udp 4294967296 192.0.2.1 1 typ host", 18, "4294967295"),
            ("candidate:1 1 udp 99999999999999999999999 192.0.2.1 1 typ host", 18, "4294967295"),
            ("candidate:1 1 udp -1 192.0.2.1 1 typ host", 18, "4294967295"),
            ("candidate:1 1 udp 1 192.0.2.256 1 typ host", 20, "four numbers"),
            ("candidate:1 1 udp 1 [2001:db8::1] 1 typ host", 20, "without brackets"),
            ("candidate:1 1 udp 1 fe80::1%eth0 1 typ host", 27, "no zone"),
            ("candidate:1 1 udp 1 -h 1 typ host", 20, "begins or ends with '-'"),
            ("candidate:1 1 udp 1 192.0.2.1 70000 typ host", 30, "0 to 65535"),
            ("candidate:1 1 udp 1 192.0.2.1 0 typ host", 30, "port 0"),
            ("candidate:1 1 udp 1 192.0.2.1 1 host", 32, "'typ'"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ", 35, "the type is missing"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ local", 36, "srflx"),
            ("candidate:1  1 udp 1 192.0.2.1 1 typ host", 12, "one space"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ host generation", 51, "no value"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ host ", 41, "pairs"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr x_y% rport 1", 51, "zone"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ srflx rport 1 rport 2", 50, "once"),
            ("candidate:1 1 tcp 1 192.0.2.1 1 typ host", 40, "tcptype"),
            ("candidate:1 1 tcp 1 192.0.2.1 1 typ host tcptype both", 49, "active, passive or so"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ host tcptype so", 41, "TCP only"),
            ("candidate:1 1 udp 1 192.0.2.1 1\u{1B}typ host", 31, "control"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ host\na=x", 40, "control"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ host\0", 40, "control"),
        ])
    func refusals(_ line: String, _ offset: Int, _ words: String) {
        let error = #expect(throws: CandidateError.self) { try Candidate(parsingAttribute: line) }
        #expect(error?.offset == offset)
        #expect(error?.message.contains(words) == true, "\(error?.description ?? "")")
        #expect(error?.description.unicodeScalars.contains("\u{1B}") == false)
    }

    @Test("a line of ten megabytes and one of a thousand attributes are refused")
    func limits() {
        let line = "candidate:1 1 udp 1 192.0.2.1 1 typ host"
        #expect(throws: CandidateError.self) {
            try Candidate(parsingAttribute: line + String(repeating: " a b", count: 10 << 18))
        }
        #expect(throws: CandidateError.self) {
            try Candidate(parsingAttribute: line + String(repeating: " a b", count: 1000))
        }
    }
}
