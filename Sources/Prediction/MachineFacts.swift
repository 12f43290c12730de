import Engines
import NetTypes

/// What a report says of a machine's network, gathered before it is judged: from a live run or from a saved report.
///
/// What it does not say stays unknown.
struct MachineFacts {
    struct Family {
        /// Offered host addresses that a peer could reach from some network, with the prefixes of their networks.
        var hosts: [(address: IPAddress, prefixLength: Int?)] = []
        /// Of NAT behaviour over UDP.
        var mapping: NATDependences?
        var filtering: NATDependences?
        var hairpins: Bool?
        var mappedAddress: IPAddress?
        /// Whether servers see another address than the machine has: those beyond the own network know better.
        var globalSightings: Set<Bool> = []
        var nearSightings: Set<Bool> = []
        var isAnsweredOverUDP = false
        var isSilentOverUDP = false
        var isAnsweredOverStreams = false

        /// An address of the own network, without an answer from outside, is no way out.
        var passesUDP: Bool? {
            isAnsweredOverUDP ? true : isSilentOverUDP && isAnsweredOverStreams ? false : nil
        }

        var isMentioned: Bool {
            !hosts.isEmpty || mapping != nil || isAnsweredOverUDP || isSilentOverUDP || isAnsweredOverStreams
        }
    }

    var ipv4 = Family()
    var ipv6 = Family()
    /// Whether all addresses of the machine are in the report.
    var listsAddresses = false
    /// Whether a TURN server would be in the report if the machine had one.
    var listsRelays = false
    /// Relays that carry data: over which transport, with relayed addresses of which family.
    var relays: [(isOverStream: Bool, family: IPAddress.Family)] = []
    /// Relays that were given and through which no data was seen to pass. Where UDP does not leave the machine's network,
    /// none could be: what is sent to the relay, to come back through it, is sent over UDP.
    var unprovenRelays: [(isOverStream: Bool, family: IPAddress.Family)] = []
    /// Prefixes of the machine's interfaces.
    var prefixes: [IPAddress: Int] = [:]

    subscript(_ family: IPAddress.Family) -> Family {
        get { family == .ipv4 ? ipv4 : ipv6 }
        set { if family == .ipv4 { ipv4 = newValue } else { ipv6 = newValue } }
    }

    // MARK: Taking facts

    mutating func addHost(_ address: IPAddress) {
        switch address.realm {
        case .unspecified, .loopback, .linkLocal, .multicast, .broadcast: return
        default: break
        }
        self[address.family].hosts.append((address, nil))
    }

    /// An answer, or none, of a server to a Binding or Allocate request.
    mutating func addContact(
        server: IPAddress, isStream: Bool, isAnswered: Bool, mapped: Endpoint?, local: Endpoint?
    ) {
        // What this machine tells itself says nothing of its network.
        guard server.realm != .loopback else { return }
        var facts = self[server.family]
        if isStream {
            if isAnswered { facts.isAnsweredOverStreams = true }
        } else if isAnswered {
            facts.isAnsweredOverUDP = true
        } else {
            facts.isSilentOverUDP = true
        }
        if !isStream, isAnswered, let mapped, let local {
            let isTranslated = mapped != local
            if server.realm == .global {
                facts.globalSightings.insert(isTranslated)
            } else {
                facts.nearSightings.insert(isTranslated)
            }
            if isTranslated, facts.mappedAddress == nil { facts.mappedAddress = mapped.address }
        }
        self[server.family] = facts
    }

    // MARK: Judging

    var model: MachineModel {
        var subnets: [MachineModel.Subnet] = []
        for facts in [ipv4, ipv6] {
            // The first is the way out; others, such as those of virtual machines, are alike on many machines.
            if let host = facts.hosts.first {
                let length = prefixes[host.address] ?? (host.address.family == .ipv4 ? 24 : 64)
                subnets.append(MachineModel.Subnet(host.address, length: length).network)
            }
        }
        let kind = MachineKind(ipv4: network(.ipv4), ipv6: network(.ipv6), relays: relayKind)
        return MachineModel(
            kind, mappedIPv4: kind.ipv4.isTranslated == false ? nil : ipv4.mappedAddress,
            mappedIPv6: kind.ipv6.isTranslated == false ? nil : ipv6.mappedAddress, subnets: subnets)
    }

    private var relayKind: RelayKind {
        let isBlocked = [ipv4, ipv6].contains { $0.passesUDP == false }
        let usable = relays.isEmpty && isBlocked ? unprovenRelays : relays
        guard !usable.isEmpty else { return listsRelays ? .none : .unknown }
        return RelayKind(
            hasIPv4: usable.contains { $0.family == .ipv4 }, hasIPv6: usable.contains { $0.family == .ipv6 },
            isOverStreams: usable.allSatisfy(\.isOverStream))
    }

    private func network(_ family: IPAddress.Family) -> NetworkKind {
        let facts = self[family]
        guard facts.isMentioned else { return listsAddresses ? .absent : .unknown }
        let passesUDP = facts.passesUDP
        if passesUDP == false { return .blocked }
        let mapping = mapping(facts)
        var filtering = facts.filtering ?? .all
        if mapping.known != NATDependence.none, facts.filtering == nil { filtering = .translated }
        return NetworkKind(
            passesUDP: passesUDP, mapping: mapping, filtering: filtering,
            hairpins: mapping.known == NATDependence.none ? false : facts.hairpins,
            isCarrierGrade: facts.hosts.contains { $0.address.realm == .sharedAddressSpace })
    }

    private func mapping(_ facts: Family) -> NATDependences {
        if let mapping = facts.mapping, !mapping.isEmpty, mapping != .all { return mapping }
        let sightings = facts.globalSightings.isEmpty ? facts.nearSightings : facts.globalSightings
        // Where they differ, the verdict is the lesser one.
        if sightings.contains(true) { return .translated }
        if sightings.contains(false) { return NATDependences(.none) }
        if facts.hosts.contains(where: { $0.address.realm == .global }) { return NATDependences(.none) }
        return facts.hosts.isEmpty ? .all : .translated
    }
}
