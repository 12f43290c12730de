package import Diagnosis
package import JSON
package import Planning

extension Report: JSONRecord {
    /// The name and version of the shape; keys are only added within a version.
    package static let schemaName = "icecheck/report/1"

    package func json(pretty: Bool) -> String { jsonValue.text(pretty: pretty) }

    /// The JSON Schema of reports.
    ///
    /// - Parameter closed: whether a key that is not declared is refused. Readers of reports pass over such keys.
    package static func jsonSchema(closed: Bool) -> JSONValue {
        SchemaBook.document(
            of: Report.self, id: "urn:icecheck:schema:report-1", title: "icecheck report, version 1", closed: closed)
    }

    /// Keys are in this order, and absent where there is nothing to say.
    package static let shape = Shape<Report>(
        nil,
        "What icecheck writes with --format json. A command fills the parts that it measured and leaves the others out. "
            + "Within a version keys are only added, so readers ignore keys that they do not know."
    ) {
        Field("schema", always: schemaName)
        Field.object("tool", \.self) {
            Field("name", always: "icecheck")
            Field("version", \.toolVersion)
        }
        Field(
            "startedAt", \.startedAt, "RFC 3339, UTC.",
            ["pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$"])
        Field("durationMs", \.duration)
        Field("timeoutMs", \.timeout, "The deadline of the run.")
        Field("command", \.command, "The command line as it was understood, without secrets.")
        // Optional in the schema: the first reports have none.
        Field("subject", { Optional($0.subject) }, "The command.")
        Field(
            "interrupted", \.isInterrupted.unlessFalse,
            "The run was interrupted, and this is what was measured until then. Absent otherwise.")
        Field("verdict", \.verdict)
        Field("interfaces", \.interfaces)
        Field("candidates", \.candidates)
        Field("stun", \.stun)
        Field("nat", \.nat)
        Field("turn", \.turn)
        Field("relayPairs", \.relayPairs?.unlessEmpty)
        Field("paths", \.paths)
        Field("mesh", \.mesh)
        Field("connect", \.connect)
        Field("notMeasured", \.notMeasured)
        Field("findings", \.findings)
    }
}

extension Options.Command: JSONWord {}
extension Verdict.Best: JSONWord {}
extension NotMeasured.Reason: JSONWord {}
extension Finding.Severity: JSONWord {}

extension Verdict: JSONRecord {
    private static let bestAbout = "The most direct kind of candidate that is known to work."

    package static let shape = Shape<Verdict> {
        Field("ok", \.isOK, "What the exit status says.")
        Field("best", \.best, bestAbout)
        Field("summary", \.summary, "One or two sentences.", .notEmpty)
        Field.list("families", \.families, "The verdict for each address family.") {
            Field("family", \.family)
            Field("ok", \.isOK)
            Field("best", \.best, bestAbout)
            Field("summary", \.summary)
        }
    }
}

extension NotMeasured: JSONRecord {
    package static let shape = Shape<NotMeasured> {
        Field("what", \.what, "A server, a family, a part of the report.", .notEmpty)
        Field("family", \.family)
        Field("reason", \.reason)
        Field("detail", \.detail)
    }
}

extension Finding: JSONRecord {
    package static let shape = Shape<Finding> {
        Field("id", { OpenWord($0.id) }, "Stable: icecheck explain knows it.")
        Field("severity", \.severity)
        Field("title", \.title, "What is wrong.", .notEmpty)
        Field(
            "servers", \.servers.unlessEmpty,
            "The servers that it concerns, as in stun[].server and turn[].server. Absent where there is none.")
        Field("family", \.family, "Of the servers' addresses. Absent where it concerns both, or none.")
        Field("transport", \.transport, "Absent where it concerns several, or none.")
        Field("evidence", \.evidence, "Values of this run.")
        Field("causes", \.causes, "What fits the evidence, the likeliest first.")
        Field("remedy", \.remedy, "What to change.")
    }
}

extension JSONValue {
    /// Of a text that says something.
    static let notEmpty: JSONValue = ["minLength": 1]
}
