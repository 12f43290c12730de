import Engines
import NetTypes
import STUN
import Server
import Testing

@Suite struct TURNServerAuthenticationTests {
    private typealias Client = TURNTestClient

    private func allocate(_ client: Client, _ fill: (inout MessageBuilder) -> Void = { _ in }) -> MessageBuilder {
        client.unsigned(.allocate) {
            $0.append(.requestedTransport, 17)
            fill(&$0)
        }
    }

    // MARK: Challenges

    @Test func anUnsignedRequestIsChallenged() throws {
        let client = try Client(try Client.server())
        let answer = try client.answer(allocate(client) { $0.append(.software, "a client of a known make") }.bytes)
        #expect(answer.code == 401)
        #expect(answer.rawValue(.realm) == Array(Client.realm.utf8))
        #expect(try answer.value(.passwordAlgorithms) == [.sha256, .md5])
        let nonce = try #require(answer.rawValue(.nonce))
        #expect(NonceCookie(nonce: nonce)?.features == [.passwordAlgorithms, .usernameAnonymity])
        #expect(answer.first(.messageIntegrity) == nil)
        #expect(answer.first(.username) == nil)
        // It is what every client gets, and no refusal.
        #expect(client.harness.allocationEvents.isEmpty)
    }

    /// The shortest Allocate, with the longest realm: a challenge of RFC 5389 still fits.
    @Test(arguments: ["icecheck", "example.org", "a.realm.with.thirty-two.bytes.xx"])
    func noChallengeIsLongerThanThreeTimesItsRequest(realm: String) throws {
        let relay = TURNServerConfiguration.Relay(bound: ServerHarness.primary)
        var turn = try TURNServerConfiguration(realm: realm, relays: [relay])
        try turn.addAccount(username: "user", password: "pencil")
        let configuration = STUNServerConfiguration(
            addresses: [.init(primary: ServerHarness.primary)], software: "a server of a known make")
        let harness = ServerHarness(configuration, turn: turn)
        let client = try Client(harness)
        for extra in stride(from: 0, through: 80, by: 4) {
            let request = allocate(client) {
                if extra > 0 { $0.append(.software, [UInt8](repeating: 65, count: extra)) }
            }
            let answers = client.send(request.bytes)
            try #require(answers.count == 1, "\(extra) bytes more get no challenge")
            #expect(answers[0].count <= 3 * request.bytes.count)
        }
    }

    @Test(arguments: [("twelve.bytes", true), ("thirteen.byte", false)])
    func theShortestAllocateIsOfferedSHA256WhereThatFits(realm: String, isOffered: Bool) throws {
        var turn = try TURNServerConfiguration(realm: realm, relays: [.init(bound: ServerHarness.primary)])
        try turn.addAccount(username: "user", password: "pencil")
        let addresses = [STUNServerConfiguration.Addresses(primary: ServerHarness.primary)]
        let harness = ServerHarness(STUNServerConfiguration(addresses: addresses), turn: turn)
        for overTCP in [false, true] {
            let client = try Client(harness, overTCP: overTCP)
            let answer = try client.answer(allocate(client).bytes)
            #expect((answer.first(.passwordAlgorithms) != nil) == (isOffered || overTCP))
            #expect((NonceCookie(nonce: answer.rawValue(.nonce) ?? []) != nil) == (isOffered || overTCP))
        }
    }

