import NetTypes
import Planning

/// How the servers of a run stand: each counts once, over every transport that it was asked over and in every family
/// that it was reachable in.
struct ServerTally {
    private(set) var count = 0
    /// Asked, and no answer could be used.
    private(set) var silent = 0
    /// Some of the ways to it answered and others did not: over TCP and not over UDP, or in one family only.
    private(set) var partial = 0
    /// Nothing is known of it.
    private(set) var unmeasured = 0

    /// Whether every server answered in every way that it was asked.
    var isWhole: Bool { silent + partial + unmeasured == 0 }

    init(_ stun: [STUNResult]) {
        var names: [String] = []
        // What the options leave out is no server of this run.
        for result in stun where result.gap?.reason != .excluded && !names.contains(result.server) {
            names.append(result.server)
        }
        count = names.count
        for name in names { add(stun.filter { $0.server == name }) }
    }

    private mutating func add(_ results: [STUNResult]) {
        struct Way: Hashable {
            let transport: Transport
            let family: IPAddress.Family?
        }
        // A family that this machine has no route for, or that the options leave out, says nothing of the server.
        let counted = results.filter { $0.gap?.reason != .noRoute && $0.gap?.reason != .excluded }
        let ways = Dictionary(grouping: counted) { Way(transport: $0.transport, family: $0.family) }.values
        if ways.isEmpty || counted.allSatisfy({ $0.gap != nil }) {
            unmeasured += 1
        } else if !counted.contains(where: \.isOK) {
            silent += 1
        } else if !ways.allSatisfy({ $0.contains(where: \.isOK) }) {
            partial += 1
        }
    }
}
