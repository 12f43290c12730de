import NetTypes
import STUN
import Testing

@testable import Engines

@Suite struct TURNAuthenticationTests {
    private func run(_ server: TURNServer, _ configuration: TURNConfiguration = TURNHarness.configuration())
        -> TURNHarness
    {
        var harness = TURNHarness(server, configuration)
        harness.run(for: .seconds(100))
        return harness
    }

    /// A01.
    @Test(arguments: [false, true])
    func secondUnauthenticatedWithTheSameRealmMeansThatTheCredentialIsRefused(isReliable: Bool) {
        var server = TURNServer()
        server.refusesCredentials = true
        let harness = run(server, TURNHarness.configuration(isReliable: isReliable))
        #expect(harness.failures.map(\.failure) == [.credentialsRefused(realm: Array("example.org".utf8))])
        #expect(harness.server.methods == [.allocate, .allocate])
        #expect(harness.time(\.isFailed) == 40)
        #expect(harness.client.isFinished)
    }

    @Test func wrongPasswordIsRefusedByTheServersOwnCheck() {
        let harness = run(TURNServer(), TURNHarness.configuration(password: "pen"))
        #expect(harness.failures.map(\.failure) == [.credentialsRefused(realm: Array("example.org".utf8))])
    }

    @Test func serverThatAsksForCredentialsWhereNoneAreGivenIsToldFromARefusal() {
        let harness = run(TURNServer(), TURNConfiguration(credential: nil))
        #expect(harness.failures.map(\.failure) == [.credentialsNeeded(realm: Array("example.org".utf8))])
        #expect(harness.sent.count == 1)
    }

    /// A02.
    @Test func threeNewNoncesAreTakenAndNoMore() {
        var server = TURNServer()
        server.acceptsNonces = false
        let harness = run(server)
        #expect(harness.failures.map(\.failure) == [.nonceNeverAccepted(newNonces: 3)])
        // Unsigned, signed, and once for each of three new nonces.
        #expect(harness.server.methods.count == 5)
    }

    @Test func staleNonceIsRenewedAndCostsARoundTrip() throws {
        var server = TURNServer()
        server.nonceUses = 1
        var harness = TURNHarness(server)
        harness.client.createPermission(for: [TURNHarness.peer.address])
        harness.run(for: .seconds(1))
        #expect(harness.time(\.isPermitted) == 80)
        #expect(harness.server.methods == [.allocate, .allocate, .createPermission, .createPermission])
        #expect(harness.server.requests[3].rawValue(.nonce) == Array("nonce-2".utf8))
    }

