import Engines
import NetTypes
import STUN
import Testing

/// Peers that do what this side never does: answer only (RFC 8445 s2.5), or nominate each pair at once (RFC 5245).
@Suite struct ICEPeerKindTests {
    @Test func aLitePeerIsControlledAndSelectedByItsAnswersAlone() throws {
        var script = ICEScript(.controlled)
        let peer = script.peer
        script.command { agent, now in
            agent.setRemote(peer, isLite: true, at: now)
            agent.addRemote(ICEScript.candidate(ICEScript.remote), at: now)
            agent.endRemoteCandidates(at: now)
        }
        #expect(script.agent.role == .controlling)
        // It sends no check of its own: the first answer makes the pair valid, the second selects it.
        for _ in 0..<2 {
            let request = try #require(script.lastRequest)
            #expect(request.first(.iceControlling) != nil)
            script.receive(script.success(to: request))
            script.pass(.milliseconds(200))
        }
        #expect(script.agent.selectedPair?.remote.endpoint == ICEScript.remote)
        #expect(script.events.contains { if case .stateChanged(.connected) = $0 { true } else { false } })
    }

    @Test func ofSeveralPairsThatThePeerNominatesTheHighestIsSelected() throws {
        let other = Endpoint(IPAddress(198, 51, 100, 3), 6001)
        var script = ICEScript(.controlled)
        script.signal([
            ICEScript.candidate(other, priority: 1_000_000), ICEScript.candidate(ICEScript.remote),
        ])
        for (number, source) in [other, ICEScript.remote].enumerated() {
            script.receive(
                script.check(UInt64(number + 1), nominates: true, role: .controlling), from: source)
            script.pass(.milliseconds(50))
            let requests = script.sent.filter { $0.destination == source }
                .compactMap { try? Message(decoding: $0.bytes) }.filter { $0.messageClass == .request }
            let request = try #require(requests.last)
            script.receive(script.success(to: request), from: source)
        }
        #expect(script.agent.selectedPair?.remote.endpoint == ICEScript.remote)
    }
}
