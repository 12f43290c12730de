import Diagnosis
package import JSON
import NetTypes
package import Session

extension Report {
    /// The name and version of the shape; keys are only added within a version.
    package static let schema = "icecheck/report/1"

    /// The report as JSON text of the shape ``schema``, published as `Schema/report-1.schema.json`.
    package func json(pretty: Bool) -> String { jsonValue.text(pretty: pretty) }

    /// The report as a JSON value: keys in a fixed order, and absent where there is nothing to say.
    package var jsonValue: JSONValue {
        [
            "schema": .string(Self.schema),
            "tool": ["name": .string("icecheck"), "version": .string(toolVersion)],
            "startedAt": .string(startedAt),
            "durationMs": .milliseconds(duration),
            "timeoutMs": .milliseconds(timeout),
            "command": .string(command),
            "interrupted": isInterrupted ? .bool(true) : nil,
            "verdict": verdict.jsonValue,
            "interfaces": interfaces?.jsonArray(\.jsonValue),
            "candidates": candidates?.jsonArray(\.jsonValue),
            "stun": stun?.jsonArray(\.jsonValue),
            "nat": nat?.jsonArray(\.jsonValue),
            "turn": turn?.jsonArray(\.jsonValue),
            "relayPairs": relayPairs?.jsonArrayUnlessEmpty(\.jsonValue),
            "paths": paths?.jsonArray(\.jsonValue),
            "mesh": mesh?.jsonValue,
            "connect": connect?.jsonValue,
            "notMeasured": notMeasured.jsonArray(\.jsonValue),
            "findings": findings.jsonArray(\.jsonValue),
        ]
    }
}

extension Verdict {
    package var jsonValue: JSONValue {
        [
            "ok": .bool(isOK),
            "best": .string(best.rawValue),
            "summary": .string(summary),
            "families": families.jsonArray { family in
                [
                    "family": .string(family.family.rawValue),
                    "ok": .bool(family.isOK),
                    "best": .string(family.best.rawValue),
                    "summary": .string(family.summary),
                ]
            },
        ]
    }
}

extension NotMeasured {
    package var jsonValue: JSONValue {
        [
            "what": .string(what),
            "family": family.map { .string($0.rawValue) },
            "reason": .string(reason.rawValue),
            "detail": .string(detail),
        ]
    }
}

extension Finding {
    package var jsonValue: JSONValue {
        [
            "id": .string(id),
            "severity": .string(severity.rawValue),
            "title": .string(title),
            "servers": servers.jsonArrayUnlessEmpty(JSONValue.string),
            "family": family.map { .string($0.rawValue) },
            "transport": transport.map { .string($0.rawValue) },
            "evidence": evidence.jsonArray(JSONValue.string),
            "causes": causes.jsonArray(JSONValue.string),
            "remedy": .string(remedy),
        ]
    }
}
