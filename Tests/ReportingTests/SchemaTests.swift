import Foundation
import JSON
import Reporting
import Testing

@Suite("The schema of the report")
struct SchemaTests {
    /// Reads a schema and lines of JSON; says where each breaks the schema.
    private static let validator = """
        import json, sys
        from jsonschema import Draft202012Validator as Validator

        schema = json.load(open(sys.argv[1]))
        Validator.check_schema(schema)
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

    /// What breaks the schema, a line each.
    private static func breaches(_ lines: [String], closed: Bool) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "icecheck-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let schema = folder.appending(path: "schema.json")
        let reports = folder.appending(path: "reports.jsonl")
        try Data(Report.jsonSchema(closed: closed).text(pretty: true).utf8).write(to: schema)
        try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: reports)
        return try python([validator, schema.path(), reports.path()])
    }

    private static let needsValidator = ConditionTrait.enabled(
        if: hasValidator, "python3's jsonschema module is not installed")

    @Test(
        "Every report holds to it, whatever came from outside, and has no key that it does not declare", needsValidator)
    func reports() throws {
        let reports =
            [Report.fixture, .empty, .relayFixture, .pairFixture, .pathFixture, .meshFixture]
            + (0..<100).map { Report.hostile(seed: $0) }
        #expect(try Self.breaches(reports.map { $0.json(pretty: false) }, closed: true) == "")
    }

    @Test(
        "A key that is not declared is refused where it is closed, and passed over where it is published",
        needsValidator)
    func unknownKeys() throws {
        let json = Report.fixture.json(pretty: false)
        for key in ["\"verdict\":{", "\"stun\":[{", "\"tool\":{"] {
            let changed = json.replacingOccurrences(of: key, with: key + "\"surprise\":1,")
            #expect(try Self.breaches([changed], closed: true).contains("'surprise' was unexpected"))
            #expect(try Self.breaches([changed], closed: false) == "")
        }
    }

    @Test("Reports of the first versions, without a subject, hold to it", needsValidator)
    func olderReports() throws {
        let json = Report.empty.json(pretty: false).replacingOccurrences(of: "\"subject\":\"check\",", with: "")
        #expect(!json.contains("subject"))
        #expect(try Self.breaches([json], closed: true) == "")
    }

    @Test("A value that contradicts another is refused", needsValidator)
    func contradictions() throws {
        let json = Report.fixture.json(pretty: false)
        for (before, after) in [
            ("\"ok\":true,\"mapped", "\"ok\":false,\"mapped"), ("\"offered\":true", "\"offered\":false"),
        ] {
            #expect(json.contains(before))
            #expect(try Self.breaches([json.replacingOccurrences(of: before, with: after)], closed: false) != "")
        }
    }
}
