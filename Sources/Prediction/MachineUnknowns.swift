import NetTypes

/// Which of the unknowns of two machines are taken at their best; all others are taken at their worst.
///
/// Nothing that is more open makes a path worse: the best and the worst bound all that may be between.
struct Unknown: Hashable, Sendable {
    enum What: Hashable, Sendable {
        case presence(IPAddress.Family)
        case passage(IPAddress.Family)
        case mapping(IPAddress.Family)
        case filtering(IPAddress.Family)
        case hairpin(IPAddress.Family)
        case relays
    }

    var isOfLocal: Bool
    var what: What
}

extension MachineKind {
    /// What is not known, and may matter.
    func unknowns(beside neighbourhood: Neighbourhood) -> [Unknown.What] {
        var unknowns: [Unknown.What] = []
        for family in IPAddress.Family.allCases {
            let network = self[family]
            guard network.isPresent != false else { continue }
            if network.isPresent == nil { unknowns.append(.presence(family)) }
            if network.passesUDP == nil { unknowns.append(.passage(family)) }
            guard network.passesUDP != false else { continue }
            if network.mapping.known == nil { unknowns.append(.mapping(family)) }
            if network.filtering.known == nil { unknowns.append(.filtering(family)) }
            if network.hairpins == nil, network.isTranslated != false, neighbourhood == .sameNAT {
                unknowns.append(.hairpin(family))
            }
        }
        if !relays.isKnown { unknowns.append(.relays) }
        return unknowns
    }

    /// The machine with those of its unknowns at their best, the others at their worst.
    func settled(best: (Unknown.What) -> Bool, beside neighbourhood: Neighbourhood) -> SettledMachine {
        let ipv4 = settled(.ipv4, best, neighbourhood)
        let ipv6 = settled(.ipv6, best, neighbourhood)
        var relays = relays
        if !relays.isKnown {
            let isBlocked = ipv4.reach != .passing && ipv6.reach != .passing
            relays = best(.relays) ? isBlocked ? .overStreams : .overUDP : .none
        }
        return SettledMachine(ipv4: ipv4, ipv6: ipv6, relays: relays)
    }

    private func settled(
        _ family: IPAddress.Family, _ best: (Unknown.What) -> Bool, _ neighbourhood: Neighbourhood
    ) -> SettledNetwork {
        let network = self[family]
        guard network.isPresent ?? best(.presence(family)) else { return .absent }
        guard network.passesUDP ?? best(.passage(family)) else { return .blocked }
        let mapping = best(.mapping(family)) ? network.mapping.best : network.mapping.worst
        let filtering = best(.filtering(family)) ? network.filtering.best : network.filtering.worst
        // Where no other machine is behind it, it does not matter.
        let isShared = neighbourhood == .sameNAT
        return SettledNetwork(
            mapping: mapping, filtering: filtering,
            hairpins: isShared && (network.hairpins ?? best(.hairpin(family))),
            isCarrierGrade: network.isCarrierGrade)
    }
}

extension Unknown {
    /// What is not known, of a machine by this name: `how the NAT of the peer filters (IPv4)`.
    func words(_ machine: MachineName) -> String {
        switch what {
        case .presence(let family): "whether \(machine.text) has \(family.name)"
        case .passage(let family): "whether \(family.name) UDP gets out of the network of \(machine.text)"
        case .mapping(let family): "how the NAT of \(machine.text) maps (\(family.name))"
        case .filtering(let family): "what the NAT or firewall of \(machine.text) lets in (\(family.name))"
        case .hairpin(let family): "whether the NAT that both are behind hairpins (\(family.name))"
        case .relays: "whether \(machine.text) has a TURN server"
        }
    }
}

/// What a machine is called in a sentence.
package struct MachineName: Hashable, Sendable {
    /// `this machine`, `the peer`, `office.json`.
    package var text: String

    package init(_ text: String) { self.text = text }

    package static let own = MachineName("this machine")
    package static let peer = MachineName("the peer")
}
