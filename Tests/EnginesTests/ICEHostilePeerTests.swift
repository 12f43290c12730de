import Engines
import NetTypes
import STUN
import Testing

/// Rows I01 to I06 of the faults: what a peer, or someone who is none, can do to an agent.
@Suite struct ICEHostilePeerTests {
    @Test func aPeerThatRefusesEveryRoleEndsAfterTwoChanges() throws {
        var script = ICEScript()
        script.signal()
        for _ in 0..<20 {
            guard let request = script.lastRequest else { break }
            script.receive(script.error(487, to: request))
            script.pass(.milliseconds(20))
        }
        #expect(script.agent.pairs.first?.failure == .roleConflict)
        let changes = script.events.filter { if case .roleChanged = $0 { true } else { false } }
        #expect(changes.count == 2)
        #expect(script.sent.count == 3)
    }

    @Test func theLargerTieBreakerControls() throws {
        for (role, theirs, expected, answer) in [
            (ICERole.controlling, UInt64.max, ICERole.controlled, "success"), (.controlling, 0, .controlling, "487"),
            (.controlled, UInt64.max, .controlled, "487"), (.controlled, 0, .controlling, "success"),
        ] {
            var script = ICEScript(role)
            script.signal()
            script.receive(script.check(1, role: role, tieBreaker: theirs))
            #expect(script.agent.role == expected && script.answers == [answer])
        }
    }

    @Test func requestsThatAreNotThePeersCreateNoState() throws {
        var script = ICEScript()
        script.signal()
        let own = script.agent.localCredentials.usernameFragment
        let stranger = Endpoint(IPAddress(203, 0, 113, 66), 666)
        let messages: [(bytes: [UInt8], answer: String?)] = [
            (script.check(1, password: "wrongwrongwrongwrongwrong"), "401"),
            (script.check(2, username: "someone:else"), "401"),
            (script.check(3, username: own), "401"),
            (script.check(4) { $0.appendRaw(AttributeType(rawValue: 0x7777), [1, 2, 3, 4]) }, "420"),
            (Array(script.check(5).prefix(40)), nil), ([0, 1, 0, 0], nil), ([UInt8](repeating: 0, count: 20), nil),
            ([], nil),
        ]
        let events = script.events.count
        for message in messages {
            let before = script.answers.count
            script.receive(message.bytes, from: stranger)
            #expect(Array(script.answers[before...]) == [message.answer].compactMap(\.self))
        }
        var builder = MessageBuilder(.request, .binding, TransactionID(high: 1, low: 1))
        builder.appendFingerprint()
        script.receive(builder.bytes, from: stranger)
        #expect(script.answers.last == "400")
        #expect(script.agent.remoteCandidates.count == 1 && script.agent.pairs.count == 1)
        // Nothing to the stranger but answers.
        script.pass(.seconds(20))
        let toStranger = script.sent.filter { $0.destination == stranger }
        #expect(toStranger.count == 5)
        #expect(script.events.count > events)
    }

    @Test func anAnswerFromElsewhereFailsThePairAndIsTold() throws {
        var script = ICEScript()
        script.signal()
        let request = try #require(script.lastRequest)
        let other = Endpoint(IPAddress(198, 51, 100, 2), 7777)
        script.receive(script.success(to: request), from: other)
        #expect(script.agent.pairs.first?.failure == .notSymmetric(source: other))
    }

    @Test func answersThatAreNotSignedByThePeerAreNoAnswers() throws {
        var script = ICEScript()
        script.signal()
        let request = try #require(script.lastRequest)
        script.receive(script.success(to: request, password: "anotheranotheranotheranother"))
        script.receive(script.error(400, to: request, isSigned: false))
        #expect(script.agent.pairs.first?.state == .inProgress)
        script.pass(.seconds(12))
        // Told where nothing better came.
        #expect(script.agent.pairs.first?.failure == .errorResponse(code: 400, reason: Array("Bad Request".utf8)))
    }

    @Test func aCandidateThatNeverAnswersGetsFivePackets() throws {
        var script = ICEScript()
        script.signal()
        script.pass(.seconds(60))
        let times = script.sent.count
        #expect(times == 5)
        #expect(script.agent.state == .failed)
        #expect(script.agent.pairs.first?.failure == .noAnswer(transmissions: 5))
    }

    @Test func thousandsOfCandidatesMakeAHundredPairsAtTheMost() throws {
        var script = ICEScript()
        let candidates = (0..<10_000).map { (number: Int) -> Candidate in
            let address = IPAddress(198, 51, 100, UInt8(number % 250 + 1))
            return ICEScript.candidate(
                Endpoint(address, UInt16(1000 + number / 250)), priority: UInt32(1000 + number))
        }
        script.signal(candidates)
        #expect(script.agent.remoteCandidates.count == ICEConfiguration.mostRemoteCandidates)
        #expect(script.agent.pairs.count { $0.state != .failed } == ICEConfiguration.mostPairs)
        let refused = script.events.filter { if case .remoteRefused(_, .tooMany) = $0 { true } else { false } }
        #expect(refused.count == 10_000 - ICEConfiguration.mostRemoteCandidates)
    }