    /// A03.
    @Test func secondRealmIsTriedAndAThirdIsNot() {
        var server = TURNServer()
        server.override = { message, server in
            var copy = server
            copy.realm = "realm-\(server.requests.count)"
            return [copy.challenge(401, message)]
        }
        let harness = run(server)
        #expect(
            harness.failures.map(\.failure)
                == [.realmKeepsChanging(realms: (1...3).map { Array("realm-\($0)".utf8) })])
        #expect(harness.server.methods.count == 3)
    }

    @Test func realmThatComesBackIsNotTriedTwice() {
        var server = TURNServer()
        server.override = { message, server in
            var copy = server
            copy.realm = server.requests.count % 2 == 1 ? "a" : "b"
            return [copy.challenge(401, message)]
        }
        let harness = run(server)
        #expect(harness.failures.map(\.failure) == [.credentialsRefused(realm: Array("a".utf8))])
        #expect(harness.server.methods.count == 3)
    }

    /// A04, A05: no credentials are sent.
    @Test(
        arguments: [
            (nil, Array("n".utf8), TURNBrokenChallenge.missing(.realm)),
            (Array("r".utf8), nil, .missing(.nonce)),
            (Array("r".utf8), [], .unusable(.empty(.nonce))),
            ([], Array("n".utf8), .unusable(.empty(.realm))),
            (Array(repeating: 65, count: 764), Array("n".utf8), .unusable(.tooLong(.realm, bytes: 764, limit: 763))),
            (
                Array("r".utf8), Array(repeating: 65, count: 40_000),
                .unusable(.tooLong(.nonce, bytes: 40_000, limit: 763))
            ),
        ] as [([UInt8]?, [UInt8]?, TURNBrokenChallenge)])
    func brokenChallengeEndsIt(realm: [UInt8]?, nonce: [UInt8]?, problem: TURNBrokenChallenge) {
        var server = TURNServer()
        server.override = { message, _ in
            var builder = MessageBuilder(.errorResponse, message.method, message.transactionID)
            builder.append(.errorCode, ErrorCode(401))
            if let realm { builder.append(.realm, realm) }
            if let nonce { builder.append(.nonce, nonce) }
            return [builder.bytes]
        }
        let harness = run(server)
        #expect(harness.failures.map(\.failure) == [.brokenChallenge(problem)])
        #expect(harness.sent.count == 1)
    }

    /// A05: over the RFC's 127 characters and within its bytes, it is sent back, and said.
    @Test func longRealmIsSentBackAndRemarkedOn() throws {
        var server = TURNServer()
        server.realm = String(repeating: "r", count: 763)
        let allocated = try #require(run(server).allocated)
        #expect(allocated.authentication?.exceedsCharacterLimit == true)
    }

    /// A06.
    @Test(arguments: [TURNServer.Integrity.unsigned, .wrong])
    func successThatIsNotSignedIsNoSuccess(integrity: TURNServer.Integrity) {
        var server = TURNServer()
        server.successIntegrity = integrity
        var harness = TURNHarness(server)
        harness.run(for: .milliseconds(4700))
        #expect(harness.allocated == nil && !harness.events.contains { $0.event.isAllocated })
        harness.run(for: .seconds(60))
        #expect(harness.failures.first?.failure == .notAuthenticated(discarded: 7, transmissions: 7))
        // The challenge took 20 ms: RTO is three times that, and the schedule 79 of it.
        #expect(harness.time(\.isFailed) == 4760)
        #expect(harness.client.discards[.unauthenticatedSuccess] ?? 0 >= 7)
        #expect(harness.events.filter { $0.event == .discarded(.unauthenticatedSuccess) }.count == 1)
    }

    /// A07: coturn's 437 is no timeout; at a round trip of 20 ms it waits for 60 ms more. Over a stream there is nothing
    /// to wait for.
    @Test(arguments: [(false, Int64(100)), (true, 40)])
    func unsignedErrorIsHeldForOneTimeoutAndSaidToBeUnauthenticated(isReliable: Bool, time: Int64) throws {
        var server = TURNServer()
        server.errors = [.allocate: 437]
        server.errorIntegrity = .unsigned
        let harness = run(server, TURNHarness.configuration(isReliable: isReliable))
        #expect(harness.time(\.isFailed) == time)
        guard case .errorResponse(let error)? = harness.failures.first?.failure else {
            Issue.record("no error response: \(harness.failures)")
            return
        }
        #expect(error.code == 437 && !error.isAuthenticated && error.answersSigned && error.attempt == 2)
        #expect(error.suggestsNewFiveTuple && error.method == .allocate)
        #expect(error.reason == Array("Allocation Mismatch".utf8))
        // T01: this engine does not try again; that takes another five-tuple.
        #expect(harness.server.methods == [.allocate, .allocate])
    }

    @Test func unsignedErrorWaitsForTheSchedulesTimeoutWhereNoRoundTripIsKnown() {
        var server = TURNServer()
        server.errors = [.allocate: 437]
        server.errorIntegrity = .unsigned
        var harness = TURNHarness(server)
        // The first request is answered only the second time: which one was answered is not known.
        harness.losesFromClient = { $0 == 0 }
        harness.run(for: .seconds(10))
        #expect(harness.time(\.isFailed) == 1040)
        // While it waits nothing is sent again: there is an answer.
        #expect(harness.sentTimes == [0, 500, 520])
    }

    @Test func signedAnswerBeatsAnUnsignedErrorBeforeIt() {
        var server = TURNServer()
        server.override = { message, server in
            guard message.first(.realm) != nil, message.method == .allocate else { return nil }
            var copy = server
            copy.override = nil
            var forged = server
            forged.errorIntegrity = .unsigned
            return [forged.error(500, to: message)] + copy.receive(message.bytes)
        }
        let harness = run(server)
        #expect(harness.failures.isEmpty && harness.allocated != nil)
    }

    /// T02: each is a verdict of its own, at once where it is signed, and nothing is tried again.
    @Test(arguments: [400, 403, 405, 420, 437, 440, 441, 442, 443, 446, 447, 486, 500, 508])
    func signedErrorEndsItAtOnce(code: Int) {
        var server = TURNServer()
        server.errors = [.allocate: code]
        let harness = run(server)
        #expect(harness.time(\.isFailed) == 40)
        guard case .errorResponse(let error)? = harness.failures.first?.failure else {
            Issue.record("no error response: \(harness.failures)")
            return
        }
        #expect(error.code == code && error.isAuthenticated)
        #expect(harness.server.methods == [.allocate, .allocate] && harness.client.isFinished)
    }

    @Test func errorWithAWrongIntegrityIsNotBelieved() {
        var server = TURNServer()
        server.errors = [.allocate: 486]
        server.errorIntegrity = .wrong
        let harness = run(server)
        #expect(harness.failures.first?.failure == .notAuthenticated(discarded: 7, transmissions: 7))
        #expect(harness.client.discards[.wrongIntegrity] ?? 0 >= 7)
    }

    /// A13.
    @Test func replayedSuccessIsNotTakenTwice() {
        var server = TURNServer()
        server.override = { message, server in
            var copy = server
            copy.override = nil
            let replies = copy.receive(message.bytes)
            return message.method == .allocate ? replies + replies : nil
        }
        let harness = run(server)
        #expect(harness.events.filter { $0.event.isAllocated }.count == 1)
        #expect(harness.client.discards[.noTransaction] == 2)
    }

    // MARK: RFC 8489

    @Test func sha256AndUserhashAreUsedWhereTheServerOffersThem() throws {
        var server = TURNServer()
        server.algorithms = [.md5, .sha256]
        server.features = [.passwordAlgorithms, .usernameAnonymity]
        let harness = run(server)
        let authentication = try #require(harness.allocated?.authentication)
        #expect(authentication.algorithm == .sha256 && authentication.usesUserhash)
        let request = harness.server.requests[1]
        #expect(request.first(.username) == nil && request.first(.messageIntegrity) == nil)
        #expect(try request.value(.passwordAlgorithm) == [.sha256])
    }

    /// A09.
    @Test func strongestKnownAlgorithmIsUsedAndNoneInCommonIsSaid() {
        var server = TURNServer()
        server.features = [.passwordAlgorithms]
        server.algorithms = [.md5]
        #expect(run(server).allocated?.authentication?.algorithm == .md5)
        server.algorithms = [PasswordAlgorithm(number: 9), .sha256]
        #expect(run(server).allocated?.authentication?.algorithm == .sha256)
        server.algorithms = [PasswordAlgorithm(number: 9), PasswordAlgorithm(number: 12)]
        let harness = run(server)
        #expect(harness.failures.map(\.failure) == [.noCommonAlgorithm(numbers: [9, 12])])
        #expect(harness.sent.count == 1)
    }

    /// A08.
    @Test func missingAlgorithmsThatTheNoncePromisesEndIt() {
        var server = TURNServer()
        server.features = [.passwordAlgorithms]
        let harness = run(server)
        #expect(harness.failures.map(\.failure) == [.possibleDowngrade(.passwordAlgorithmsMissing)])
        #expect(harness.sent.count == 1)
    }

    @Test(
        arguments: [
            ([PasswordAlgorithm.md5], [.passwordAlgorithms, .usernameAnonymity], TURNDowngrade.algorithmsWeakened),
            (nil, [], .algorithmsWeakened),
            ([.sha256], [.passwordAlgorithms], .usernameAnonymityGone),
        ] as [([PasswordAlgorithm]?, NonceCookie.Features, TURNDowngrade)])
    func protectionThatGoesAwayLaterEndsIt(
        algorithms: [PasswordAlgorithm]?, features: NonceCookie.Features, downgrade: TURNDowngrade
    ) {
        var server = TURNServer()
        server.algorithms = [.sha256]
        server.features = [.passwordAlgorithms, .usernameAnonymity]
        server.override = { message, server in
            guard message.first(.realm) != nil else { return nil }
            var weaker = server
            weaker.algorithms = algorithms
            weaker.features = features
            return [weaker.challenge(438, message)]
        }
        #expect(run(server).failures.map(\.failure) == [.possibleDowngrade(downgrade)])
    }

    @Test func weakerIntegrityInAReplyCountsAsNone() {
        var server = TURNServer()
        server.algorithms = [.md5]
        server.features = [.passwordAlgorithms]
        server.override = { message, server in
            guard message.first(.realm) != nil else { return nil }
            var weaker = server
            weaker.algorithms = nil
            return [weaker.success(message) { $0.append(.xorRelayedAddress, server.relayed[0]) }]
        }
        let harness = run(server)
        #expect(harness.allocated == nil)
        #expect(harness.failures.first?.failure == .notAuthenticated(discarded: 7, transmissions: 7))
    }

    // MARK: RFC 7635

    private func token(_ macKey: [UInt8]) throws -> TURNConfiguration {
        TURNConfiguration(
            credential: try LongTermCredential(keyID: "user", accessToken: Array("token".utf8), macKey: macKey))
    }

    @Test func tokenSignsWithItsWholeKey() throws {
        var server = TURNServer()
        server.macKey = Array(1...20)
        let harness = run(server, try token(Array(1...20)))
        let authentication = try #require(harness.allocated?.authentication)
        #expect(authentication.usesToken && !authentication.truncatesKey)
        #expect(harness.server.requests[1].rawValue(.accessToken) == Array("token".utf8))
        #expect(harness.server.requests[1].rawValue(.username) == Array("user".utf8))
    }

    /// A11.
    @Test func coturnsCutKeyIsTriedSecondAndSaid() throws {
        var server = TURNServer()
        server.macKey = Array(1...16)
        let harness = run(server, try token(Array(1...20)))
        #expect(harness.allocated?.authentication?.truncatesKey == true)
        #expect(harness.allocated?.roundTrips == 3)
    }

    @Test func tokenThatIsRefusedWithBothKeysIsRefused() throws {
        var server = TURNServer()
        server.macKey = Array(101...120)
        let harness = run(server, try token(Array(1...20)))
        #expect(harness.failures.map(\.failure) == [.credentialsRefused(realm: Array("example.org".utf8))])
        #expect(harness.server.methods.count == 3)
        server.macKey = nil
        let other = run(server, try token(Array(1...20)))
        #expect(other.failures.map(\.failure) == [.tokenNotTaken(realm: Array("example.org".utf8))])
        #expect(other.sent.count == 1)
    }

    @Test func sizeOfTheKeyIsKnown() throws {
        let usual = try LongTermCredential(keyID: "k", accessToken: [1], macKey: Array(1...20))
        let odd = try LongTermCredential(keyID: "k", accessToken: [1], macKey: Array(1...19))
        #expect(usual.macKeySize == 20 && odd.macKeySize == 19)
    }

    // MARK: Credentials

    /// A10.
    @Test func credentialThatCannotBeSentIsRefusedWithItsReason() {
        #expect(throws: CredentialError.tooLong(.username, bytes: 509, limit: 508)) {
            try LongTermCredential(username: String(repeating: "u", count: 509), password: "p")
        }
        #expect(throws: CredentialError.unprepared(.username, .disallowed(.control, index: 1))) {
            try LongTermCredential(username: "u\0", password: "p")
        }
        #expect(throws: CredentialError.unprepared(.password, .empty)) {
            try LongTermCredential(username: "u", password: "")
        }
        #expect(throws: CredentialError.empty(.macKey)) {
            try LongTermCredential(keyID: "k", accessToken: [1], macKey: [])
        }
        #expect(throws: CredentialError.tooLong(.accessToken, bytes: 1025, limit: 1024)) {
            try LongTermCredential(keyID: "k", accessToken: Array(repeating: 1, count: 1025), macKey: [1])
        }
    }

    @Test func passwordAppearsInNoDescription() throws {
        let canary = "canary-5f1c"
        var server = TURNServer()
        server.password = canary
        let harness = run(server, TURNHarness.configuration(password: canary))
        #expect(harness.allocated != nil)
        #expect(!harness.sent.contains { String(decoding: $0.bytes, as: UTF8.self).contains(canary) })
        let credential = try LongTermCredential(username: "user", password: canary)
        let rest = TURNREST.credential(secret: canary, user: "u", expiry: 1_700_000_000)
        let key = "\(server.key)"
        for value in [credential, harness.client, harness.client.configuration, rest] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in [String(describing: value), String(reflecting: value), dumped] {
                #expect(!text.contains(canary) && !text.contains(key) && !text.contains("\(Array(canary.utf8))"))
                #expect(!text.contains(rest.revealPassword()))
            }
        }
    }
}
