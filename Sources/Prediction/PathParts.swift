import Engines

/// Outcomes between many kinds of machine, from few runs of the model.
///
/// ICE takes a direct pair where one works and a relayed one where none does. So the outcome between two machines follows
/// from its parts, each run once: for each family whether their two networks let each other through, and where none does
/// whether their relays reach the other side. There are far fewer networks than kinds of machines.
struct PathParts {
    /// The places of a settled machine's parts in the tables.
    struct Parts: Hashable {
        var ipv4: Int
        var ipv6: Int
        var relays: Int
    }

    /// The worst and the best that a kind may be.
    struct Profile: Hashable {
        var worst: Parts
        var best: Parts
    }

    private(set) var runner: PathRunner
    private var networks: [SettledNetwork] = []
    private var networkPlaces: [SettledNetwork: Int] = [:]
    private var relaySides: [SettledMachine] = []
    private var relayPlaces: [SettledMachine: Int] = [:]
    /// Whether two networks let each other through, by their places.
    private var direct: [[Bool?]] = []
    private var turningBack: [Int: Bool] = [:]
    /// Relays that data passes between two sides, by their places; 0 where none helps.
    private var relayed: [[Int?]] = []

    init(_ simulation: PathSimulation) { runner = PathRunner(simulation) }

    /// What the agents do, all parts together.
    mutating func run(_ question: PathQuestion) -> PathRun { runner.run(question) }

    /// What they come to, from the parts where only the Internet joins the two.
    mutating func outcome(of question: PathQuestion) -> PathOutcome {
        guard question.neighbourhood == .apart else { return runner.run(question).outcome }
        return outcome(parts(of: question.local), parts(of: question.remote)).outcome
    }

    // MARK: Parts

    mutating func profile(of kind: MachineKind) -> Profile {
        Profile(
            worst: parts(of: kind.settled(best: { _ in false }, beside: .apart)),
            best: parts(of: kind.settled(best: { _ in true }, beside: .apart)))
    }

    private mutating func parts(of machine: SettledMachine) -> Parts {
        Parts(ipv4: place(machine.ipv4), ipv6: place(machine.ipv6), relays: relayPlace(machine))
    }

    private mutating func place(_ network: SettledNetwork) -> Int {
        placeOfShared(
            network.reach == .passing
                ? SettledNetwork(mapping: network.mapping, filtering: network.filtering) : network)
    }

    /// A relay is reached through any NAT alike: the strictest stands for all, so that nothing is direct.
    private mutating func relayPlace(_ machine: SettledMachine) -> Int {
        func strict(_ network: SettledNetwork) -> SettledNetwork {
            network.reach == .passing
                ? SettledNetwork(mapping: .addressAndPortDependent, filtering: .addressAndPortDependent) : network
        }
        let side = SettledMachine(ipv4: strict(machine.ipv4), ipv6: strict(machine.ipv6), relays: machine.relays)
        if let known = relayPlaces[side] { return known }
        relayPlaces[side] = relaySides.count
        relaySides.append(side)
        return relaySides.count - 1
    }

    // MARK: Outcomes

    mutating func bounds(_ one: Profile, _ other: Profile) -> MeshBounds {
        let worst = outcome(one.worst, other.worst)
        guard worst.outcome != .direct, one.best != one.worst || other.best != other.worst else {
            return MeshBounds(worst: worst.outcome, best: worst.outcome, relays: worst.relays)
        }
        return MeshBounds(
            worst: worst.outcome, best: outcome(one.best, other.best).outcome, relays: worst.relays)
    }

    /// Between two behind one NAT, of which the first is known best.
    mutating func bounds(
        _ one: Profile, _ other: Profile, sharing network: NetworkKind, _ neighbourhood: Neighbourhood
    ) -> MeshBounds {
        if neighbourhood == .sameNetwork { return MeshBounds(worst: .direct, best: .direct, relays: 0) }
        func turnsBack(_ isBest: Bool) -> Bool {
            let settled = SettledNetwork(
                mapping: isBest ? network.mapping.best : network.mapping.worst,
                filtering: isBest ? network.filtering.best : network.filtering.worst,
                hairpins: network.hairpins ?? isBest)
            return network.passesUDP ?? isBest ? hairpins(settled) : false
        }
        var bounds = MeshBounds(worst: .direct, best: .direct, relays: 0)
        if !turnsBack(false) {
            let worst = outcome(one.worst, other.worst, ipv4: false)
            bounds.worst = worst.outcome
            bounds.relays = worst.relays
        }
        if !turnsBack(true) { bounds.best = outcome(one.best, other.best, ipv4: false).outcome }
        return bounds
    }

    private mutating func outcome(
        _ one: Parts, _ other: Parts, ipv4: Bool = true
    ) -> (outcome: PathOutcome, relays: Int) {
        if ipv4 && isDirect(one.ipv4, other.ipv4) || isDirect(one.ipv6, other.ipv6) { return (.direct, 0) }
        let relays = relays(one.relays, other.relays)
        return (relays > 0 ? .relayed : .none, relays)
    }

    private mutating func isDirect(_ one: Int, _ other: Int) -> Bool {
        let (low, high) = (min(one, other), max(one, other))
        while direct.count <= high { direct.append([]) }
        while direct[high].count <= low { direct[high].append(nil) }
        if let known = direct[high][low] { return known }
        var isDirect = false
        if networks[low].reach == .passing, networks[high].reach == .passing {
            isDirect = run(networks[low], networks[high], .apart)
        }
        direct[high][low] = isDirect
        return isDirect
    }

    private mutating func hairpins(_ network: SettledNetwork) -> Bool {
        let place = placeOfShared(network)
        if let known = turningBack[place] { return known }
        let turnsBack = network.hairpins && run(network, network, .sameNAT)
        turningBack[place] = turnsBack
        return turnsBack
    }

    private mutating func placeOfShared(_ network: SettledNetwork) -> Int {
        if let known = networkPlaces[network] { return known }
        networkPlaces[network] = networks.count
        networks.append(network)
        return networks.count - 1
    }

    private mutating func run(
        _ one: SettledNetwork, _ other: SettledNetwork, _ neighbourhood: Neighbourhood
    ) -> Bool {
        // Both families work alike, so IPv4 stands for both.
        let question = PathQuestion(
            local: SettledMachine(ipv4: one, ipv6: .absent, relays: .none),
            remote: SettledMachine(ipv4: other, ipv6: .absent, relays: .none), neighbourhood: neighbourhood)
        return runner.run(question).outcome == .direct
    }

    private mutating func relays(_ one: Int, _ other: Int) -> Int {
        let (low, high) = (min(one, other), max(one, other))
        while relayed.count <= high { relayed.append([]) }
        while relayed[high].count <= low { relayed[high].append(nil) }
        if let known = relayed[high][low] { return known }
        let (a, b) = (relaySides[low], relaySides[high])
        var count = 0
        if !a.relays.isEmpty || !b.relays.isEmpty {
            let result = runner.run(PathQuestion(local: a, remote: b, neighbourhood: .apart))
            count = result.outcome == .none ? 0 : max(1, result.relays)
        }
        relayed[high][low] = count
        return count
    }
}

/// Runs the model, each question once.
struct PathRunner {
    private let simulation: PathSimulation
    private var runs: [PathQuestion: PathRun] = [:]

    init(_ simulation: PathSimulation) { self.simulation = simulation }

    mutating func run(_ question: PathQuestion) -> PathRun {
        if let known = runs[question] { return known }
        if let known = runs[question.reversed] { return known.reversed }
        let result = simulation.run(question)
        runs[question] = result
        return result
    }
}
