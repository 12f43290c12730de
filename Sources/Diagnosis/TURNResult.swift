package import Engines
package import Facts
package import NetTypes
import Planning
import STUN

/// What is known of one relayed address, or of an attempt at one: an address of a TURN server, a transport to it, a
/// family of relayed addresses.
package struct TURNResult: Hashable, Sendable, ServerResult {
    /// The server as it was named.
    package var server: String
    package var transport: Transport
    /// Of the server's address; nil where the name did not resolve at all.
    package var family: IPAddress.Family?
    package var serverAddress: Endpoint?
    /// How far it came.
    package var stage: RelayStage
    package var outcome: STUNResult.Outcome
    /// What the attempt saw; nil where none was made.
    package var evidence: TURNEvidence?
    package var data: RelayedData?

    package var relay: TURNEvidence.Relay? { evidence?.relay }
    /// Of the relayed address that was asked for.
    package var relayFamily: IPAddress.Family? { evidence?.relayFamily }

    /// Datagrams through the relay and back, by the way that carried them.
    package struct RelayedData: Hashable, Sendable {
        package var sent: Int
        /// Those that came back, after two ways through the relay.
        package var returned: Int
        package var altered: Int
        /// Of those that came back; nil where none did.
        package var roundTrips: RoundTripStatistics?
        /// What their median is beyond two round trips to the server, the least that the way through it takes.
        package var overhead: Duration?
        /// Lost of sent, 0 to 1.
        package var lossRatio: Double { sent == 0 ? 0 : Double(sent - returned) / Double(sent) }
    }
}

extension TURNResult {
    /// In the order of the servers; those of one allocation in the order of its addresses.
    static func results(of record: RunRecord) -> [TURNResult] {
        record.plan.servers.indices.filter { record.plan.servers[$0].turn != nil }.flatMap { server in
            let seen = record.turn.filter { $0.server == server }.sorted(by: isBefore).map { result(of: $0, record) }
            let gaps = STUNResult.unprobed(server, record, isEmpty: seen.isEmpty).map { gap in
                TURNResult(
                    server: gap.server, transport: gap.transport, family: gap.family, serverAddress: nil,
                    stage: .resolve, outcome: gap.outcome)
            }
            return seen + gaps
        }
    }

    /// In the order of their start: what ended first says nothing.
    private static func isBefore(_ one: TURNEvidence, _ other: TURNEvidence) -> Bool { one.attempt < other.attempt }

    private static func result(of evidence: TURNEvidence, _ record: RunRecord) -> TURNResult {
        var result = TURNResult(
            server: record.plan.servers[evidence.server].uri.text, transport: evidence.transport,
            family: evidence.serverAddress.family, serverAddress: evidence.serverAddress, stage: .allocate,
            outcome: .answered, evidence: evidence)
        if evidence.relay == nil {
            result.stage = evidence.trouble?.stage ?? .allocate
            result.outcome = outcome(of: evidence, record)
        } else {
            result.judgeRelay(record.endReason, soaks: record.plan.soak != nil)
        }
        return result
    }

    private static func outcome(of evidence: TURNEvidence, _ record: RunRecord) -> STUNResult.Outcome {
        if let trouble = evidence.trouble {
            // A second family is a gift where the first is there: a server without it is not broken.
            guard
                evidence.relayFamily == .ipv4
                    || evidence.serverAddress.family == .ipv6 && record.plan.families == [.ipv6]
                    || trouble.code != 440 && trouble.code != 443 && !evidence.ignoresFamily
            else {
                let answer = trouble.code.map { "\($0)" } ?? "it gives one of \(IPAddress.Family.ipv4.name)"
                return .notMeasured(
                    evidence.serverAddress, .notSupported,
                    "the server has no relay of \(evidence.relayFamily.name) (\(answer))",
                    family: evidence.relayFamily)
            }
            return .failed(ProbeError(trouble, of: evidence))
        }
        return .notMeasured(evidence.serverAddress, record.endReason, "the run ended before the server had answered")
    }

