import Diagnosis
import Facts
import JSON
import NetTypes
import Planning

extension TextRenderer {
    func section(_ results: [STUNResult]) -> [String] {
        let servers = Set(results.map(\.server)).count
        let answered = Set(results.filter(\.isOK).map(\.server)).count
        let heading = title("STUN servers (\(answered) of \(servers) answered)")
        if results.isEmpty { return [title("STUN servers"), "  none asked"] }
        return [heading]
            + table(of: results, server: \.server, columns: { columns(for: results, isGrouped: $0) }) {
                row($0, heading: $1)
            }
    }

    /// A line for each result, with its server before it; where that does not fit, the server stands once above its
    /// results and leaves the line to the values.
    func table<Result>(
        of results: [Result], server: (Result) -> String, columns: (_ isGrouped: Bool) -> [TextTable.Column],
        row: (Result, _ heading: String?) -> TextTable.Row
    ) -> [String] {
        let flat = TextTable(
            columns: columns(false),
            rows: results.map { result in
                var flat = row(result, nil)
                flat.cells.insert(style.shown(server(result)), at: 0)
                return flat
            })
        if flat.fits(in: style) { return flat.lines(style) }
        var last: String?
        let rows = results.map { result in
            defer { last = server(result) }
            return row(result, server(result) == last ? nil : style.shown(server(result)))
        }
        return TextTable(columns: columns(true), rows: rows).lines(style)
    }

    private func columns(for results: [STUNResult], isGrouped: Bool) -> [TextTable.Column] {
        let server: [TextTable.Column] = isGrouped ? [] : ["server"]
        return server + [
            "over", "address", "mapped address", .number("RTT ms"), .number("min ms", importance: 1),
            .number("median ms"), .number("max ms", importance: 2), .number("jitter ms", importance: 0),
            .number("lost"), .number("attempts", importance: 3),
        ]
    }

    private func row(_ result: STUNResult, heading: String?) -> TextTable.Row {
        let statistics = result.statistics
        let roundTrip = statistics == nil ? result.answer.map { milliseconds($0.roundTrip.duration) } : nil
        func time(_ duration: KeyPath<RoundTripStatistics, Duration>) -> String {
            statistics.flatMap { $0.received > 0 ? milliseconds($0[keyPath: duration]) : nil } ?? ""
        }
        return .init(
            heading: heading,
            mark: Mark(result.outcome),
            cells: [
                result.transport.rawValue,
                result.serverAddress?.description ?? result.family?.name ?? "",
                result.answer?.mappedAddress.description ?? "",
                roundTrip ?? "",
                time(\.minimum), time(\.median), time(\.maximum), time(\.jitter),
                statistics.map { "\($0.sent - $0.received) of \($0.sent)" } ?? "",
                statistics == nil && result.attempts > 0 ? String(result.attempts) : "",
            ],
            remarks: remarks(on: result))
    }

    func milliseconds(_ duration: Duration) -> String {
        JSONValue.fixedPoint((duration.nanoseconds + 500) / 1000)
    }

    func milliseconds(_ duration: Duration?) -> String { duration.map { milliseconds($0) as String } ?? "" }

    /// `2 of 50`; nothing where nothing was sent.
    func lost(_ data: TURNResult.RelayedData) -> String {
        data.sent > 0 ? "\(data.sent - data.returned) of \(data.sent)" : ""
    }

    // MARK: What there is to say of a server

    private func remarks(on result: STUNResult) -> [String] {
        var remarks = remarks(on: result.outcome)
        if let answer = result.answer {
            let usual = traits(of: answer)
            if !usual.isEmpty { remarks.append(usual.joined(separator: "; ")) }
            remarks += oddities(of: answer, from: result.serverAddress)
        }
        if let tls = result.tls { remarks += self.remarks(on: tls) }
        return remarks + result.ignored.map(words) + words(for: result.pathTroubles)
    }

    /// What went wrong, or why nothing is known.
    func remarks(on outcome: STUNResult.Outcome, stage: String = "") -> [String] {
        switch outcome {
        case .answered: return []
        case .failed(let error):
            let reason = error.reason.map { ", reason \"\(style.shown($0))\"" } ?? ""
            return ["\(stage)\(error.kind.rawValue): \(style.shown(error.message))\(reason)"]
        case .notMeasured(let why): return ["not measured (\(why.reason.words)): \(style.shown(why.detail))"]
        }
    }

    /// What many answers have.
    private func traits(of answer: BindingAnswer) -> [String] {
        // A server on this machine has no way on which a NAT could be.
        let showsNoNAT = answer.mappedAddress == answer.localAddress && !answer.source.address.isLoopback
        return [
            answer.software.map { style.shown($0) },
            showsNoNAT ? "no NAT on the way" : nil,
            answer.otherAddress.map { "OTHER-ADDRESS \($0)" },
        ].compactMap(\.self)
    }

    /// What an answer should not have.
    private func oddities(of answer: BindingAnswer, from server: Endpoint?) -> [String] {
        var oddities: [String] = []
        if let server, answer.source != server { oddities.append("answered from \(answer.source)") }
        if let origin = answer.responseOrigin, origin != answer.source { oddities.append("RESPONSE-ORIGIN \(origin)") }
        if let rewritten = answer.rewrittenAddress {
            oddities.append("MAPPED-ADDRESS says \(rewritten): something on the way rewrites addresses")
        }
        if answer.isLegacy { oddities.append("only MAPPED-ADDRESS, as in RFC 3489") }
        if answer.roundTrip.isAmbiguous {
            oddities.append("RTT ambiguous: an earlier request may be the one that was answered")
        }
        return oddities + answer.remarks.map { style.shown($0) }
    }

    private func words(for ignored: IgnoredReplies) -> String {
        let what = ignored.count == 1 ? "reply" : "replies"
        let detail = ignored.detail.map { ": " + style.shown(OutsideText($0)) } ?? ""
        return "ignored \(ignored.count) \(what) (\(ignored.reason.rawValue)) from \(ignored.from)\(detail)"
    }

    /// Each kind of trouble once, with its number, in the order in which they came.
    private func words(for troubles: [PathTrouble]) -> [String] {
        var counts: [(text: String, count: Int)] = []
        for trouble in troubles {
            let text = trouble.kind.reportName + (trouble.reporter.map { " from \($0)" } ?? "")
            if let index = counts.firstIndex(where: { $0.text == text }) {
                counts[index].count += 1
            } else {
                counts.append((text, 1))
            }
        }
        return counts.map { $0.count == 1 ? $0.text : "\($0.text), \($0.count) times" }
    }
}
