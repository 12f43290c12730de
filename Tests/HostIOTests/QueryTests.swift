import NetTypes
import Testing

@testable import HostIO

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
}
