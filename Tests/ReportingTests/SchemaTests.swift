import Diagnosis
import Foundation
import NetTypes
import Reporting
import Session
import Testing

@Suite("The published schema of the report")
struct SchemaTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/Reporting/Schema/report-1.schema.json").standardizedFileURL

    private struct Schema: Decodable {
        struct Definition: Decodable {
            // Some are of other types than text, and of no interest here.
            var `enum`: [String]?
        }

        var definitions: [String: Definition]

        private enum CodingKeys: String, CodingKey { case definitions = "$defs" }
    }

    @Test(
        "Its words are those of the code, no more and no fewer",
        arguments: [
            ("family", IPAddress.Family.allCases.map(\.rawValue)),
            ("transport", Transport.allCases.map(\.rawValue)),
            ("best", Verdict.Best.allCases.map(\.rawValue)),
            ("realm", IPAddress.Realm.allCases.map(\.rawValue)),
            ("interfaceKind", NetworkInterface.Kind.allCases.map(\.rawValue)),
            ("notMeasuredReason", NotMeasured.Reason.allCases.map(\.rawValue)),
            ("errorKind", ProbeError.Kind.allCases.map(\.rawValue)),
            ("pathErrorKind", Self.pathErrors.map(\.reportName)),
            ("ignoredReason", IgnoredReplies.Reason.allCases.map(\.rawValue)),
            ("outcome", PathOutcome.allCases.map(\.rawValue)),
            ("severity", Finding.Severity.allCases.map(\.rawValue)),
        ])
    func enumerations(name: String, words: [String]) throws {
        let schema = try JSONDecoder().decode(Schema.self, from: Data(contentsOf: Self.file))
        let published = try #require(schema.definitions[name]?.enum)
        #expect(Set(published) == Set(words))
        #expect(published.count == words.count)
    }

    private static let pathErrors: [PathError.Kind] = [
        .portUnreachable, .hostUnreachable, .networkUnreachable, .administrativelyProhibited, .timeToLiveExceeded,
        .messageTooBig(mtu: 1280), .protocolUnreachable, .connectionRefused, .connectionReset, .connectionTimedOut,
        .addressNotAvailable, .addressInUse, .familyNotSupported, .notPermitted, .outOfResources, .noSuchInterface,
        .otherICMP(type: 3, code: 8), .system(errno: 5),
    ]

    /// Reads the schema's path and lines of JSON; holds each to the schema, and to having no key that it does not name.
    private static let validator = """
        import json, sys
        from jsonschema import Draft202012Validator as Validator

        def close(schema):
            if isinstance(schema, dict):
                if schema.get("type") == "object" and "properties" in schema:
                    schema["additionalProperties"] = False
                for value in schema.values():
                    close(value)
            elif isinstance(schema, list):
                for value in schema:
                    close(value)

        schema = json.load(open(sys.argv[1]))
        Validator.check_schema(schema)
        close(schema)
        for line in open(sys.argv[2], encoding="utf-8"):
            for error in Validator(schema).iter_errors(json.loads(line)):
                print(error.json_path, error.message[:300])
        """

    private static func python(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }

    private static let hasValidator = (try? python(["from jsonschema import Draft202012Validator"])) == ""

    @Test(
        "Every report holds to it, whatever came from outside, and has no key that it does not name",
        .enabled(if: Self.hasValidator, "python3's jsonschema module is not installed"))
    func reports() throws {
        let reports =
            [Report.fixture, .empty, .relayFixture, .pairFixture, .pathFixture, .meshFixture]
            + (0..<100).map { Report.hostile(seed: $0) }
        let lines = reports.map { $0.json(pretty: false) + "\n" }.joined()
        let file = FileManager.default.temporaryDirectory.appending(path: "icecheck-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(lines.utf8).write(to: file)
        #expect(try Self.python([Self.validator, Self.file.path(), file.path()]) == "")
    }
}
