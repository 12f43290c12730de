import Diagnosis
import Engines
import Facts
import NetTypes

extension TextRenderer {
    func section(_ results: [TURNResult]) -> [String] {
        let working = results.filter(\.isOK).count
        let heading = title("TURN relays (\(working) of \(results.count) carry data)")
        if results.isEmpty { return [title("TURN relays"), "  none asked"] }
        return [heading]
            + table(of: results, server: \.server, columns: columns(isGrouped:)) { row($0, heading: $1) }
    }

    private func columns(isGrouped: Bool) -> [TextTable.Column] {
        let server: [TextTable.Column] = isGrouped ? [] : ["server"]
        return server + [
            "over", "address", "relayed address", .number("allocated ms", importance: 2), .number("RTT ms"),
            .number("p95 ms", importance: 1), .number("jitter ms", importance: 0), .number("lost"),
        ]
    }

    private func row(_ result: TURNResult, heading: String?) -> TextTable.Row {
        let trips = result.data?.roundTrips
        return .init(
            heading: heading,
            mark: Mark(result.outcome),
            cells: [
                result.transport.rawValue,
                result.serverAddress?.description ?? result.family?.name ?? "",
                result.relay?.relayedAddress.description ?? result.relayFamily?.name ?? "",
                milliseconds(result.evidence?.allocation?.elapsed),
                milliseconds(trips?.median), milliseconds(trips?.percentile95), milliseconds(trips?.jitter),
                result.data.map(lost) ?? "",
            ],
            remarks: remarks(on: result))
    }

    private func words(_ tcp: TURNEvidence.TCPRelay) -> String {
        func words(_ lane: TURNEvidence.TCPLane) -> String {
            guard lane.isSilent else {
                return "\(lane.tally.roundTrips.count) of \(lane.tally.sent) messages came back"
            }
            let code = lane.code.map { ", \($0)" } ?? ""
            let trouble = lane.pathTrouble.map { ", \($0.kind.reportName)" } ?? ""
            return "nothing (\(lane.reached.rawValue)\(code)\(trouble))"
        }
        return "TCP relay: from a peer: \(words(tcp.inbound)); to a peer: "
            + (tcp.outbound.map(words) ?? "not tried behind a NAT")
    }

    private func remarks(on result: TURNResult) -> [String] {
        var remarks = remarks(on: result.outcome, stage: "\(result.stage.rawValue): ")
        guard let evidence = result.evidence else { return remarks }
        let usual = [
            evidence.software.map { style.shown($0) },
            evidence.realm.map { "realm \(style.shown($0))" },
            evidence.username.isEmpty ? nil : "user \(style.shown(evidence.username))",
            (evidence.allocation?.lifetime).map { "lifetime \($0) s" },
        ].compactMap(\.self)
        if !usual.isEmpty { remarks.append(usual.joined(separator: "; ")) }
        if let options = evidence.options {
            remarks.append(options.map(\.words).joined(separator: "; "))
        }
        if let soak = result.relay?.soak {
            remarks.append(
                "soak: \(Words.seconds(down: soak.length)) s, \(soak.tally.sent - soak.tally.roundTrips.count) of "
                    + "\(soak.tally.sent) datagrams lost; renewals: allocation \(soak.refreshes), permission "
                    + "\(soak.permissions), channel \(soak.channels), nonce \(soak.nonces)")
        }
        if let tls = evidence.tls { remarks += self.remarks(on: tls) }
        if result.relay?.way == .relayToRelay { remarks.append("from relay to relay; not from a second socket") }
        if let tcp = result.relay?.tcp { remarks += [words(tcp)] }
        if let trouble = result.relay?.pathTrouble {
            remarks.append("the second socket met \(trouble.kind.reportName) on the way to the relayed address")
        }
        return remarks
    }
}

extension AllocationOptionAnswer {
    /// `next port: granted, 192.0.2.1:50001`
    fileprivate var words: String {
        let name =
            switch option {
            case .evenPort: "even port"
            case .nextPort: "next port"
            case .dontFragment: "DONT-FRAGMENT"
            case .bothFamilies: "both families"
            }
        let reason =
            switch code {
            case nil: ""
            case 400?: " (400: the server calls the request malformed)"
            case 420?: " (420: the server does not implement it)"
            case 440?, 443?: " (\(code ?? 440): the server has no relay of the second family)"
            case 508?: " (508: the server has no such port free)"
            case let code?: " (\(code))"
            }
        return "\(name): \(outcome.rawValue)\(reason)\(address.map { ", \($0)" } ?? "")"
    }
}
