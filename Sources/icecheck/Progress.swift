import HostIO
import NetTypes
import Session

/// The live line on standard error: how many of the servers have answered so far.
///
/// It exists on a terminal only, is written over at most ten times a second, and is gone when the report comes.
struct Progress {
    private let servers: Int
    private var answered: Set<Int> = []
    private var failed: Set<Int> = []
    private var serverOfProbe: [Int: Int] = [:]
    private var lastShown: Duration?

    /// Nil where standard error is no terminal, or one that cannot rewrite a line.
    init?(_ plan: Plan) {
        guard StandardStream.error.isTerminal, Environment.value("TERM") != "dumb" else { return nil }
        servers = plan.servers.count
    }

    mutating func show(_ observation: Observation) {
        switch observation.fact {
        case .probeStarted(let index, let probe): serverOfProbe[index] = probe.server
        case .answered(let index, _): if let server = serverOfProbe[index] { answered.insert(server) }
        case .failed(let index, _): if let server = serverOfProbe[index] { failed.insert(server) }
        case .notResolved(let server, _, _): failed.insert(server)
        default: return
        }
        if let lastShown, observation.at - lastShown < .milliseconds(100) { return }
        lastShown = observation.at
        let silent = failed.subtracting(answered).count
        let failures = silent == 0 ? "" : ", \(silent) failed"
        let tenths = Int(observation.at.inSeconds * 10)
        draw("\(answered.count) of \(servers) servers answered\(failures) (\(tenths / 10).\(tenths % 10) s)")
    }

    func clear() { if lastShown != nil { draw("") } }

    private func draw(_ text: String) {
        // A terminal that is gone is no reason to stop measuring.
        try? StandardStream.error.write("\r\u{1b}[K\(text)")
    }
}
