import NetTypes
import Planning
import Testing

@testable import icecheck

/// What the options mean is decided once: it does not matter who read the command line.
@Suite struct OptionMeaningTests {
    /// Lines that the quick way takes.
    static let plainLines = [
        ["turn:192.0.2.1"], ["192.0.2.1"], ["check", "turn:192.0.2.1"], ["check", "stun:192.0.2.1", "turns:a.example"],
        ["nat", "turn:192.0.2.1"], ["nat", "192.0.2.1"], ["stun", "192.0.2.1"],
        ["stun", "192.0.2.1", "stun:b.example"],
    ]

    static func parsed(_ line: [String]) throws -> TypedOptions {
        try #require(try Icecheck.parsed(line) as? any MeasuringCommand).typed
    }

    static func plain(_ line: [String]) -> TypedOptions? {
        PlainCommandLine(line[...], commands: Icecheck.commandNames)?.typed
    }

    @Test(arguments: plainLines)
    func theQuickWayTypesWhatTheParserTypes(line: [String]) throws {
        #expect(Self.plain(line) == (try Self.parsed(line)))
    }

    @Test(arguments: [
        ["turn", "192.0.2.1"], ["candidates", "192.0.2.1"], ["connect", "192.0.2.1"], ["decode", "a"], ["help", "a"],
        ["check"], ["stun", "192.0.2.1", "--count", "2"], ["stun", "-4", "192.0.2.1"], ["stun", ""], [],
    ])
    func theQuickWayLeavesOtherLinesToTheParser(line: [String]) {
        #expect(Self.plain(line) == nil)
    }

    /// Each variable, with each command, means what it is declared to mean.
    @Test(arguments: EnvironmentVariable.allCases, plainLines + [["turn", "192.0.2.1"], ["candidates", "192.0.2.1"]])
    func aVariableGivesACredentialToTheCommandsThatAreDeclared(variable: EnvironmentVariable, line: [String]) throws {
        let answer = #"{"access_token": "dG9rZW4=", "token_type": "pop", "kid": "key", "key": "a2V5"}"#
        let sources = OptionSources(
            wallClock: 1000, environment: { $0 == variable ? answer : nil },
            file: { name throws(PlanError) in throw PlanError("no file \(name)") })
        var typed = try Self.parsed(line)
        // A password is a user's.
        if variable == .turnPassword { typed.access.user = "alice" }
        let isSecret = [.turnPassword, .turnSecret, .turnAccessToken].contains(variable)
        let reads = isSecret && variable.commands.contains(typed.command.rawValue)
        let options = try Options(typed, from: sources)
        #expect((options.turn.credentials.credential != nil) == reads)
        #expect((options.turn.credentials.accessToken != nil) == (reads && variable == .turnAccessToken))
    }

    @Test func theEnvironmentsSecretGoesBeforeItsTokenAndThatBeforeItsPassword() throws {
        var typed = TypedOptions(.turn, uris: ["192.0.2.1"])
        typed.access.user = "key"
        let values: [EnvironmentVariable: String] = [
            .turnSecret: "s", .turnPassword: "p",
            .turnAccessToken: #"{"access_token": "dG9rZW4=", "token_type": "pop", "kid": "key", "key": "a2V5"}"#,
        ]
        func credentials(without missing: Set<EnvironmentVariable>) throws -> ICEServers.Credentials {
            let sources = OptionSources(
                wallClock: 1000, environment: { missing.contains($0) ? nil : values[$0] },
                file: { _ throws(PlanError) in [] })
            return try Options(typed, from: sources).turn.credentials
        }
        #expect(try credentials(without: []).username == "1600:key")
        #expect(try credentials(without: [.turnSecret]).type == .oauth)
        #expect(try credentials(without: [.turnSecret, .turnAccessToken]).credential == Secret("p"))
        typed.access.password = Secret("typed")
        #expect(try credentials(without: []).credential == Secret("typed"))
    }

    /// Providers hand out STUN and TURN servers in one file.
    @Test func turnLeavesOutTheSTUNServersOfAFile() throws {
        let file =
            #"{"iceServers": [{"urls": ["stun:192.0.2.1", "turn:192.0.2.1"], "username": "a", "credential": "b"}]}"#
        let sources = OptionSources(
            wallClock: 0, environment: { _ in nil }, file: { _ throws(PlanError) in Array(file.utf8) })
        var typed = TypedOptions(.turn)
        typed.iceServers = ["ice.json"]
        let plan = try Plan(Options(typed, from: sources), interfaces: [])
        #expect(plan.servers.map { $0.excluded == nil } == [false, true])
        #expect(plan.notMeasured.first?.what == "stun:192.0.2.1")
        typed.uris = ["stun:192.0.2.2"]
        #expect(throws: PlanError.self) { try Options(typed, from: sources) }
    }

    @Test(arguments: [
        (["--even-port", "--relay-transport", "tcp"], "--even-port is for relays of UDP"),
        (["--next-port", "--both-families"], "exclude each other"), (["-4", "--both-families"], "needs both families"),
        (["--size", "1"], "--size 1 is out of range"), (["--no-redirect", "--follow-private"], "exclude each other"),
    ])
    func optionsThatContradictEachOtherAreRefused(options: [String], words: String) throws {
        let sources = OptionSources(wallClock: 0, environment: { _ in nil }, file: { _ throws(PlanError) in [] })
        let typed = try Self.parsed(["turn", "192.0.2.1"] + options)
        let error = #expect(throws: PlanError.self) { try Options(typed, from: sources) }
        #expect(error?.description.contains(words) == true)
    }
}
