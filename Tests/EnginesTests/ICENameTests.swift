import Engines
import NetTypes
import STUN
import Testing

/// Candidates whose address is a name (N07).
@Suite struct ICENameTests {
    private static let name = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9.local"

    private func candidate(_ name: String, port: UInt16 = 6000) -> Candidate {
        Candidate(
            .host, foundation: "1", priority: 2_130_706_431, address: .name(name), port: port)
    }

    /// An A record as a responder gives it.
    private func answer(to question: [UInt8], _ address: IPAddress) -> [UInt8] {
        var bytes = Array(question[..<2]) + [0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]
        bytes += question[12...]
        return bytes + [0xC0, 12, 0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4] + address.bytes
    }

    @Test func theResolversAnswerMakesTheCandidateAPair() throws {
        var script = ICEScript()
        script.signal([candidate("host.example")])
        #expect(script.agent.pairs.isEmpty)
        script.give(.answer(QueryID(0), .addresses([ICEScript.remote.address])))
        #expect(script.agent.pairs.first?.remote.endpoint == ICEScript.remote)
        #expect(script.sent.map(\.destination) == [ICEScript.remote])
    }

    @Test func theLinksAnswerMakesTheCandidateAPairWhenTheResolverHasNone() throws {
        var script = ICEScript()
        script.signal([candidate(Self.name), candidate(Self.name, port: 6001)])
        script.give(.opened(PathID(1), local: Endpoint(ICEScript.local.address, 5353)))
        script.give(.answer(QueryID(0), .failed(.noSuchName)))
        let question = try #require(script.sent.first { $0.path == PathID(1) })
        #expect(question.destination == Endpoint(IPAddress(224, 0, 0, 251), 5353))
        script.give(
            .datagram(
                Datagram(
                    path: PathID(1), source: Endpoint(ICEScript.remote.address, 5353),
                    bytes: answer(to: question.bytes, ICEScript.remote.address), arrivedAt: script.now)))
        #expect(
            script.agent.pairs.map(\.remote.endpoint) == [
                ICEScript.remote, Endpoint(ICEScript.remote.address, 6001),
            ])
    }

    @Test func aNameThatLeadsNowhereIsToldAfterTwoSeconds() throws {
        var script = ICEScript()
        script.signal([candidate(Self.name)])
        script.give(.opened(PathID(1), local: Endpoint(ICEScript.local.address, 5353)))
        script.give(.answer(QueryID(0), .failed(.noSuchName)))
        script.pass(.milliseconds(1900))
        let isRefused = { (script: ICEScript) in
            script.events.contains { if case .remoteRefused(_, .notResolved) = $0 { true } else { false } }
        }
        #expect(!isRefused(script))
        script.pass(.milliseconds(200))
        #expect(isRefused(script))
        // Twice to the group, each an A question: this machine has no IPv6.
        #expect(script.sent.count { $0.path == PathID(1) } == 2)
    }

    @Test func whereTheGroupCannotBeJoinedTheLinkIsAskedFromAPortOfItsOwn() throws {
        var script = ICEScript()
        script.signal([candidate(Self.name)])
        script.give(
            .pathError(PathError(path: PathID(1), kind: .addressInUse, origin: .local, errno: 98, isFatal: true)))
        script.give(.opened(PathID(2), local: Endpoint(ICEScript.local.address, 40_000)))
        let question = try #require(script.sent.first { $0.path == PathID(2) })
        script.give(
            .datagram(
                Datagram(
                    path: PathID(2), source: Endpoint(ICEScript.remote.address, 5353),
                    bytes: answer(to: question.bytes, ICEScript.remote.address), arrivedAt: script.now)))
        #expect(script.agent.pairs.first?.remote.endpoint == ICEScript.remote)
    }

    @Test func aPeerCannotHaveThisMachineAskTheLinkForNamesOfItsChoice() throws {
        var script = ICEScript()
        script.signal([candidate("printer.local")])
        script.give(.opened(PathID(1), local: Endpoint(ICEScript.local.address, 5353)))
        script.pass(.seconds(5))
        #expect(script.sent.isEmpty)
    }

    @Test func aHundredNamesAreNotAHundredQuestions() throws {
        var script = ICEScript()
        script.signal((0..<100).map { candidate("host\($0).example") })
        let refused = script.events.filter { if case .remoteRefused(_, .notResolved) = $0 { true } else { false } }
        #expect(refused.count == 84)
    }
}
