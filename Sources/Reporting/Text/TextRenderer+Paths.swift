import Engines
import JSON
import NetTypes
import Prediction

extension TextRenderer {
    /// The predicted paths: to the classes of peer, then to other reports.
    func section(_ paths: [PathRecord]) -> [String] {
        var lines: [String] = []
        var classes: [PeerClass.Network: [PathRecord]] = [:]
        for path in paths {
            if case .peerClass(let peerClass) = path.peer { classes[peerClass.network, default: []].append(path) }
        }
        if !classes.isEmpty { lines += section(classes) }
        let pairs = paths.filter { if case .report = $0.peer { true } else { false } }
        if !pairs.isEmpty { lines += section(pairs: pairs) }
        return lines
    }

    /// What the figures are of.
    private var model: [String] {
        labelled(
            "",
            "predicted by ICE in a model of both networks, with 50 ms from end to end and back; TURN is the peer's own")
    }

    // MARK: Classes of peer

    private func section(_ classes: [PeerClass.Network: [PathRecord]]) -> [String] {
        var said = ""
        let rows = PeerClass.networks.compactMap { network -> TextTable.Row? in
            guard let paths = classes[network] else { return nil }
            func path(_ hasTURN: Bool) -> PathPrediction? {
                paths.first { $0.peer == .peerClass(PeerClass(network, hasTURN: hasTURN)) }?.prediction
            }
            guard let plain = path(false), let relayed = path(true) else { return nil }
            // Where a relay helps, only what is in the way of a direct path is told; and nothing twice in a row.
            let isHelped = relayed.isCertain && relayed.outcome == .relayed
            let why = Self.reason(isHelped ? relayed : plain) ?? Self.reason(relayed) ?? ""
            defer { said = why }
            return .init(
                mark: Self.mark(plain),
                cells: [network.name] + Self.behaviour(of: network) + [Self.words(plain), Self.words(relayed)],
                remarks: why.isEmpty || why == said ? [] : [style.shown(why)])
        }
        // Of a machine that no server outside has answered, there is one thing to say.
        if let all = Self.commonDoubt(classes) {
            return [title("Paths")] + labelled("", "no path is certain: each depends on \(all)")
        }
        let table = TextTable(
            columns: [
                "to a peer", "mapping", "filtering",
                "without TURN", "with TURN",
            ],
            rows: rows)
        return [title("Paths")] + table.lines(style) + model
    }

    private static func behaviour(of network: PeerClass.Network) -> [String] {
        if case .nat(let mapping, let filtering) = network { [mapping.short, filtering.short] } else { ["", ""] }
    }

    /// What the path even to a public host depends on; nil where that is certain.
    private static func commonDoubt(_ classes: [PeerClass.Network: [PathRecord]]) -> String? {
        guard let paths = classes[.publicHost], let first = paths.first?.prediction,
            !paths.contains(where: \.prediction.isCertain)
        else { return nil }
        return list(first.dependsOn)
    }

    /// `direct, 125 ms`, `none or direct`.
    private static func words(_ path: PathPrediction) -> String {
        let setup = path.setup.map { ", \(Int($0.milliseconds.rounded())) ms" } ?? ""
        return path.isCertain
            ? path.outcome.rawValue + setup : "\(path.outcome.rawValue) or \(path.best.rawValue)"
    }

    private static func mark(_ path: PathPrediction) -> Mark {
        switch path.outcome {
        case _ where !path.isCertain: .unknown
        case .direct: .good
        case .relayed: .note
        case .none: .bad
        }
    }

    private static func reason(_ path: PathPrediction) -> String? {
        guard let why = path.why else { return nil }
        return path.isCertain ? why : "depends on \(list(path.dependsOn))"
    }

