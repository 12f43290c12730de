import Diagnosis
import Engines
import NetTypes

extension NATRecord.Lifetime {
    /// How long a mapping lives, and the interval to set, in a sentence.
    var words: String {
        switch verdict.lifetime {
        case .within(let alive, let expired, let risk):
            let bounds = "\(Words.seconds(down: alive)) to \(Words.seconds(up: expired)) s idle"
            return "\(bounds) (\(Words.confidence(risk))); \(advice)"
        case .atLeast(let alive, let why):
            return "\(Words.seconds(down: alive)) s idle or more (\(why)); \(advice)"
        case .unknown(let why): return "unknown: \(why)"
        }
    }

    private var advice: String {
        guard let keepalive = verdict.keepalive else { return "too short for keepalives" }
        let interval = "send a keepalive every \(Int(keepalive.inSeconds)) s"
        // RFC 8445 s11.
        return keepalive < .seconds(15) ? interval : "\(interval) or sooner: ICE's default of 15 s will do"
    }
}
