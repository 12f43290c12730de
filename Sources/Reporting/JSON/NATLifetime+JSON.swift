package import Diagnosis
import Engines
package import JSON
import NetTypes

extension NATRecord.Lifetime: JSONRecord {
    package static let shape = Shape<NATRecord.Lifetime>(
        nil,
        "How long a UDP mapping, or a firewall's state, lives without traffic: measured (between two bounds), at-least, or "
            + "unknown with the reason.",
        rules: [
            "allOf": [
                rule("measured", ["aliveS", "expiredS", "precisionS", "method"]),
                rule("at-least", ["aliveS", "reason", "method"]), rule("unknown", ["reason"]),
            ]
        ]
    ) {
        Field("value", \.judged.value, "", ["enum": ["measured", "at-least", "unknown"]])
        Field("confidence", \.judged.confidence)
        Field("reason", \.judged.reason, "Why it is unknown, or has no upper bound.", .notEmpty)
        Field("aliveS", \.alive, "The longest idle time after which a mapping was there.")
        Field("expiredS", \.expired, "The idle time after which one was gone.")
        Field(
            "precisionS", { seen in seen.expired.map { (($0 - (seen.alive ?? 0)) * 10).rounded() / 10 } },
            "From aliveS to expiredS.")
        Field(
            "keepaliveS", { $0.verdict.keepalive.map { Int($0.inSeconds) } },
            "The keepalive interval to set: twice within aliveS. Absent where that is below 1 s.", ["minimum": 1])
        Field(
            "method", \.verdict.method?.rawValue,
            "response-port: a server answered to each idle mapping (RFC 5780); same-socket: idle sockets asked again.",
            ["enum": ["response-port", "same-socket"]])
        Field("serverAddress", \.verdict.server)
        Field.list("samples", \.samples, "One for each mapping that was looked at.") {
            Field("idleS", \.idle, "", ["minimum": 1])
            Field("outcome", \.outcome, "", ["enum": ["alive", "expired", "unknown"]])
        }
        Field("durationMs", \.evidence.endedAt)
    }

    private static func rule(_ value: JSONValue, _ required: JSONValue) -> JSONValue {
        ["if": ["properties": ["value": ["const": value]]], "then": ["required": required]]
    }

    private var judged: (value: String, confidence: Ratio, reason: String?) {
        switch verdict.lifetime {
        case .within(_, _, let risk): ("measured", Ratio(risk: risk), nil)
        case .atLeast(_, let why): ("at-least", Ratio(1), why)
        case .unknown(let why): ("unknown", Ratio(0), why)
        }
    }

    /// The bounds in tenths of seconds, each rounded away from the other; without an upper one where none was seen.
    private var alive: Double? { verdict.alive.map { ($0.inSeconds * 10).rounded(.down) / 10 } }
    private var expired: Double? { verdict.expired.map { ($0.inSeconds * 10).rounded(.up) / 10 } }

    /// What was seen of each mapping that was looked at.
    private var samples: [(idle: Int, outcome: String)] {
        zip(evidence.idleTimes, evidence.samples.indices).compactMap { idle, sample in
            let outcome: String
            switch evidence.outcome(ofSample: sample, at: evidence.endedAt) {
            case .open: return nil
            case .alive: outcome = "alive"
            case .expired: outcome = "expired"
            case .undecided: outcome = "unknown"
            }
            return (Int(idle.inSeconds), outcome)
        }
    }
}
