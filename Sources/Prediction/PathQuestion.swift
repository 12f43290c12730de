import Engines
import NetTypes

/// Two machines of which everything is settled, and how they stand to each other: what a simulation answers.
struct PathQuestion: Hashable, Sendable {
    var local: SettledMachine
    var remote: SettledMachine
    var neighbourhood: Neighbourhood

    /// The same, seen from the other side.
    var reversed: PathQuestion { PathQuestion(local: remote, remote: local, neighbourhood: neighbourhood) }
}

/// A machine without unknowns: one of those that a ``MachineKind`` may be.
struct SettledMachine: Hashable, Sendable {
    var ipv4: SettledNetwork
    var ipv6: SettledNetwork
    var relays: RelayKind

    subscript(_ family: IPAddress.Family) -> SettledNetwork { family == .ipv4 ? ipv4 : ipv6 }
}

/// What a machine has in one family. Equal where simulations of it are equal.
struct SettledNetwork: Hashable, Sendable {
    enum Reach: Hashable, Sendable {
        case absent
        /// UDP does not get through; TCP does.
        case blocked
        case passing
    }

    let reach: Reach
    let mapping: NATDependence
    let filtering: NATDependence
    let hairpins: Bool
    let isCarrierGrade: Bool

    static let absent = SettledNetwork(.absent)
    static let blocked = SettledNetwork(.blocked)

    private init(_ reach: Reach) {
        self.reach = reach
        mapping = .none
        filtering = .none
        hairpins = false
        isCarrierGrade = false
    }

    init(
        mapping: NATDependence, filtering: NATDependence, hairpins: Bool = false, isCarrierGrade: Bool = false
    ) {
        reach = .passing
        self.mapping = mapping
        // Of what lets everything in, a NAT needs a mapping all the same.
        let isOpen = filtering == .none || filtering == .endpointIndependent
        self.filtering = isOpen ? (mapping == .none ? .none : .endpointIndependent) : filtering
        self.hairpins = hairpins && mapping != .none
        self.isCarrierGrade = isCarrierGrade && mapping != .none
    }

    var isTranslated: Bool { mapping != .none }
}
