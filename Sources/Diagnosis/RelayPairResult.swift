import Engines
package import Facts
import NetTypes
import Planning
import STUN

/// What is known of the way from one relay to another: on one server, as two peers with a relay each on it need it, or
/// on two.
package struct RelayPairResult: Hashable, Sendable, Judged {
    /// The servers as they were named.
    package var first: String
    package var second: String
    package var outcome: STUNResult.Outcome
    package var evidence: RelayPairEvidence
    package var data: TURNResult.RelayedData

    package var isOneServer: Bool { evidence.first.server == evidence.second.server }

    /// Where the data died.
    enum Death: Hashable {
        /// A server refuses the other relay's address as a peer.
        case refused(RelayPairEnd)
        /// An allocation did not come as far as that of the attempt before.
        case allocation(RelayPairEnd)
        /// Nothing comes either way, or only one way, to this end.
        case both
        case towards(RelayPairEnd)
        /// Indications work, the channels do not.
        case channel
        case altered
    }

    /// Nil where it works, or was not measured.
    var death: Death? {
        guard outcome.error != nil else { return nil }
        if let (end, trouble) = trouble {
            let isRefused = trouble.kind == .errorResponse && trouble.stage != .allocate
            return isRefused ? .refused(end) : .allocation(end)
        }
        if evidence.altered > 0 { return .altered }
        guard evidence.indications.roundTrips.isEmpty else { return .channel }
        if evidence.indications.arrived > 0 { return .towards(.first) }
        return evidence.reverse.map { $0.arrived > 0 } ?? false ? .towards(.second) : .both
    }

    /// What went wrong first, and at which end.
    var trouble: (end: RelayPairEnd, trouble: TURNEvidence.Trouble)? {
        RelayPairEnd.allCases.lazy.compactMap { end in evidence[end].trouble.map { (end, $0) } }.first
    }

    func server(_ end: RelayPairEnd) -> String { end == .first ? first : second }
}

extension RelayPairResult {
    /// In the order of the servers; which pair was made first says nothing.
    static func results(of record: RunRecord) -> [RelayPairResult] {
        record.relayPairs.sorted { isBefore($0, $1) }.map { RelayPairResult($0, record) }
    }

    private static func isBefore(_ one: RelayPairEvidence, _ other: RelayPairEvidence) -> Bool {
        let families = IPAddress.Family.allCases
        func place(_ pair: RelayPairEvidence) -> [Int] {
            [
                pair.first.server, pair.second.server, families.firstIndex(of: pair.first.relayFamily) ?? 0,
                pair.pair,
            ]
        }
        return place(one).lexicographicallyPrecedes(place(other))
    }

    private init(_ evidence: RelayPairEvidence, _ record: RunRecord) {
        let toServers = [evidence.first, evidence.second].compactMap(\.roundTrip)
        self.init(
            first: record.plan.servers[evidence.first.server].uri.text,
            second: record.plan.servers[evidence.second.server].uri.text, outcome: .answered, evidence: evidence,
            data: TURNResult.RelayedData(
                [evidence.indications, evidence.channel], altered: evidence.altered,
                toServer: toServers.isEmpty ? nil : toServers.reduce(.zero, +) / toServers.count))
        outcome = judged(record.endReason)
    }

    /// It is fine where datagrams came to the other relay and back, in indications and over channels.
    private func judged(_ endReason: NotMeasured.Reason) -> STUNResult.Outcome {
        let indications = evidence.indications
        if let (end, trouble) = trouble {
            if evidence.isCutShort, trouble.kind == .noAnswer {
                return gap(endReason, "the run ended before \(server(end)) had answered for the second time")
            }
            if trouble.isForWantOfRoom {
                return gap(
                    .limit,
                    "\(server(end)) gives this user no second allocation (\(trouble.code ?? 0)), which it takes")
            }
            var error = ProbeError(trouble, of: TURNEvidence(evidence[end]))
            error.message = "\(server(end)): " + error.message
            return .failed(error)
        }
        if evidence.altered > 0 { return .failed(ProbeError(silenceOf: self)) }
        let isSilent =
            indications.roundTrips.isEmpty || evidence.second.boundAfter != nil && evidence.channel.roundTrips.isEmpty
        guard isSilent else { return .answered }
        if evidence.isCutShort {
            return gap(endReason, "the run ended before data had come through both")
        }
        return .failed(ProbeError(silenceOf: self))
    }

    private func gap(_ reason: NotMeasured.Reason, _ detail: String) -> STUNResult.Outcome {
        .notMeasured(place, reason, detail, family: evidence.first.relayFamily)
    }

    /// `turn:a.example.org to turn:b.example.org`.
    package var place: String {
        isOneServer ? "\(first), from one relay to another" : "\(first), relay to relay with \(second)"
    }
}

extension TURNEvidence {
    /// As much of an attempt as the words about what went wrong with it need.
    fileprivate init(_ end: RelayPairEvidence.End) {
        self.init(
            attempt: 0, server: end.server, serverAddress: end.serverAddress, transport: end.transport,
            source: .unspecified(end.serverAddress.family), relayFamily: end.relayFamily, username: "")
    }
}

extension ProbeError {
    /// Two relays of which each carries data alone, and not to each other.
    fileprivate init(silenceOf pair: RelayPairResult) {
        let evidence = pair.evidence
        if evidence.altered > 0 {
            self.init(
                .altered, "\(Words.count(evidence.altered, "datagram")) came through the two relays with other content")
            return
        }
        let sent = Words.count(evidence.indications.sent, "datagram")
        let ends = (evidence.first.relayedAddress, evidence.second.relayedAddress)
        let from = ends.0.map { "\($0)" } ?? "the first"
        let to = ends.1.map { "\($0)" } ?? "the second"
        let message: String
        if evidence.indications.arrived == 0 {
            let back = evidence.reverse.map { reverse in
                reverse.arrived > 0
                    ? ", and what \(to) sends comes to \(from)"
                    : ", and of \(reverse.sent) the other way none came either"
            }
            message = "of \(sent) from the relay \(from) none came to the relay \(to)\(back ?? "")"
        } else if evidence.indications.roundTrips.isEmpty {
            message =
                "\(evidence.indications.arrived) of \(sent) came from the relay \(from) to the relay \(to), and none "
                + "that was sent back came to \(from)"
        } else {
            message =
                "data goes from relay to relay in Send and Data indications, and of "
                + "\(Words.count(evidence.channel.sent, "datagram")) over a channel none came back"
        }
        self.init(.noData, message)
    }
}