    @Test func aRealmThatIsTooLongIsRefusedAtTheStart() {
        #expect(throws: CredentialError.tooLong(.realm, bytes: 33, limit: 32)) {
            try TURNServerConfiguration(realm: String(repeating: "r", count: 33), relays: [])
        }
    }

    @Test func challengesAreHeldToTheRate() throws {
        let harness = try Client.server(adjustSTUN: { $0.rate = .init(perSecond: 10, burst: 5) })
        let client = try Client(harness)
        let answers = (0..<20).map { _ in client.send(allocate(client).bytes).count }.reduce(0, +)
        #expect(answers == 5)
        #expect(harness.server.counts.rateLimited == 15)
    }

    @Test func answersToUsersAreNotHeldToTheRate() throws {
        let harness = try Client.server(adjustSTUN: { $0.rate = .init(perSecond: 1, burst: 1) })
        let client = try Client(harness)
        #expect(try client.allocate().code == nil)
        for _ in 0..<50 { #expect(try client.refresh(600).lifetime == 600) }
    }

    // MARK: Integrity

    @Test(arguments: [LongTermKey.Algorithm.md5, .sha256], [false, true])
    func eachAlgorithmIsTakenAndTheAnswerSignedAlike(algorithm: LongTermKey.Algorithm, usesUserhash: Bool) throws {
        let client = try Client(try Client.server())
        client.algorithm = algorithm
        client.namesAlgorithms = true
        client.usesUserhash = usesUserhash
        // `ask` checks the integrity of each.
        #expect(try client.allocate().messageClass == .successResponse)
        #expect(try client.permit(Client.peer).messageClass == .successResponse)
        #expect(try client.bind(0x4000, to: Client.peer).messageClass == .successResponse)
        #expect(try client.refresh(0).lifetime == 0)
        guard case .made(let allocation, _) = client.harness.allocationEvents.first else {
            Issue.record("nothing was made")
            return
        }
        #expect(allocation.username == "user")
    }

    @Test func aServerOfRFC5389NamesNothing() throws {
        let client = try Client(try Client.server { $0.algorithms = nil })
        let answer = try client.answer(allocate(client) { $0.append(.software, "a client of a known make") }.bytes)
        let nonce = try #require(answer.rawValue(.nonce))
        #expect(NonceCookie(nonce: nonce) == nil)
        #expect(answer.first(.passwordAlgorithms) == nil)
        client.nonce = nonce
        #expect(try client.allocate().messageClass == .successResponse)
    }

    @Test func wrongCredentialsAre401WithANewNonce() throws {
        let wrongs: [(Client) -> Void] = [
            { $0.password = "pencils" }, { $0.username = "nobody" }, { $0.username = "1900000000:user" },
            { $0.algorithm = .sha256 },
        ]
        for (number, wrong) in wrongs.enumerated() {
            let client = try Client(try Client.server())
            try client.learnNonce()
            wrong(client)
            let answer = try client.answer(client.signed(.allocate) { $0.append(.requestedTransport, 17) })
            #expect(answer.code == 401, "case \(number)")
            #expect(answer.first(.nonce) != nil, "case \(number)")
            #expect(answer.first(.messageIntegrity) == nil, "case \(number)")
            #expect(client.harness.allocationEvents == [.refused(client.source, .allocate, code: 401)])
        }
    }

    @Test func anIntegrityWithoutItsAttributesIs400() throws {
        let client = try Client(try Client.server())
        try client.learnNonce()
        for missing in [AttributeType.username, .realm, .nonce] {
            var request = allocate(client)
            if missing != .username { request.append(.username, "user") }
            if missing != .realm { request.append(.realm, Client.realm) }
            if missing != .nonce { request.append(.nonce, client.nonce) }
            request.appendMessageIntegrity(key: client.key)
            let answer = try client.answer(request.bytes)
            #expect(answer.code == 400, "without \(missing)")
            #expect(answer.first(.nonce) == nil, "without \(missing)")
        }
    }

    /// RFC 8489 s9.2.4: somebody on the way took the better one out of the list.
    @Test(arguments: [[.md5], [.md5, .sha256], []] as [[PasswordAlgorithm]])
    func algorithmsThatWereNotOfferedAre400(list: [PasswordAlgorithm]) throws {
        let client = try Client(try Client.server())
        try client.learnNonce()
        client.namesAlgorithms = true
        client.offered = list
        #expect(try client.answer(client.signed(.allocate) { $0.append(.requestedTransport, 17) }).code == 400)
    }

    @Test func oneOfTheAlgorithmAttributesAloneIs400() throws {
        let client = try Client(try Client.server())
        try client.learnNonce()
        let request = client.signed(.allocate) {
            $0.append(.requestedTransport, 17)
            $0.append(.passwordAlgorithm, [.sha256])
        }
        #expect(try client.answer(request).code == 400)
    }

    // MARK: Nonces

    @Test func anOldNonceIs438WithANewOneThatIsGood() throws {
        let client = try Client.allocated { $0.nonceLifetime = .seconds(30) }
        client.harness.wait(atMost: .seconds(29))
        #expect(try client.refresh(600).lifetime == 600)
        client.harness.wait(atMost: .seconds(2))
        let stale = try client.refresh(600)
        #expect(stale.code == 438)
        #expect(client.isSigned(stale))
        #expect(stale.rawValue(.realm) == Array(Client.realm.utf8))
        #expect(try stale.value(.passwordAlgorithms) == [.sha256, .md5])
        client.nonce = try #require(stale.rawValue(.nonce))
        #expect(try client.refresh(600).lifetime == 600)
    }

    /// What was overheard and is sent again from forged sources makes no flood.
    @Test func signedRequestsWithAnOldNonceAreHeldToTheRate() throws {
        let harness = try Client.server(adjustSTUN: { $0.rate = .init(perSecond: 10, burst: 5) })
        let client = try Client(harness)
        client.nonce = [1]
        let request = client.signed(.allocate) { $0.append(.requestedTransport, 17) }
        let answers = (0..<20).flatMap { _ in client.send(request) }
        #expect(answers.count == 5)
        #expect(answers.allSatisfy { $0.count <= 3 * request.count })
    }

    @Test func aNonceIsGoodForItsAddressAlone() throws {
        let harness = try Client.server()
        let client = try Client(harness)
        #expect(try client.allocate().code == nil)
        let neighbour = try Client(harness, from: Endpoint(client.source.address, 40_001))
        neighbour.nonce = client.nonce
        #expect(try neighbour.allocate().code == nil)
        let stranger = try Client(harness, from: Endpoint(IPAddress(198, 51, 100, 99), 40_000))
        stranger.nonce = client.nonce
        #expect(try stranger.allocate().code == 438)
    }

    @Test func aNonceThatIsChangedAnywhereIsStale() throws {
        let client = try Client(try Client.server())
        try client.learnNonce()
        let good = client.nonce
        for index in good.indices {
            client.nonce = good
            client.nonce[index] ^= 1
            #expect(try client.allocate().code == 438, "byte \(index)")
        }
        for nonce in [[], [65], Array(good.dropLast()), good + [65], [UInt8](repeating: 0xFF, count: 700)] {
            client.nonce = nonce.isEmpty ? [0] : nonce
            #expect(try client.allocate().code == 438)
        }
    }

    // MARK: TURN REST

    private func restClient(expiry: Int64, secret: String = "north", user: String = "ann") throws -> Client {
        let client = try Client(try Client.server(secret: "north"))
        let credential = TURNREST.credential(secret: secret, user: user, expiry: expiry)
        client.username = credential.username
        client.password = credential.revealPassword()
        return client
    }

    @Test(arguments: ["ann", ""])
    func aCredentialOfTheSharedSecretIsTaken(user: String) throws {
        let client = try restClient(expiry: ServerHarness.startedAt + 60, user: user)
        #expect(try client.allocate().messageClass == .successResponse)
        client.algorithm = .sha256
        client.namesAlgorithms = true
        #expect(try client.refresh(600).lifetime == 600)
        // Whose hash it is cannot be told of names that are not known.
        #expect(NonceCookie(nonce: client.nonce)?.features ?? .passwordAlgorithms == .passwordAlgorithms)
    }

    @Test func usersAndASharedSecretGoTogether() throws {
        let client = try Client(try Client.server(secret: "north"))
        #expect(try client.allocate().messageClass == .successResponse)
    }

    @Test func anExpiredCredentialIs401() throws {
        let expired = try restClient(expiry: ServerHarness.startedAt)
        #expect(try expired.allocate().code == 401)
        let later = try restClient(expiry: ServerHarness.startedAt + 60)
        later.harness.wait(atMost: .seconds(61))
        #expect(try later.allocate().code == 401)
        let wrong = try restClient(expiry: ServerHarness.startedAt + 60, secret: "south")
        #expect(try wrong.allocate().code == 401)
    }

    @Test func whoHasAnAllocationCanEndItAfterTheCredentialExpired() throws {
        let client = try restClient(expiry: ServerHarness.startedAt + 60)
        #expect(try client.allocate().code == nil)
        client.harness.wait(atMost: .seconds(120))
        #expect(try client.refresh(0).lifetime == 0)
        #expect(try client.allocate().code == 401)
    }

    @Test func secretsShowInNoText() throws {
        var turn = try TURNServerConfiguration(realm: "r", relays: [])
        try turn.addAccount(username: "user", password: "swordfish")
        turn.secret = .init("north-by-northwest")
        var dumped = ""
        dump(turn, to: &dumped)
        for text in [dumped, "\(turn)", String(reflecting: turn)] {
            #expect(!text.contains("swordfish"))
            #expect(!text.contains("northwest"))
        }
    }
}
