import NetTypes

extension RelayedNATEvidence {
    typealias Estimate = RelayedNATVerdict.Estimate

    /// Whether every observer saw the mapping socket as it is.
    var isUntranslated: Bool {
        let seen = views(of: .mapping)
        return seen.count > 1 && seen.values.allSatisfy { $0 == localEndpoints[.mapping] }
    }

    /// Whether the observers see the mapping socket differently, which each has to confirm.
    var observersDiffer: Bool { Set(views(of: .mapping).values).count > 1 }

    // MARK: Mapping

    /// Two ports of one address tell address-and-port-dependent from the rest, two addresses endpoint-independent from
    /// the rest; whichever observers they belong to.
    ///
    /// That two see it differently is the NAT's doing only where each sees it the same twice.
    func mapping(_ troubles: [Int: String]) -> Estimate {
        let views = views(of: .mapping)
        let seers = views.keys.filter { if case .relay = $0 { true } else { false } }
        guard !seers.isEmpty else { return Estimate(whyNoRelayHelps(troubles)) }
        if isUntranslated { return Estimate(.none) }
        let mapped = Set(views.values)
        if mapped.count > 1,
            let once = observers.first(where: {
                views[$0] != nil && sightings(of: .mapping, by: $0).count < 2
            }), let place = endpoint(of: once)
        {
            return Estimate(cut("\(place) did not answer a second time, to confirm that the mapping depends on it"))
        }
        let byAddress = Dictionary(grouping: views) { endpoint(of: $0.key)?.address ?? source }
        if byAddress.values.contains(where: { Set($0.map(\.value)).count > 1 }) {
            return Estimate(.addressAndPortDependent)
        }
        let comparesPorts = byAddress.values.contains { $0.count > 1 }
        let comparesAddresses = byAddress.count > 1
        switch (comparesPorts, comparesAddresses) {
        case (false, false):
            return Estimate(cut("only one endpoint saw this machine, which leaves nothing to compare"))
        case (true, false):
            return Estimate(
                possible: [.endpointIndependent, .addressDependent],
                cut(
                    "it does not depend on the destination's port; whether it depends on the address, a server at "
                        + "another address than \(byAddress.keys.first ?? source) would tell"))
        case (_, true) where mapped.count == 1: return Estimate(.endpointIndependent)
        case (true, true): return Estimate(.addressDependent)
        case (false, true):
            return Estimate(
                possible: [.addressDependent, .addressAndPortDependent],
                cut("it depends on the destination's address; a second relay would tell whether on its port too"))
        }
    }

    // MARK: Filtering

    /// What gets in proves whom the filter lets in; its absence proves something once the sequential test is decided.
    func filtering(_ troubles: [Int: String]) -> Estimate {
        let trials = trials
        let letIn = trials.filter(hasArrived)
        let kept = trials.filter { !hasArrived($0) && sends($0.sender) }
        let silences = kept.filter { test($0, at: endedAt).isDecided }
        let risk = { (some: [RelayedNATTrial]) in some.map { self.test($0, at: self.endedAt).risk }.min() ?? 1 }
        let silentPorts = silences.filter { !$0.isOtherAddress }
        let silentAddresses = silences.filter(\.isOtherAddress)
        if letIn.contains(where: \.isOtherAddress) {
            guard silentPorts.isEmpty else {
                return Estimate("another address gets in, and another port of the address that was sent to does not")
            }
            return Estimate(.endpointIndependent)
        }
        guard letIn.isEmpty else {
            guard silentAddresses.isEmpty else { return Estimate(.addressDependent, risk: risk(silentAddresses)) }
            let open = kept.first(where: \.isOtherAddress)
            return Estimate(
                possible: [.endpointIndependent, .addressDependent],
                cut(
                    "another port of an address that was sent to gets in; "
                        + (open.map { undecided(test($0, at: endedAt)) }
                            ?? "whether another address does, a server there would tell")))
        }
        guard silentPorts.isEmpty else { return Estimate(.addressAndPortDependent, risk: risk(silentPorts)) }
        guard silentAddresses.isEmpty else {
            return Estimate(
                possible: [.addressDependent, .addressAndPortDependent],
                cut("another address does not get in; whether another port does, a second relay would tell"))
        }
        if let open = kept.first { return Estimate(cut(undecided(test(open, at: endedAt)))) }
        return Estimate(
            relays.indices.contains(where: sends)
                ? cut("no second endpoint sent to a socket of this machine") : whyNoRelayHelps(troubles))
    }

    // MARK: Why not

    private func whyNoRelayHelps(_ troubles: [Int: String]) -> String {
        guard !relays.isEmpty else { return cut("no relay was asked for") }
        let reasons = relays.indices.compactMap { whyNoHelp(of: $0, trouble: troubles[$0]) }
        var unique: [String] = []
        for reason in reasons where !unique.contains(reason) { unique.append(reason) }
        return cut(unique.joined(separator: "; "))
    }

    /// Why a relay shows nothing, or not all; nil where it does.
    package func whyNoHelp(of place: Int, trouble: String?) -> String? {
        let relay = relays[place]
        if let objection = objection(to: .relay(place)) { return "the relay of \(relay.server): \(objection)" }
        if let stray = straySource(of: place) {
            return "the relay of \(relay.server) sends from \(stray), not from \(relay.relayedAddress ?? stray)"
        }
        if let trouble { return "no relay of \(relay.server): \(trouble)" }
        guard let relayed = relay.relayedAddress else { return "\(relay.server) gave no relay" }
        guard sightings(of: .mapping, by: .relay(place)).isEmpty else { return nil }
        return relay.isLost
            ? "\(relay.server) ended the relay"
            : "nothing that was sent to the relayed address \(relayed) came to \(relay.server)"
    }

    private func undecided(_ test: SequentialTest) -> String {
        let controls = test.answeredControls + test.failedControls
        return
            "\(test.answeredControls) of \(controls) datagrams of the relay came where the way was open, which leaves "
            + "the silence of \(test.silentProbes) others open"
    }

    private func cut(_ reason: String) -> String { isCutShort ? "\(reason) before the run ended" : reason }
}