    private static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }

    // MARK: Pairs of reports

    private func section(pairs: [PathRecord]) -> [String] {
        let rows = pairs.map { path -> TextTable.Row in
            var peer = ""
            if case .report(let name) = path.peer { peer = style.shown(name) }
            let prediction = path.prediction
            return .init(
                mark: Self.mark(prediction),
                cells: [
                    path.from.map { style.shown($0) } ?? "", peer, Self.words(prediction),
                    prediction.local?.kind.name ?? "", prediction.remote?.kind.name ?? "",
                ], remarks: Self.reason(prediction).map { [style.shown($0)] } ?? [])
        }
        let table = TextTable(
            columns: [
                "from", "to", "path", .text("local", importance: 1),
                .text("remote", importance: 0),
            ], rows: rows)
        return [title("Paths")] + table.lines(style) + model
    }

    // MARK: Meshes

    /// Kinds that the matrix shows: more do not fit a line.
    private static let mostInMatrix = 20

    /// A mesh of many machines: its kinds, who reaches whom, and what a call costs.
    func section(_ mesh: Mesh) -> [[String]] {
        let shown = mesh.kinds.prefix(Self.mostInMatrix)
        let kinds = TextTable(
            columns: [
                .number("kind"), .number("machines"),
                .text("for example", importance: 0),
            ],
            rows: shown.enumerated().map { index, kind in
                .init(
                    cells: ["\(index + 1)", "\(kind.count)", style.shown(kind.example)],
                    remarks: [style.shown(kind.kind.words)])
            })
        var kindLines = [title("Kinds of machine (\(mesh.kinds.count) among \(mesh.machines))")] + kinds.lines(style)
        if shown.count < mesh.kinds.count {
            kindLines += labelled("", "and \(mesh.kinds.count - shown.count) more kinds, which are counted below")
        }
        return [kindLines, matrix(mesh), calls(mesh)]
    }

    private func matrix(_ mesh: Mesh) -> [String] {
        let most = min(mesh.kinds.count, Self.mostInMatrix)
        let width = String(most).count + 1
        let count = min(most, (style.width - Self.indent) / width - 1)
        let margin = String(repeating: " ", count: Self.indent)
        func row(_ head: String, _ cells: [String]) -> String {
            margin + head.padded(to: width, right: true) + cells.map { $0.padded(to: width, right: true) }.joined()
        }
        let numbers = (1...max(1, count)).map(String.init)
        let rows = mesh.outcomes.prefix(count).enumerated().map { index, outcomes in
            row("\(index + 1)", outcomes.prefix(count).map(\.letter))
        }
        let pairs = mesh.pairs
        var tally =
            "\(pairs.count) pairs: \(pairs.direct) direct, \(pairs.relayed) relayed, \(pairs.none) without a path"
        if pairs.uncertain > 0 { tally += "; \(pairs.uncertain) may be better, since not all is known of them" }
        var lines = [title("Who reaches whom"), row("", numbers)] + rows
        lines += labelled("", "d: direct, r: relayed, -: not at all; on the diagonal two of a kind")
        lines += labelled("", tally)
        if mesh.neighbours > 0 {
            lines += labelled("", "\(mesh.neighbours) of the pairs are behind one NAT, which the matrix leaves out")
        }
        if mesh.isolated > 0 {
            let who = mesh.isolated == 1 ? "1 machine reaches" : "\(mesh.isolated) machines reach"
            lines += labelled("", "\(who) no other")
        }
        return lines
    }

    private func calls(_ mesh: Mesh) -> [String] {
        var lines = [title("A call of \(mesh.call.participants) at \(JSONValue.decimalText(mesh.call.bitrate)) kbit/s")]
        lines += labelled("mesh  ", cost(mesh.call))
        if let star = mesh.star, let call = mesh.starCall {
            var reach = "\(star.direct) of \(star.count) machines reach it directly, \(star.relayed) relayed"
            if star.none > 0 { reach += ", \(star.none) not at all" }
            lines += labelled("SFU   ", "\(reach); \(cost(call))")
        }
        return lines
    }

    private func cost(_ call: Mesh.Call) -> String {
        func number(_ value: Double) -> String { JSONValue.decimalText((value * 10).rounded() / 10) }
        let missing = call.missingStreams > 0 ? ", \(number(call.missingStreams)) that cannot be" : ""
        return
            "\(number(call.streams)) streams, of which \(number(call.relayedStreams)) relayed\(missing): relays take in "
            + "\(number(call.relayBandwidth)) kbit/s and send as much"
    }
}

extension PathOutcome {
    fileprivate var letter: String {
        switch self {
        case .direct: "d"
        case .relayed: "r"
        case .none: "-"
        }
    }
}
