import Engines
import NetTypes
import Planning
import STUN
import Testing

@testable import Diagnosis
@testable import Facts

/// Access tokens of a third party (RFC 7635) from plan to finding, and in no value on the way.
@Suite struct TURNTokenSessionTests {
    private static let key = Array("mac-key-of-20-bytes!".utf8)
    private static let token = [UInt8](repeating: 7, count: 60)

    private static func options(_ uri: String = "turn:9.9.9.9", expiry: Int64? = nil) throws -> Options {
        var options = Options(
            command: .turn, servers: [ICEServers.Entry(uri: try ServerURI(parsing: uri))], families: [.ipv4])
        options.turn.credentials = ICEServers.Credentials(
            username: "kid", type: .oauth, credential: Secret(Base64.encode(key)),
            accessToken: Secret(Base64.encode(token)), expiry: expiry)
        return options
    }

    private static func run(
        _ uri: String = "turn:9.9.9.9", signedWith key: [UInt8] = key, thirdParty: String? = "turn.example.org"
    ) throws -> TURNSessionTests.Run {
        try TURNSessionTests.run(Self.options(uri)) { _, server in
            server.thirdParty = thirdParty
            server.tokenKey = key
        }
    }

    @Test(arguments: ["turn:9.9.9.9", "turn:9.9.9.9?transport=tcp"])
    func relayThatATokenOpensCarriesData(uri: String) throws {
        let run = try Self.run(uri)
        let evidence = try #require(run.first)
        #expect(evidence.trouble == nil && evidence.relay?.indications.roundTrips.count == 3)
        #expect(evidence.token == .init(serverName: OutsideText("turn.example.org"), truncatesKey: false))
        #expect(evidence.username == "kid" && evidence.deletion == .confirmed && run.server.allocations.isEmpty)
        #expect(run.diagnosis.findings.isEmpty && run.diagnosis.verdict.isOK)
    }

    @Test func serverThatCutsTheKeyIsServedAndNamed() throws {
        let run = try Self.run(signedWith: Array(Self.key.prefix(16)))
        #expect(run.first?.token?.truncatesKey == true && run.first?.trouble == nil)
        #expect(run.diagnosis.findings.map(\.id) == ["turn-token-key-cut"] && run.diagnosis.verdict.isOK)
    }

    @Test func tokenThatIsRefusedIsTriedWithBothKeysAndNamesTheServersName() throws {
        let run = try Self.run(signedWith: Array("another".utf8))
        #expect(run.server.requests(.allocate).count == 3 && run.server.mostAllocations == 0)
        let finding = try #require(run.diagnosis.findings.first)
        #expect(finding.id == "turn-token-refused" && finding.evidence.contains { $0.contains("\"turn.example.org\"") })
    }

    @Test func tokenIsNotSentToAServerThatTakesNone() throws {
        let run = try Self.run(thirdParty: nil)
        #expect(run.diagnosis.findings.map(\.id) == ["turn-token-not-taken"])
        #expect(run.server.requests.map(\.isSigned) == [false])
    }

    @Test(arguments: [(Int64(0), "turn-token-expired"), (60, "turn-token-expired"), (-1, "turn-token-refused")])
    func refusedTokenHasExpiredOnlyAfterItsTime(after: Int64, id: String) throws {
        let expiry: Int64 = 1_700_000_000
        let plan = try Plan(Self.options(expiry: expiry), interfaces: SessionTests.interfaces)
        let run = try Self.run(signedWith: [1])
        #expect(Diagnosis(plan, run.observations, wallClock: expiry + after).findings.map(\.id) == [id])
    }

    @Test func keyThatFitsNoHMACIsTheFirstCause() throws {
        var options = try Self.options()
        options.turn.credentials.credential = Secret(Base64.encode([1, 2, 3]))
        let run = try TURNSessionTests.run(options) { _, server in
            server.thirdParty = "a"
            server.tokenKey = [9]
        }
        #expect(run.diagnosis.findings.first?.causes.first?.contains("3 bytes") == true)
    }

    @Test func noValueShowsTokenOrKey() throws {
        let options = try Self.options()
        let run = try Self.run()
        let plan = try Plan(options, interfaces: SessionTests.interfaces)
        var text = ""
        for value in [options, plan, run.observations, run.diagnosis] as [Any] { dump(value, to: &text) }
        for secret in [Self.key, Self.token] {
            #expect(!text.contains(Base64.encode(secret)) && !text.contains(String(decoding: secret, as: UTF8.self)))
        }
        // A mirror shows arrays of bytes line by line.
        #expect(!text.contains("- 7\n"))
    }
}
