import Engines
import NetTypes
import SimNet

/// Runs two ICE agents over a network that behaves as two machines' do, on a virtual clock.
///
/// Both gather, have all candidates of each other's at one moment, and check until both have nominated a pair or failed.
struct PathSimulation {
    /// Between the two machines, there and back; half of it between a machine and a server.
    let roundTrip: Duration

    /// Longer than any NAT needs to be passed; what fails is given up then.
    private static let patience = Duration.seconds(12)

    func run(_ question: PathQuestion) -> PathRun {
        var world = PathWorld(question, delay: roundTrip / 4)
        guard let (local, remote) = world.startAgents() else { return PathRun(outcome: .none) }
        let gathering = Instant.zero + .seconds(5)
        _ = world.net.advance(to: gathering) { local.board.isGathered && remote.board.isGathered }
        let start = world.net.now
        world.exchange(local, remote)
        let isSettled = world.net.advance(to: start + Self.patience) {
            local.board.isDecided && remote.board.isDecided
        }
        guard isSettled, let first = local.board.selectedAt, let second = remote.board.selectedAt,
            let pair = world.net.engine(local.id, as: ModelAgent.self)?.agent.selectedPair
        else { return PathRun(outcome: .none) }
        let kinds = pair.kinds
        return PathRun(
            outcome: pair.isRelayed ? .relayed : .direct,
            local: PathSide(kinds.local, pair.remote.endpoint?.family ?? .ipv4),
            remote: PathSide(kinds.remote, pair.remote.endpoint?.family ?? .ipv4),
            setup: max(first, second) - start)
    }
}

/// What an agent of the model has come to, for the one that runs it.
final class ModelBoard {
    var isGathered = false
    var selectedAt: Instant?
    var hasFailed = false

    var isDecided: Bool { selectedAt != nil || hasFailed }
}

/// An agent that writes what it has come to on a board.
struct ModelAgent: Engine {
    typealias Event = ICEEvent

    var agent: ICEAgent<SeededGenerator>
    let board: ModelBoard

    mutating func handle(_ input: Input, at now: Instant) { agent.handle(input, at: now) }
    mutating func pollOutput(at now: Instant) -> Output? { agent.pollOutput(at: now) }
    var nextWake: Instant? { agent.nextWake }
    var isFinished: Bool { agent.isFinished }

    mutating func pollEvent() -> ICEEvent? {
        guard let event = agent.pollEvent() else { return nil }
        switch event.fact {
        case .gatheringFinished: board.isGathered = true
        case .selected: board.selectedAt = event.at
        case .stateChanged(.failed): board.hasFailed = true
        default: break
        }
        return event
    }
}
