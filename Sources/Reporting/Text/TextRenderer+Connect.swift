import Diagnosis
import Engines
import Facts
import JSON
import NetTypes

/// A connection to another end.
extension TextRenderer {
    func sections(_ connect: ConnectEvidence) -> [[String]] {
        [
            candidates(connect), checkList(connect), timeline(connect), figures(connect),
        ].filter { !$0.isEmpty }
    }

    // MARK: Candidates

    private func candidates(_ connect: ConnectEvidence) -> [String] {
        var rows = connect.localCandidates.map { row($0, nil) }
        rows += connect.remoteCandidates.map { row($0, nil) }
        rows += connect.refused.map { row($0.candidate, "left out: \($0.reason.rawValue)") }
        guard !rows.isEmpty else { return [] }
        if !connect.localCandidates.isEmpty { rows[0].heading = "this side" }
        if rows.count > connect.localCandidates.count {
            rows[connect.localCandidates.count].heading = "the other side"
        }
        let table = TextTable(
            columns: [
                "type", .text("over", importance: 1), "address",
                .number("priority", importance: 0),
            ], rows: rows)
        let count = "\(connect.localCandidates.count) here, \(connect.remoteCandidates.count) there"
        return [title("Candidates (\(count))")] + table.lines(style)
    }

    private func row(_ candidate: Candidate, _ remark: String?) -> TextTable.Row {
        let type = candidate.tcpType.map { " \($0.rawValue)" } ?? ""
        return .init(
            cells: [
                candidate.kind.name, candidate.transport.rawValue + type,
                style.shown(ConnectWords.place(candidate)), "\(candidate.priority)",
            ], remarks: remark.map { [$0] } ?? [])
    }

    // MARK: Pairs

    private func checkList(_ connect: ConnectEvidence) -> [String] {
        guard !connect.pairs.isEmpty else { return [] }
        let pairs = connect.pairs.sorted { $0.priority > $1.priority }
        let table = TextTable(
            columns: [
                "from", "to", .text("kinds", importance: 2),
                .number("checks", importance: 0), .number("RTT ms"),
                "state",
            ],
            rows: pairs.map { row($0, connect) })
        let working = connect.pairs.count(where: \.isValid)
        return [title("Pairs (\(working) of \(pairs.count) work)")] + table.lines(style)
    }

    private func row(_ pair: ICEPair, _ connect: ConnectEvidence) -> TextTable.Row {
        let mark: Mark = pair.isValid ? .good : pair.state == .failed && pair.failure != .superseded ? .bad : .unknown
        let kinds = pair.kinds
        var remarks: [String] = []
        if pair.id == connect.selected { remarks.append("selected") }
        if let failure = pair.failure { remarks.append(style.shown(ConnectWords.failure(failure))) }
        return .init(
            mark: mark,
            cells: [
                ConnectWords.place(pair.validLocal ?? pair.local), style.shown(ConnectWords.place(pair.remote)),
                "\(kinds.local.rawValue)-\(kinds.remote.rawValue)", "\(pair.transmissions)",
                milliseconds(pair.roundTrip), pair.state.rawValue,
            ],
            remarks: remarks.isEmpty ? [] : [remarks.joined(separator: ", ")])
    }

    // MARK: Times

    private func timeline(_ connect: ConnectEvidence) -> [String] {
        let times = connect.times
        let parts: [(String, Duration?)] = [
            ("gathered", times.gathered), ("own description sent", times.described),
            ("the other's received", times.peerDescribed), ("first pair works", times.firstSuccess),
            ("nominated", times.nominated), ("secured", times.secured),
        ]
        let happened = parts.compactMap { name, time in time.map { (name, $0) } }.sorted { $0.1 < $1.1 }
        guard !happened.isEmpty else { return [] }
        let table = TextTable(
            columns: [.number("after ms"), "what"],
            rows: happened.map { .init(cells: [milliseconds($0.1), $0.0]) })
        return [title("Timeline")] + table.lines(style)
    }

    // MARK: Data

    private func figures(_ connect: ConnectEvidence) -> [String] {
        guard let pair = connect.selectedPair else { return [] }
        var lines = labelled("pair     ", ConnectWords.pair(pair))
        if let role = connect.role { lines += labelled("role     ", role.rawValue) }
        if let data = connect.data { lines += labelled("data     ", words(data)) }
        if let throughput = connect.throughput { lines += labelled("bulk     ", words(throughput)) }
        if let dtls = connect.dtls {
            var words = [dtls.isSecured ? "complete" : "not complete", dtls.isClient ? "client" : "server"]
            if let facts = dtls.facts, !facts.version.isEmpty { words += [facts.version, facts.cipher] }
            if let time = dtls.handshake { words.append("handshake \(milliseconds(time)) ms") }
            lines += labelled("DTLS     ", words.joined(separator: ", "))
        }
        switch connect.consent {
        case .notNeeded: break
        case .kept: lines += labelled("consent  ", "kept until the end")
        case .lost: lines += labelled("consent  ", "lost")
        }
        if let prediction = connect.prediction {
            var words = prediction.outcome
            if prediction.best != prediction.outcome {
                words += " or \(prediction.best), which depends on " + prediction.dependsOn.joined(separator: " and ")
            }
            lines += labelled("expected ", words + (prediction.agrees ? ": so it was" : ": it was otherwise"))
        }
        return [title("Connection")] + lines
    }

    private func words(_ data: ConnectData) -> String {
        var words: [String] = []
        if let trips = data.summary {
            let three = [trips.minimum, trips.median, trips.maximum].map { milliseconds($0) }.joined(separator: "/")
            words.append("RTT \(three) ms (least/median/most)")
        }
        words.append("\(data.lost) of \(data.sent) lost")
        if let there = data.lostThere, let back = data.lostBack, data.lost > 0 {
            words.append("\(there) there and \(back) back")
        }
        if let jitter = data.jitter { words.append("jitter \(milliseconds(jitter)) ms") }
        words.append(data.method == .echo ? "echoed by the other icecheck" : "by STUN Binding")
        return words.joined(separator: ", ")
    }

    private func words(_ throughput: ConnectThroughput) -> String {
        func rate(_ bits: Double?) -> String { bits.map { "\(JSONValue.decimalText($0 / 1e6)) Mbit/s" } ?? "nothing" }
        return "\(rate(throughput.sendingRate)) sent, \(rate(throughput.receivingRate)) received, "
            + "\(throughput.lost) of \(throughput.sent) datagrams lost"
    }
}
