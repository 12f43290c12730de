import Diagnosis
import Engines
import JSON
import NetTypes

extension NATRecord.Lifetime {
    /// The bounds in tenths of seconds, each rounded away from the other; without an upper one where none was seen.
    var jsonValue: JSONValue {
        let alive = verdict.alive.map { Self.tenths($0, .down) }
        let expired = verdict.expired.map { Self.tenths($0, .up) }
        let (value, confidence, reason): (String, Double, String?) =
            switch verdict.lifetime {
            case .within(_, _, let risk): ("measured", ((1 - risk) * 1000).rounded(.down) / 1000, nil)
            case .atLeast(_, let why): ("at-least", 1, why)
            case .unknown(let why): ("unknown", 0, why)
            }
        return [
            "value": .string(value),
            "confidence": .decimal(confidence),
            "reason": reason.map(JSONValue.string),
            "aliveS": alive.map(JSONValue.decimal),
            "expiredS": expired.map(JSONValue.decimal),
            "precisionS": expired.map { .decimal((($0 - (alive ?? 0)) * 10).rounded() / 10) },
            "keepaliveS": verdict.keepalive.map { .integer(Int($0.inSeconds)) },
            "method": verdict.method.map { .string($0.rawValue) },
            "serverAddress": verdict.server.map(JSONValue.endpoint),
            "samples": .array(samples),
            "durationMs": .milliseconds(evidence.endedAt),
        ]
    }

    /// What was seen of each mapping that was looked at.
    private var samples: [JSONValue] {
        zip(evidence.idleTimes, evidence.samples.indices).compactMap { idle, sample in
            let outcome: String
            switch evidence.outcome(ofSample: sample, at: evidence.endedAt) {
            case .open: return nil
            case .alive: outcome = "alive"
            case .expired: outcome = "expired"
            case .undecided: outcome = "unknown"
            }
            return ["idleS": .integer(Int(idle.inSeconds)), "outcome": .string(outcome)]
        }
    }

    private static func tenths(_ duration: Duration, _ rule: FloatingPointRoundingRule) -> Double {
        (duration.inSeconds * 10).rounded(rule) / 10
    }
}