    /// The verdict of one relayed address: it is fine where bytes went through it both ways.
    private mutating func judgeRelay(_ endReason: NotMeasured.Reason, soaks: Bool) {
        guard let evidence, let relay else { return }
        let tallies =
            relay.tcp.map { $0.lanes.map(\.tally) }
            ?? (relay.way == .relayToRelay ? relay.pair.map { [$0.indications, $0.channel] } : nil)
            ?? [relay.indications, relay.channel]
        let data = RelayedData(tallies, altered: relay.altered, toServer: evidence.allocation?.roundTrip)
        self.data = data
        stage = data.returned > 0 || relay.permittedAfter != nil ? .relay : .permission
        if relay.isUntried {
            stage = .allocate
            outcome = .notMeasured(
                relay.relayedAddress, .noRoute,
                "this machine has no route to the relayed address, so no data was sent through it",
                family: relay.relayedAddress.family)
        } else if let trouble = evidence.trouble, trouble.kind != .noData {
            stage = trouble.stage
            outcome = .failed(ProbeError(trouble, of: evidence))
        } else if evidence.isCutShort, relay.way == nil {
            outcome = .notMeasured(
                relay.relayedAddress, endReason, "the run ended before data had come through the relay")
        } else if soaks, relay.way == .relayToRelay {
            outcome = .notMeasured(
                relay.relayedAddress, .notSupported,
                "data goes from relay to relay only, and a soak needs a second socket that gets through")
        } else if relay.way == nil || relay.altered > 0 || relay.soak?.isBroken == true {
            outcome = .failed(ProbeError(silenceOf: relay))
        }
    }
}

extension TURNResult.RelayedData {
    /// - Parameter toServer: a round trip to the server.
    init(_ tallies: [TURNEvidence.Relay.Tally], altered: Int, toServer: Duration?) {
        let trips = tallies.flatMap(\.roundTrips)
        let statistics = RoundTripStatistics(trips, sent: trips.count)
        self.init(
            sent: tallies.reduce(0) { $0 + $1.sent }, returned: trips.count, altered: altered, roundTrips: statistics,
            overhead: statistics.map { max(.zero, $0.median - (toServer ?? .zero) * 2) })
    }
}

extension TURNResult {
    /// How the server was reached, for the rules that ask nothing else: it is fine where the server gave any answer.
    package var contact: STUNResult {
        let isAnswered = error.map { !ProbeError.Kind.withoutAnswer.contains($0.kind) } ?? true
        return STUNResult(
            server: server, transport: transport, family: family, serverAddress: serverAddress,
            outcome: isAnswered && gap == nil ? .answered : outcome, localAddress: evidence?.localAddress)
    }
}

extension ProbeError.Kind {
    /// Those that are the path's or the wrong service's, or that no answer of TURN can be made out of.
    package static let withoutAnswer: Set<Self> = [
        .timeout, .portUnreachable, .hostUnreachable, .networkUnreachable, .protocolUnreachable,
        .administrativelyProhibited, .timeToLiveExceeded, .messageTooBig, .otherICMP, .connectionRefused,
        .connectionReset, .connectionTimedOut, .connectionClosed, .truncated, .tcpOpenNoSTUN, .foreignProtocol, .echo,
        .noRoute, .nameNotResolved, .notPermitted, .local, .tls, .malformed, .unknownAttribute, .foreignAnswer,
    ]
}

extension TURNEvidence {
    /// Whether the server disregards REQUESTED-ADDRESS-FAMILY, as pion/turn does: it has no relay of the family. Coturn
    /// knows the attribute: there an address of the other family is what external-ip= makes of both.
    fileprivate var ignoresFamily: Bool {
        trouble?.unusable?.allSatisfy { $0.reason == .wrongFamily } ?? false
            && software?.cleaned(limit: 100).lowercased().contains("coturn") != true
    }
}
