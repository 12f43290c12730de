import Diagnosis
import Facts
import NetTypes
import Planning

extension TextRenderer {
    func section(_ pairs: [RelayPairResult]) -> [String] {
        let tried = pairs.filter { $0.outcome.notMeasured == nil }
        let working = tried.filter(\.isOK).count
        let table = TextTable(
            columns: [
                .init(title: "from the relay"), .init(title: "to the relay"),
                .init(title: "min ms", isNumber: true, importance: 1),
                .init(title: "RTT ms", isNumber: true),
                .init(title: "p95 ms", isNumber: true, importance: 1),
                .init(title: "jitter ms", isNumber: true, importance: 0),
                .init(title: "overhead ms", isNumber: true, importance: 0),
                .init(title: "lost", isNumber: true), .init(title: "channel"),
            ],
            rows: pairs.map(row))
        let count = tried.isEmpty ? "" : " (\(working) of \(tried.count) carry data)"
        return [title("From relay to relay" + count)] + table.lines(style)
    }

    private func row(_ pair: RelayPairResult) -> TextTable.Row {
        let mark: Mark =
            switch pair.outcome {
            case .answered: .good
            case .failed: .bad
            case .notMeasured: .unknown
            }
        let trips = pair.data.roundTrips
        let channel = pair.evidence.channel
        return .init(
            mark: mark,
            cells: [
                place(pair, .first), place(pair, .second),
                trips.map { milliseconds($0.minimum) } ?? "",
                trips.map { milliseconds($0.median) } ?? "",
                trips.map { milliseconds($0.percentile95) } ?? "",
                trips.map { milliseconds($0.jitter) } ?? "",
                trips.map { milliseconds($0.overhead) } ?? "",
                pair.data.sent > 0 ? "\(pair.data.sent - pair.data.returned) of \(pair.data.sent)" : "",
                channel.sent == 0 ? "" : channel.roundTrips.isEmpty ? "no" : "yes",
            ],
            remarks: remarks(on: pair))
    }

    private func place(_ pair: RelayPairResult, _ end: RelayPairEnd) -> String {
        let seen = pair.evidence[end]
        return seen.relayedAddress.map { "\($0)" } ?? "\(seen.serverAddress), \(seen.relayFamily.name)"
    }

    private func remarks(on pair: RelayPairResult) -> [String] {
        let transports = [pair.evidence.first.transport, pair.evidence.second.transport].map(\.rawValue)
        let servers =
            pair.isOneServer
            ? "\(style.shown(pair.first)) over \(transports[0])"
            : "\(style.shown(pair.first)) over \(transports[0]), \(style.shown(pair.second)) over \(transports[1])"
        switch pair.outcome {
        case .answered: return [servers]
        case .failed(let error):
            let reason = error.reason.map { ", reason \"\(style.shown($0))\"" } ?? ""
            return [servers, "\(error.kind.rawValue): \(style.shown(error.message))\(reason)"]
        case .notMeasured(let why):
            return [servers, "not measured (\(why.reason.words)): \(style.shown(why.detail))"]
        }
    }
}
