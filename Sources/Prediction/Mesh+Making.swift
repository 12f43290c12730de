import NetTypes

extension Mesh {
    /// What a call among the machines of a mesh is like.
    package struct CallOptions: Hashable, Sendable {
        /// Of one stream, in kbit/s.
        package var bitrate: Double
        /// Nil for all machines of the mesh.
        package var participants: Int?
        /// Whether the star through an SFU is asked as well.
        package var asksStar: Bool

        package init(bitrate: Double, participants: Int? = nil, asksStar: Bool = false) {
            self.bitrate = bitrate
            self.participants = participants
            self.asksStar = asksStar
        }
    }

    /// Judges each pair of machines; the model is run for each kind of network, however many machines there are.
    package init(_ census: MeshCensus, _ options: CallOptions, _ predictor: Predictor = Predictor()) {
        var outcomes = predictor.parts
        // The most frequent first; of equal ones the first that was met.
        let order = census.kinds.indices.sorted {
            (-census.kinds[$0].count, $0) < (-census.kinds[$1].count, $1)
        }
        let profiles = census.kinds.map { outcomes.profile(of: $0.kind) }
        machines = census.machines
        kinds = order.map { census.kinds[$0] }
        var pairs = Tally()
        var reached = [Bool](repeating: false, count: census.kinds.count)
        var rows: [[PathOutcome]] = []
        for one in order {
            var row: [PathOutcome] = []
            row.reserveCapacity(order.count)
            for other in order {
                let bounds = outcomes.bounds(profiles[one], profiles[other])
                row.append(bounds.worst)
                let count =
                    one == other
                    ? census.kinds[one].count * (census.kinds[one].count - 1) / 2
                    : one < other ? census.kinds[one].count * census.kinds[other].count : 0
                guard count > 0 else { continue }
                pairs.add(bounds, count)
                if bounds.worst != .none { (reached[one], reached[other]) = (true, true) }
            }
            rows.append(row)
        }
        self.outcomes = rows
        var neighbours = 0
        census.forEachNeighbours { one, other, neighbourhood, count in
            neighbours += count
            pairs.add(outcomes.bounds(profiles[one], profiles[other]), -count)
            let network = census.sharedNetwork(one, other)
            let bounds = outcomes.bounds(profiles[one], profiles[other], sharing: network, neighbourhood)
            pairs.add(bounds, count)
            if bounds.worst != .none { (reached[one], reached[other]) = (true, true) }
        }
        self.pairs = pairs
        self.neighbours = neighbours
        isolated = census.machines < 2 ? 0 : zip(census.kinds, reached).reduce(0) { $0 + ($1.1 ? 0 : $1.0.count) }
        let participants = max(2, options.participants ?? census.machines)
        call = Call(mesh: pairs, participants, options.bitrate)
        guard options.asksStar else { return }
        let host = outcomes.profile(of: MachineKind(ipv4: .open, ipv6: .open, relays: .none))
        var star = Tally()
        for (kind, profile) in zip(census.kinds, profiles) { star.add(outcomes.bounds(profile, host), kind.count) }
        self.star = star
        starCall = Call(star: star, participants, options.bitrate)
    }
}

extension Mesh.Call {
    /// Each sends to each: what the pairs of the mesh have, on the average of all calls of so many of its machines.
    fileprivate init(mesh pairs: Mesh.Tally, _ participants: Int, _ bitrate: Double) {
        self.init(pairs, participants, bitrate, streams: Double(participants) * Double(participants - 1))
    }

    /// Each sends one stream to the SFU and gets those of all others from it.
    fileprivate init(star machines: Mesh.Tally, _ participants: Int, _ bitrate: Double) {
        self.init(machines, participants, bitrate, streams: Double(participants) * Double(participants))
    }

    private init(_ tally: Mesh.Tally, _ participants: Int, _ bitrate: Double, streams: Double) {
        func share(_ part: Int) -> Double { tally.count == 0 ? 0 : Double(part) / Double(tally.count) }
        self.init(
            participants: participants, bitrate: bitrate, streams: streams,
            relayedStreams: streams * share(tally.relayed),
            relayBandwidth: streams * share(tally.relays) * bitrate, missingStreams: streams * share(tally.none))
    }
}

/// Many machines, counted by kind and by the NAT that they are behind. It grows with their number, not with its square.
package struct MeshCensus {
    private struct Site {
        /// Machines of each kind, by its place.
        var kinds: [Int: Int] = [:]
        var networks: [MachineModel.Subnet: [Int: Int]] = [:]
        var isCarrierGrade = false
    }

    package private(set) var machines = 0
    package private(set) var kinds: [Mesh.Kind] = []
    private var places: [MachineKind: Int] = [:]
    private var sites: [IPAddress: Site] = [:]

    package init() {}

    package mutating func add(_ machine: MachineModel, name: @autoclosure () -> String) {
        machines += 1
        let place: Int
        if let known = places[machine.kind] {
            place = known
            kinds[place].count += 1
        } else {
            place = kinds.count
            places[machine.kind] = place
            kinds.append(Mesh.Kind(kind: machine.kind, count: 1, example: name()))
        }
        guard let outside = machine.mappedIPv4 else { return }
        var site = sites.removeValue(forKey: outside) ?? Site()
        site.kinds[place, default: 0] += 1
        if machine.kind.ipv4.isCarrierGrade { site.isCarrierGrade = true }
        if let network = machine.subnets.first(where: { $0.address.family == .ipv4 }) {
            site.networks[network, default: [:]][place, default: 0] += 1
        }
        sites[outside] = site
    }

    /// Pairs of kinds behind one NAT, with how many pairs of machines that are.
    func forEachNeighbours(_ body: (Int, Int, Neighbourhood, Int) -> Void) {
        for site in sites.values where site.kinds.count > 1 || (site.kinds.first?.value ?? 0) > 1 {
            var near: [[Int]: Int] = [:]
            if !site.isCarrierGrade {
                for network in site.networks.values {
                    Self.forEachPair(network) { one, other, count in near[[one, other], default: 0] += count }
                }
            }
            Self.forEachPair(site.kinds) { one, other, count in
                let inOne = near[[one, other]] ?? 0
                if inOne > 0 { body(one, other, .sameNetwork, inOne) }
                if count > inOne { body(one, other, .sameNAT, count - inOne) }
            }
        }
    }

    private static func forEachPair(_ counts: [Int: Int], _ body: (Int, Int, Int) -> Void) {
        let sorted = counts.sorted { $0.key < $1.key }
        for (index, one) in sorted.enumerated() {
            if one.value > 1 { body(one.key, one.key, one.value * (one.value - 1) / 2) }
            for other in sorted[(index + 1)...] { body(one.key, other.key, one.value * other.value) }
        }
    }

    /// What is known of a NAT that two are behind: of whichever knows whether it hairpins.
    func sharedNetwork(_ one: Int, _ other: Int) -> NetworkKind {
        let (ours, theirs) = (kinds[one].kind.ipv4, kinds[other].kind.ipv4)
        return ours.hairpins == nil && theirs.hairpins != nil ? theirs : ours
    }
}
