import Engines
package import Facts
import NetTypes
package import Planning

extension ConnectEvidence.Prediction {
    /// What the model makes of two machines that have told each other of their candidates and NATs; nil where that was
    /// not so, where only some kinds took part, or where the two are one machine.
    package init?(of evidence: ConnectEvidence, _ plan: Plan) {
        guard evidence.times.peerDescribed != nil, evidence.kinds.count == Candidate.Kind.allCases.count,
            evidence.selectedPair?.local.transport != .tcp,
            evidence.selected != nil || evidence.failure == .noPath
        else { return nil }
        let prefixes = plan.interfaces.flatMap(\.addresses)
        var local = MachineFacts(evidence.localCandidates, evidence.localNAT)
        for address in prefixes { local.prefixes[address.address.withoutZone] = address.prefixLength }
        let remote = MachineFacts(evidence.remoteCandidates, evidence.remoteNAT)
        // Between the two ends of a loopback there is no network to predict.
        guard [evidence.localCandidates, evidence.remoteCandidates].allSatisfy({ $0.contains(where: \.leadsOut) })
        else { return nil }
        var predictor = Predictor()
        let predicted = predictor.predict(local.model, remote.model)
        let happened = PathOutcome(of: evidence)
        self.init(
            outcome: predicted.outcome.rawValue, best: predicted.best.rawValue, localKind: predicted.local?.kind,
            remoteKind: predicted.remote?.kind, dependsOn: predicted.dependsOn,
            agrees: (predicted.best...predicted.outcome).contains(happened))
    }
}

extension PathOutcome {
    fileprivate init(of evidence: ConnectEvidence) {
        guard let pair = evidence.selectedPair else {
            self = .none
            return
        }
        self = pair.isRelayed ? .relayed : .direct
    }
}

extension Candidate {
    /// Whether it is of more than this machine.
    fileprivate var leadsOut: Bool {
        guard case .address(let address) = address else { return true }
        return !address.isLoopback
    }
}

extension MachineFacts {
    /// What a machine tells its peer about itself.
    fileprivate init(_ candidates: [Candidate], _ nat: [IPAddress.Family: NATTraits]) {
        self.init()
        listsAddresses = true
        listsRelays = true
        for candidate in candidates where candidate.transport == .udp {
            switch (candidate.kind, candidate.address) {
            case (.host, .address(let address)): addHost(address)
            case (.serverReflexive, .address(let address)), (.peerReflexive, .address(let address)):
                self[address.family].mappedAddress = self[address.family].mappedAddress ?? address
                if candidate.kind == .serverReflexive {
                    self[address.family].globalSightings.insert(true)
                    self[address.family].isAnsweredOverUDP = true
                }
            case (.relayed, .address(let address)): relays.append((false, address.family))
            // A name hides an address; of which family is not known.
            case (_, .name): listsAddresses = false
            }
        }
        for (family, traits) in nat {
            self[family].mapping = traits.mapping.map { NATDependences($0) }
            self[family].filtering = traits.filtering.map { NATDependences($0) }
            self[family].hairpins = traits.hairpins
            if traits.passesUDP == true { self[family].isAnsweredOverUDP = true }
        }
    }
}