    @Test func checksKeepTheirPaceAndTheirTimeoutGrowsWithThem() throws {
        var script = ICEScript()
        let candidates = (0..<60).map { (number: Int) -> Candidate in
            let endpoint = Endpoint(IPAddress(198, 51, 100, UInt8(number + 1)), 6000)
            return Candidate(
                .host, foundation: "f\(number)", priority: UInt32(1000 + number), endpoint: endpoint)
        }
        script.signal(candidates)
        #expect(script.sent.count == 1)
        script.pass(.milliseconds(95))
        // Ta is 10 ms: at 0, 10 ... 90 ms.
        #expect(script.sent.count == 10)
        script.pass(.milliseconds(500))
        // RFC 8445 s14.3: the first was sent when 60 waited, so that it is repeated after 600 ms and not after 500.
        #expect(script.sent.count == 60)
        #expect(Set(script.sent.map(\.destination)).count == 60)
    }

    @Test func oneAddressGetsABurstOfFortyAndThenFiftyASecondWithAllRepetitions() throws {
        var script = ICEScript()
        let candidates = (0..<100).map { (number: Int) -> Candidate in
            let endpoint = Endpoint(ICEScript.remote.address, UInt16(6000 + number))
            return Candidate(.host, foundation: "f\(number)", priority: UInt32(1000 + number), endpoint: endpoint)
        }
        script.signal(candidates)
        var times: [Instant] = []
        for _ in 0..<3000 {
            let before = script.sent.count
            script.pass(.milliseconds(5))
            times += Array(repeating: script.now, count: script.sent.count - before)
        }
        #expect(times.count > 300)
        for first in times.indices {
            for last in times.indices[first...] {
                let most = 40 + (times[last] - times[first] + .milliseconds(5)).nanoseconds / 20_000_000
                guard last - first + 1 > most else { continue }
                Issue.record("\(last - first + 1) datagrams within \(times[last] - times[first])")
                return
            }
        }
    }

    @Test func candidatesThatNoHostHasAreRefused() throws {
        var script = ICEScript(.controlling) { $0.refusesPrivate = true }
        let addresses = [
            IPAddress(224, 0, 0, 1), IPAddress(255, 255, 255, 255), IPAddress(0, 0, 0, 0),
            IPAddress(v6: 0xFF02 << 112 | 1),
            IPAddress(10, 0, 0, 1), IPAddress(127, 0, 0, 1),
        ]
        script.signal(addresses.map { ICEScript.candidate(Endpoint($0, 6000)) })
        script.pass(.seconds(1))
        #expect(script.sent.isEmpty)
        let refusals = script.events.compactMap { event -> ICERefusal? in
            if case .remoteRefused(_, let why) = event { why } else { nil }
        }
        #expect(refusals == [.noHost, .noHost, .noHost, .noHost, .private, .private])
    }

    @Test func checksThatComeBeforeTheirCredentialsAreAnsweredAndTakenUpLater() throws {
        var script = ICEScript(.controlled)
        script.receive(script.check(1, nominates: true, role: .controlling))
        #expect(script.answers == ["success"] && script.agent.pairs.isEmpty)
        let peer = script.peer
        script.command { agent, now in agent.setRemote(peer, at: now) }
        let request = try #require(script.lastRequest)
        #expect(script.agent.remoteCandidates.first?.kind == .peerReflexive)
        script.receive(script.success(to: request))
        #expect(script.agent.state == .connected)
    }

    @Test func oneICMPMessageEndsNoCheckAndThreeDo() throws {
        var script = ICEScript()
        script.signal()
        for count in 1...3 {
            let request = try #require(script.sent.last)
            script.give(
                .pathError(
                    PathError(
                        path: script.path, kind: .portUnreachable, origin: .icmp(from: ICEScript.remote.address),
                        destination: ICEScript.remote, quoted: request.bytes)))
            #expect((script.agent.pairs.first?.state == .failed) == (count == 3))
            script.pass(.seconds(2))
        }
        #expect(
            script.agent.pairs.first?.failure == .path(.portUnreachable, from: ICEScript.remote.address))
    }

    @Test func consentIsRevokedByASigned403AndByNothingElse() throws {
        for (isSigned, isRevoked) in [(true, true), (false, false)] {
            var script = ICEScript(.controlled)
            script.signal()
            script.receive(script.check(1, nominates: true, role: .controlling))
            script.receive(script.success(to: try #require(script.lastRequest)))
            #expect(script.agent.state == .connected)
            script.command { agent, now in agent.probe(at: now) }
            script.receive(script.error(403, to: try #require(script.lastRequest), isSigned: isSigned))
            #expect((script.agent.state == .disconnected) == isRevoked)
        }
    }

    @Test func anOldAnswerIsNoConsent() throws {
        var script = ICEScript(.controlled)
        script.signal()
        script.receive(script.check(1, nominates: true, role: .controlling))
        let answer = script.success(to: try #require(script.lastRequest))
        script.receive(answer)
        script.pass(.seconds(20))
        // Replayed for ever, it keeps nothing alive.
        for _ in 0..<4 {
            script.receive(answer)
            script.pass(.seconds(5))
        }
        #expect(script.agent.state == .disconnected)
    }

    @Test func twoNATsThatNeverMeetMakeNoEndlessChainOfCandidates() throws {
        var script = ICEScript()
        script.signal()
        for number in 0..<200 as Range<UInt64> {
            script.receive(script.check(number), from: Endpoint(ICEScript.remote.address, UInt16(10_000 + number)))
            script.pass(.milliseconds(20))
        }
        #expect(script.agent.pairs.count <= 10)
    }
}
