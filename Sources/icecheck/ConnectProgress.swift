import Diagnosis
import Engines
import Facts
import HostIO
import NetTypes
import Reporting
import Session

/// The check list as it evolves.
struct ConnectProgress: LiveProgress {
    private var lines = 0
    private var shownAt: Duration?
    private var last = ""
    private let style: RenderingStyle
    private static let mostPairs = 8

    /// Nil where standard error is no terminal, or one that cannot rewrite a line.
    init?() {
        guard StandardStream.error.isTerminal, Environment.value(.terminal) != "dumb" else { return nil }
        style = RenderingStyle(
            width: StandardStream.error.terminalWidth ?? 80, isColoured: false, isUnicode: Environment.usesUTF8)
    }

    /// What is written next must not stand among the lines.
    mutating func show(_ observation: Observation) { clear() }

    mutating func show(_ session: Session, at time: Duration) {
        // While a line is pasted the terminal is its own.
        guard let evidence = session.connection, evidence.times.peerDescribed != nil, evidence.phase != .closed
        else { return }
        if let shownAt, time - shownAt < .milliseconds(100) { return }
        shownAt = time
        let text = text(evidence)
        guard text != last || lines == 0 else { return }
        clear()
        last = text
        lines = text.split(separator: "\n").count
        try? StandardStream.error.write(text)
    }

    mutating func clear() {
        guard lines > 0 else { return }
        // A terminal that is gone is no reason to stop measuring.
        try? StandardStream.error.write("\u{1b}[\(lines)A\r\u{1b}[J")
        lines = 0
    }

    private func text(_ evidence: ConnectEvidence) -> String {
        var lines = [
            "\(evidence.phase.rawValue): \(evidence.pairs.count(where: \.isValid)) of \(evidence.pairs.count) pairs work"
        ]
        if let data = evidence.data { lines[0] += ", \(data.returned) of \(data.sent) datagrams back" }
        let pairs = evidence.pairs.sorted { $0.priority > $1.priority }
        for pair in pairs.prefix(Self.mostPairs) {
            let trip = pair.roundTrip.map { ", \(Int($0.milliseconds.rounded())) ms" } ?? ""
            let mark = pair.id == evidence.selected ? "*" : " "
            lines.append("\(mark) \(ConnectWords.pair(pair)): \(pair.state.rawValue)\(trip)")
        }
        if pairs.count > Self.mostPairs { lines.append("  and \(pairs.count - Self.mostPairs) more") }
        return lines.map { String(style.shown($0).prefix(style.width - 1)) + "\n" }.joined()
    }
}
