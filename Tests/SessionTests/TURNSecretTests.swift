import Engines
import Facts
import NetTypes
import Planning
import STUN
import SimNet
import TestSupport
import Testing

@testable import Session

/// Whatever way a run's values are printed, no password, and no key that stands for one, is in the text.
@Suite struct TURNSecretTests {
    private static let password = "Xy7-passphrase-Xy7"

    private static func options() throws -> Options {
        var options = try TURNSessionTests.options(
            ["turn:9.9.9.9", "turn:9.9.9.9?transport=tcp"], password: password)
        options.turn.credentials = ICEServers.Credentials(username: "user", credential: Secret(password))
        return options
    }

    /// What stands for the password: itself and the key of RFC 8489 s9.2.2.
    private static func secrets() throws -> [[UInt8]] {
        let key = try LongTermKey(
            username: Username("user"), realm: Realm(Array("example.org".utf8)), password: password)
        return [Array(password.utf8), key.bytes]
    }

    /// Texts and bytes anywhere in a value, as a mirror shows them.
    private static func walk(_ value: Any, _ visit: ([UInt8]) -> Void, depth: Int = 0) {
        if let text = value as? String { visit(Array(text.utf8)) }
        if let bytes = value as? [UInt8] { return visit(bytes) }
        if let bytes = value as? ArraySlice<UInt8> { return visit(Array(bytes)) }
        guard depth < 40 else { return }
        for child in Mirror(reflecting: value).children { walk(child.value, visit, depth: depth + 1) }
    }

    private static func leaks(_ value: Any) throws -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        let texts = [dumped, String(describing: value), String(reflecting: value), "\(value)"]
        var found = texts.contains { $0.contains(password) } ? ["text"] : []
        let secrets = try secrets()
        walk(value) { bytes in
            for secret in secrets where !secret.isEmpty && contains(bytes, secret) { found.append("bytes") }
        }
        return found
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard bytes.count >= part.count else { return false }
        return (0...bytes.count - part.count).contains { bytes[$0..<$0 + part.count].elementsEqual(part) }
    }

    @Test func detectorFindsAPasswordThatIsThere() throws {
        #expect(try !Self.leaks(["a": [Self.password]]).isEmpty)
        #expect(try !Self.leaks([[1] + Array(Self.password.utf8)]).isEmpty)
    }

    @Test func optionsAndPlanShowNoPassword() throws {
        let options = try Self.options()
        #expect(try Self.leaks(options).isEmpty)
        #expect(try Self.leaks(try Plan(options, interfaces: SessionLab.interfaces)).isEmpty)
    }

    @Test func errorOfAPlanShowsNoPassword() throws {
        var options = try Self.options()
        options.servers[0].credentials.type = .oauth
        let error = try #require(
            #expect(throws: PlanError.self) { try Plan(options, interfaces: SessionLab.interfaces) })
        #expect(try Self.leaks(error).isEmpty)
        // A password that cannot be prepared is not quoted either.
        options = try TURNSessionTests.options(password: Self.password + "\u{7}")
        let unprepared = try #require(
            #expect(throws: PlanError.self) { try Plan(options, interfaces: SessionLab.interfaces) })
        #expect(try Self.leaks(unprepared).isEmpty)
    }

    /// In milliseconds: at the start, after the challenge, with an allocation, after the end.
    @Test(arguments: [0, 30, 50, 100, 1000]) func sessionShowsNoPasswordAtAnyTime(until milliseconds: Int) throws {
        let run = try TURNSessionTests.run(Self.options(), interruptAt: .milliseconds(milliseconds)) {
            $0.account.password = Self.password
        }
        #expect(milliseconds < 50 || run.log.most > 0)
        #expect(try Self.leaks(run.machine.base).isEmpty)
        #expect(try Self.leaks(run.machine.base.activities.all(RelayCheck.self)).isEmpty)
    }

    @Test func observationsAndDiagnosisShowNoPassword() throws {
        let run = try TURNSessionTests.run(Self.options()) { $0.account.password = Self.password }
        #expect(run.evidence.count == 2 && run.evidence.allSatisfy { $0.trouble == nil })
        #expect(try Self.leaks(run.observations).isEmpty)
        #expect(try Self.leaks(run.diagnosis).isEmpty)
    }
}
