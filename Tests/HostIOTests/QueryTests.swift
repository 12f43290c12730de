import NetTypes
import Testing

@testable import HostIO

/// One after the other: the C library keeps one view of resolv.conf for the process, and one of these replaces it.
@Suite(.serialized)
struct QueryTests {
    /// Runs until every question is answered, or for `limit`.
    static func ask(_ questions: [SystemQuery], within limit: Duration = .seconds(8)) throws -> [SystemAnswer?] {
        let outputs = questions.enumerated().map { Output.query(QueryID(UInt32($0)), $1) }
        var engine = ScriptedEngine(outputs) { engine, _ in
            engine.isFinished = engine.answers.count == questions.count
        }
        _ = try Driver().run(&engine, until: MonotonicClock.now + limit)
        return questions.indices.map { index in engine.answers.first { $0.query.number == index }?.answer }
    }

    @Test func theHostsFileAndNumbersAreAnswered() throws {
        let answers = try Self.ask([
            .addresses(name: "localhost", family: .ipv4),
            .addresses(name: "127.0.0.9", family: .ipv4),
            .addresses(name: "::1", family: .ipv6),
            .addresses(name: "127.0.0.9", family: .ipv6),
        ])
        #expect(
            answers == [
                .addresses([.loopback]), .addresses([IPAddress(127, 0, 0, 9)]), .addresses([.loopbackIPv6]),
                .failed(.noRecords),
            ])
    }

    @Test(arguments: [
        SystemQuery.addresses(name: "no-such-host.invalid", family: .ipv4),
        .serviceRecords(name: "_stun._udp.no-such-host.invalid"),
        .namingAuthorityPointers(name: "no-such-host.invalid"),
    ])
    func aNameThatCannotExistFails(question: SystemQuery) throws {
        // RFC 6761 s6.4. What the machine's resolver says of it is its own affair; here it may be absent as well.
        let answer = try #require(try Self.ask([question], within: .seconds(30)).first)
        guard case .failed = answer else {
            Issue.record("\(String(describing: answer))")
            return
        }
    }

    @Test(arguments: ["", String(repeating: "a", count: 64) + ".invalid", String(repeating: "a.", count: 600)])
    func aNameOutsideTheRulesFailsAndDoesNotCrash(name: String) throws {
        let answer = try #require(try Self.ask([.addresses(name: name, family: .ipv4)]).first)
        guard case .failed = answer else {
            Issue.record("\(String(describing: answer))")
            return
        }
    }

    @Test func theSourceOfARouteIsKnownWithoutAPacket() throws {
        let remote = Endpoint(IPAddress(127, 0, 0, 7), 3478)
        let answers = try Self.ask([
            .source(to: remote, interface: nil), .source(to: remote, interface: "lo"),
            .source(to: remote, interface: "no-such-if"),
        ])
        #expect(answers[0] == .source(.loopback))
        #expect(answers[1] == .source(.loopback))
        guard case .failed(.noRoute(let errno)) = answers[2] else {
            Issue.record("\(String(describing: answers[2]))")
            return
        }
        #expect(PathError.Kind(errno: errno) == .noSuchInterface)
    }

    /// An engine that is a DNS server on 127.0.0.1:53 as well, and answers by the first label of the name.
    static func askOwnServer(_ questions: [SystemQuery], until deadline: Duration) throws -> ScriptedEngine {
        try Namespace.inside {
            Namespace.shell(
                """
                mount -t tmpfs none /mnt; echo nameserver 127.0.0.1 > /mnt/resolv.conf
                mount --bind /mnt/resolv.conf /etc/resolv.conf
                """)
            let server = Output.openUDP(PathID(1), at: Endpoint(.loopback, 53))
            let outputs = questions.enumerated().map { Output.query(QueryID(UInt32($0)), $1) }
            var engine = ScriptedEngine([server] + outputs) { engine, input in
                if case .datagram(let datagram) = input, let response = response(to: datagram.bytes) {
                    engine.outputs.append(
                        .transmit(Transmit(path: datagram.path, destination: datagram.source, bytes: response)))
                }
                engine.isFinished = engine.answers.count == questions.count
            }
            _ = try Driver().run(&engine, until: MonotonicClock.now + deadline)
            return engine
        }
    }

    /// The header and question of the query again, with a response code and records; nil is silence.
    private static func response(to query: [UInt8]) -> [UInt8]? {
        guard query.count > 16 else { return nil }
        let label = String(decoding: query[13..<(13 + Int(query[12]))], as: UTF8.self)
        let codes: [String: UInt8] = ["servfail": 2, "nx": 3, "refused": 5, "empty": 0, "a": 0]
        guard let code = codes[label], let end = query[12...].firstIndex(of: 0), end + 5 <= query.count else {
            return nil
        }
        let isAddress = label == "a" && query[end + 2] == 1
        let record: [UInt8] = [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 7]
        return query[..<2] + [0x81, 0x80 | code, 0, 1, 0, isAddress ? 1 : 0, 0, 0, 0, 0] + query[12..<(end + 5)]
            + (isAddress ? record : [])
    }

    @Test(.enabled(if: Namespace.isPermitted, "network namespaces are not permitted here"))
    func eachFailureOfTheDNSHasItsOwnNameAndASilentServerDelaysNoOther() throws {
        let names = ["a", "nx", "empty", "servfail", "refused"]
        let started = MonotonicClock.now
        let engine = try Self.askOwnServer(
            [.addresses(name: "silent.test", family: .ipv4)]
                + names.map { .addresses(name: "\($0).test", family: .ipv4) }
                + [.serviceRecords(name: "nx.test"), .namingAuthorityPointers(name: "refused.test")],
            until: .seconds(2))
        let answers = Dictionary(uniqueKeysWithValues: engine.answers.map { ($0.query.number, $0.answer) })
        #expect(answers[0] == nil)
        #expect(answers[1] == .addresses([IPAddress(192, 0, 2, 7)]))
        #expect(answers[2] == .failed(.noSuchName))
        #expect(answers[3] == .failed(.noRecords))
        #expect(answers[4] == .failed(.resolverFailed("SERVFAIL")))
        #expect(answers[5] == .failed(.resolverFailed("REFUSED")))
        #expect(answers[6] == .failed(.noSuchName))
        #expect(answers[7] == .failed(.resolverFailed("REFUSED")))
        let slowest = try #require(engine.answers.map(\.at).max())
        #expect(slowest - started < .seconds(1))
    }
}
