package import Engines

/// A kind of machine that one may have to reach.
package struct PeerClass: Hashable, Sendable {
    package enum Network: Hashable, Sendable {
        /// IPv4 and IPv6, and nothing that filters: an SFU, say.
        case publicHost
        /// Another machine of the own network.
        case sameNetwork
        /// Behind the same NAT, in another network.
        case sameNAT
        /// IPv4 behind a NAT.
        case nat(NATDependence, NATDependence)
        /// IPv4 behind a home's NAT behind a carrier's: both map endpoint-independently, as RFC 6888 asks, and filter
        /// address-and-port-dependently.
        case carrierGradeNAT
        /// IPv6 behind a firewall that lets in what was asked for, and no IPv4.
        case ipv6Only
        /// IPv4, and UDP does not get out.
        case udpBlocked
    }

    package var network: Network
    /// Whether it has a TURN server of its own, which works for it: where UDP is blocked over TCP.
    package var hasTURN: Bool

    package init(_ network: Network, hasTURN: Bool) {
        self.network = network
        self.hasTURN = hasTURN
    }

    package static let networks: [Network] =
        [.publicHost, .sameNetwork, .sameNAT]
        + NATDependence.behindNAT.flatMap { mapping in NATDependence.behindNAT.map { .nat(mapping, $0) } }
        + [.carrierGradeNAT, .ipv6Only, .udpBlocked]

    package static let all = networks.flatMap { [PeerClass($0, hasTURN: false), PeerClass($0, hasTURN: true)] }
}

extension NATDependence {
    fileprivate static let behindNAT: [NATDependence] = [
        .endpointIndependent, .addressDependent, .addressAndPortDependent,
    ]
}

extension PeerClass.Network {
    /// As scripts compare it.
    package var id: String {
        switch self {
        case .publicHost: "public-host"
        case .sameNetwork: "same-network"
        case .sameNAT: "same-nat"
        case .nat(let mapping, let filtering): "nat/\(mapping.rawValue)/\(filtering.rawValue)"
        case .carrierGradeNAT: "carrier-grade-nat"
        case .ipv6Only: "ipv6-only"
        case .udpBlocked: "udp-blocked"
        }
    }

    /// As people read it, a NAT without its mapping and filtering.
    package var name: String {
        switch self {
        case .publicHost: "public host"
        case .sameNetwork: "same network"
        case .sameNAT: "same NAT, other net"
        case .nat: "NAT"
        case .carrierGradeNAT: "carrier-grade NAT"
        case .ipv6Only: "IPv6 only, firewall"
        case .udpBlocked: "UDP blocked"
        }
    }
}

extension NATDependence {
    /// As tables show it.
    package var short: String {
        switch self {
        case .none: "no"
        case .endpointIndependent: "independent"
        case .addressDependent: "address"
        case .addressAndPortDependent: "address-and-port"
        }
    }
}

extension PeerClass {
    /// The machine that it stands for, and how that stands to this one; nil where this one has no such neighbour.
    func peer(of machine: MachineModel) -> (MachineKind, Neighbourhood)? {
        let relays: RelayKind = hasTURN ? .overUDP : .none
        let kind: MachineKind
        switch network {
        case .publicHost: kind = MachineKind(ipv4: .open, ipv6: .open, relays: relays)
        case .sameNetwork, .sameNAT:
            guard machine.kind.ipv4.isTranslated != false && machine.kind.ipv4.isPresent == true else { return nil }
            var twin = machine.kind
            twin.ipv6 = .absent
            let isBlocked = twin.ipv4.passesUDP == false
            twin.relays = hasTURN ? isBlocked ? .overStreams : .overUDP : .none
            return (twin, network == .sameNAT ? .sameNAT : .sameNetwork)
        case .nat(let mapping, let filtering):
            kind = MachineKind(ipv4: .nat(mapping, filtering), ipv6: .absent, relays: relays)
        case .carrierGradeNAT:
            kind = MachineKind(
                ipv4: .nat(.endpointIndependent, .addressAndPortDependent, isCarrierGrade: true), ipv6: .absent,
                relays: relays)
        case .ipv6Only:
            kind = MachineKind(ipv4: .absent, ipv6: .firewall(.addressAndPortDependent), relays: relays)
        case .udpBlocked:
            kind = MachineKind(ipv4: .blocked, ipv6: .absent, relays: hasTURN ? .overStreams : .none)
        }
        return (kind, .apart)
    }
}

/// The path from a machine to a class of peer or to another machine.
package struct PathRecord: Hashable, Sendable {
    package enum Peer: Hashable, Sendable {
        case peerClass(PeerClass)
        /// Another report, by its name.
        case report(String)
    }

    /// The report that it starts from; nil where that is this run.
    package var from: String?
    package var peer: Peer
    package var prediction: PathPrediction

    package init(from: String? = nil, peer: Peer, prediction: PathPrediction) {
        self.from = from
        self.peer = peer
        self.prediction = prediction
    }
}

extension PathRecord {
    /// From one machine to every class of peer that it can have.
    package static func toClasses(
        from machine: MachineModel, name: MachineName = .own, report: String? = nil, _ predictor: inout Predictor
    ) -> [PathRecord] {
        PeerClass.all.compactMap { peerClass in
            guard let (kind, neighbourhood) = peerClass.peer(of: machine) else { return nil }
            let prediction = predictor.predict(machine.kind, kind, neighbourhood, names: (name, .peer))
            return PathRecord(from: report, peer: .peerClass(peerClass), prediction: prediction)
        }
    }
}
