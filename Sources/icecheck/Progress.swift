import Engines
import Facts
import HostIO
import NetTypes
import Planning
import Session

/// What standard error shows while a run goes on. It exists on a terminal only, is drawn at most ten times a second, and
/// is gone when the report comes.
protocol LiveProgress {
    mutating func show(_ observation: Observation)
    /// - Parameter time: since the start of the run.
    mutating func show(_ session: Session, at time: Duration)
    mutating func clear()
}

/// How many of the servers have answered so far, or which mapping is waited for.
struct Progress: LiveProgress {
    private let servers: Int
    private let idleTimes: [Duration]
    private var answered: Set<Int> = []
    private var failed: Set<Int> = []
    private var serverOfProbe: [Int: Int] = [:]
    /// The longest idle time after which a mapping was alive.
    private var alive: [IPAddress.Family: Duration] = [:]
    private var lastShown: Duration?

    /// Nil where standard error is no terminal, or one that cannot rewrite a line.
    init?(_ plan: Plan) {
        guard StandardStream.error.isTerminal, Environment.value(.terminal) != "dumb" else { return nil }
        servers = plan.servers.count
        idleTimes = plan.idleTimes
    }

    mutating func show(_ observation: Observation) {
        switch observation.fact {
        case .probeStarted(let index, let probe): serverOfProbe[index] = probe.server
        case .answered(let index, _): if let server = serverOfProbe[index] { answered.insert(server) }
        case .failed(let index, _): if let server = serverOfProbe[index] { failed.insert(server) }
        case .notResolved(let server, _, _): failed.insert(server)
        case .natLifetimeSampled(let family, let idle, .alive(_)): alive[family] = max(idle, alive[family] ?? idle)
        case .natLifetimeSeen(let evidence): alive[evidence.source.family] = nil
        default: return
        }
        draw(at: observation.at)
    }

    /// Has the line's time go on while a mapping is left idle.
    mutating func show(_ session: Session, at time: Duration) { if !idleTimes.isEmpty { draw(at: time) } }

    private mutating func draw(at time: Duration) {
        if let lastShown, time - lastShown < .milliseconds(100) { return }
        lastShown = time
        let silent = failed.subtracting(answered).count
        let failures = silent == 0 ? "" : ", \(silent) failed"
        let tenths = Int(time.inSeconds * 10)
        let text = alive.isEmpty ? "\(answered.count) of \(servers) servers answered\(failures)" : waiting
        draw("\(text) (\(tenths / 10).\(tenths % 10) s)")
    }

    /// `mapping alive after 12 s idle; next 13 s`
    private var waiting: String {
        [IPAddress.Family.ipv4, .ipv6].compactMap { family in
            guard let idle = alive[family] else { return nil }
            let name = alive.count > 1 ? "\(family.name) mapping" : "mapping"
            let next = idleTimes.first { $0 > idle }.map { "; next \(Int($0.inSeconds)) s" } ?? ""
            return "\(name) alive after \(Int(idle.inSeconds)) s idle\(next)"
        }.joined(separator: ", ")
    }

    func clear() { if lastShown != nil { draw("") } }

    private func draw(_ text: String) {
        // A terminal that is gone is no reason to stop measuring.
        try? StandardStream.error.write("\r\u{1b}[K\(text)")
    }
}
