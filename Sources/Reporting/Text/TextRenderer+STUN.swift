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
        let server: [TextTable.Column] = isGrouped ? [] : [.init(title: "server")]
        return server + [
            .init(title: "over"), .init(title: "address"), .init(title: "mapped address"),
            .init(title: "RTT ms", isNumber: true),
            .init(title: "min ms", isNumber: true, importance: 1), .init(title: "median ms", isNumber: true),
            .init(title: "max ms", isNumber: true, importance: 2),
            .init(title: "jitter ms", isNumber: true, importance: 0),
            .init(title: "lost", isNumber: true),
            .init(title: "attempts", isNumber: true, importance: 3),
        ]
    }

    private func row(_ result: STUNResult, heading: String?) -> TextTable.Row {
        let mark: Mark =
            switch result.outcome {
            case .answered: .good
            case .failed: .bad
            case .notMeasured: .unknown
            }
        let statistics = result.statistics
        let roundTrip = statistics == nil ? result.answer.map { milliseconds($0.roundTrip.duration) } : nil
        func time(_ duration: KeyPath<RoundTripStatistics, Duration>) -> String {
            statistics.flatMap { $0.received > 0 ? milliseconds($0[keyPath: duration]) : nil } ?? ""
        }
        return .init(
            heading: heading,
            mark: mark,
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

    // MARK: What there is to say of a server

    private func remarks(on result: STUNResult) -> [String] {
        var remarks: [String] = []
        switch result.outcome {
        case .answered: break
        case .failed(let error): remarks.append(words(for: error))
        case .notMeasured(let notMeasured):
            remarks.append("not measured (\(notMeasured.reason.words)): \(style.shown(notMeasured.detail))")
        }
        if let answer = result.answer {
            let usual = traits(of: answer)
            if !usual.isEmpty { remarks.append(usual.joined(separator: "; ")) }
            remarks += oddities(of: answer, from: result.serverAddress)
        }
        if let tls = result.tls { remarks += self.remarks(on: tls) }
        return remarks + result.ignored.map(words) + words(for: result.pathTroubles)
    }

    private func words(for error: ProbeError) -> String {
        let reason = error.reason.map { ", reason \"\(style.shown($0))\"" } ?? ""
        return "\(error.kind.rawValue): \(style.shown(error.message))\(reason)"
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
