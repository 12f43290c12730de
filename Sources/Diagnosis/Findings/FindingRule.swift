import Facts
import NetTypes
import Planning
import STUN

/// One thing that a run can show, from observations to words: a rule a file, each with a test that provokes it.
protocol FindingRule: Sendable {
    /// All that the rule can find.
    static var kinds: [FindingKind] { get }
    static func findings(in evidence: Evidence) -> [Finding]
}

/// A rule that can find one thing only.
protocol OneKindRule: FindingRule {
    static var kind: FindingKind { get }
}

extension OneKindRule {
    static var kinds: [FindingKind] { [kind] }
}

extension FindingRule {
    /// One finding for each kind that any of the subjects has.
    static func findings<Subject: FindingSubject>(
        about subjects: [Subject], kind: (Subject) -> FindingKind?, seen: (Subject) -> String
    ) -> [Finding] {
        let groups = Dictionary(grouping: subjects, by: kind)
        return kinds.flatMap { $0.findings(about: groups[$0] ?? [], seen: seen) }
    }
}

/// What rules look at.
struct Evidence {
    let record: RunRecord
    let stun: [STUNResult]
    let turn: [TURNResult]
    let relayPairs: [RelayPairResult]
    let candidates: [CandidateRecord]
    let nat: [NATRecord]
    /// The machine's interfaces when the run ended, where they were read again.
    let interfacesAfter: [NetworkInterface]?
    /// Seconds since 1970 when the run began, by this machine's clock; nil where that is not known.
    let wallClock: Int64?
    /// A connection to a peer, where that was the purpose.
    var connect: ConnectEvidence?

    /// How each server was reached: by Binding, and by Allocate where no Binding was asked.
    var contacts: [STUNResult] {
        var contacts = stun
        for contact in turn.map(\.contact)
        where !contacts.contains(where: {
            $0.serverAddress == contact.serverAddress && $0.transport == contact.transport
                && $0.server == contact.server
        }) {
            contacts.append(contact)
        }
        return contacts
    }

    /// What went wrong in this way, by how each server was reached.
    ///
    /// What ``OneRequestSilent`` knows better is left out: a server that relays is neither silent nor another service.
    func contacts(failing kinds: [ProbeError.Kind]) -> [STUNResult] {
        contacts.filter { contact in
            guard let error = contact.error, kinds.contains(error.kind) else { return false }
            return !contact.needsCredential && !isAliveForTURN(contact)
        }
    }

    /// The servers that have one of these addresses, as they were named.
    func servers(at addresses: [Endpoint]) -> [String] {
        record.plan.servers.enumerated().filter { index, _ in
            record.resolved[index]?.contains(where: addresses.contains) ?? false
        }.map(\.element.uri.text)
    }

    func scope(of server: Endpoint, _ transport: Transport) -> FindingScope {
        FindingScope(servers: servers(at: [server]), family: server.family, transport: transport)
    }
}

/// Every rule, in the order in which their findings are shown within a severity.
enum FindingRules {
    private static var all: [any FindingRule.Type] {
        [
            TLSFails.self, UDPBlocked.self, PortAnswersDiffer.self, FirewallRejects.self, MachineRefuses.self,
            NameNotResolved.self,
            WrongService.self,
            ServerSilent.self, OneRequestSilent.self, ServerAnswersBadly.self, NameLeadsInside.self,
            AddressRewritten.self,
            MappedAddressNotGlobal.self, OtherAddressNotGlobal.self, NATMappingDependent.self, NATServerUnusable.self,
            NATMethodsDisagree.self, NATLifetimeShort.self, AnswersLost.self, AddressLeadsNowhere.self,
            NetworkChanged.self,
            TURNCredentialsRefused.self, TURNTokenFails.self, TURNChallengeFails.self, TURNServerRefuses.self,
            TURNRedirected.self, TURNRelayFails.self, TURNTCPRelayFails.self, TURNRelayStops.self, TURNRelayWays.self,
            RelayLosesData.self,
            TURNRelayPairFails.self, TURNLeavesTraces.self,
            NoPathToPeer.self, PeerNotHeard.self, ConnectionNotSecured.self, ConsentLost.self,
            CandidatesNotGathered.self, SignalingUnusable.self, PairLosesData.self,
            PredictionDiffers.self,
        ]
    }

    /// Each with an id of its own.
    static let kinds = all.flatMap { $0.kinds }

    static func apply(to evidence: Evidence) -> [Finding] {
        let findings = all.flatMap { $0.findings(in: evidence) }
        assert(findings.allSatisfy { kinds.contains($0.kind) }, "a rule declares each kind that it can find")
        return Finding.Severity.allCases.flatMap { severity in findings.filter { $0.severity == severity } }
    }
}

extension STUNResult: FindingSubject {
    /// Whether another than the server said that its port is closed: a packet filter that rejects.
    var isRejectedOnTheWay: Bool {
        guard let error, error.kind == .portUnreachable, let reporter = error.reporter else { return false }
        return reporter.withoutZone != serverAddress?.address.withoutZone
    }

    /// The place and what went wrong there.
    var complaint: String { "\(place): \(error?.message ?? "no answer")" }
}

extension TURNResult: FindingSubject {
    /// The place and what went wrong there.
    var complaint: String { "\(place): \(error?.message ?? "no relay")" }
}
