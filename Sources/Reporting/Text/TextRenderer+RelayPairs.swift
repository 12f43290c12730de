import Diagnosis
import Facts
import NetTypes

extension TextRenderer {
    func section(_ pairs: [RelayPairResult]) -> [String] {
        let tried = pairs.filter { $0.outcome.notMeasured == nil }
        let working = tried.filter(\.isOK).count
        let table = TextTable(
            columns: [
                "from the relay", "to the relay",
                .number("min ms", importance: 1), .number("RTT ms"), .number("p95 ms", importance: 1),
                .number("jitter ms", importance: 0), .number("overhead ms", importance: 0), .number("lost"), "channel",
            ],
            rows: pairs.map(row))
        let count = tried.isEmpty ? "" : " (\(working) of \(tried.count) carry data)"
        return [title("From relay to relay" + count)] + table.lines(style)
    }

    private func row(_ pair: RelayPairResult) -> TextTable.Row {
        let trips = pair.data.roundTrips
        let channel = pair.evidence.channel
        return .init(
            mark: Mark(pair.outcome),
            cells: [
                place(pair, .first), place(pair, .second),
                milliseconds(trips?.minimum), milliseconds(trips?.median), milliseconds(trips?.percentile95),
                milliseconds(trips?.jitter), milliseconds(pair.data.overhead), lost(pair.data),
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
        let first = "\(style.shown(pair.first)) over \(transports[0])"
        let servers = pair.isOneServer ? first : "\(first), \(style.shown(pair.second)) over \(transports[1])"
        return [servers] + remarks(on: pair.outcome)
    }
}
