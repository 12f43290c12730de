import Facts
import NetTypes
import Planning

/// Binds a socket for each host candidate that a browser would offer: without a port there is no candidate.
struct HostCandidates: Activity {
    static var rank: ActivityRank { .checks }

    /// The places in ``Plan/bases``, by their socket, until it is bound.
    private var opening: [PathID: [Int]] = [:]

    mutating func begin(_ desk: inout Desk, at now: Instant) {
        for (index, base) in desk.plan.bases.enumerated() where base.withheld == nil {
            opening[desk.shareSocket(from: base.address.address), default: []].append(index)
        }
    }

    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .opened(let path, let local):
            for base in opening.removeValue(forKey: path) ?? [] {
                desk.observe(.baseOpened(base: base, local: local), at: now)
            }
        case .failed(let error):
            for base in opening.removeValue(forKey: error.path) ?? [] {
                desk.observe(.baseFailed(base: base, .path(PathTrouble(error))), at: now)
            }
        default: break
        }
    }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) { opening = [:] }
    func nextWake(_ desk: Desk) -> Instant? { nil }
    var isOver: Bool { opening.isEmpty }
}

extension PathTrouble {
    init(_ error: PathError) { self.init(kind: error.kind, origin: error.origin, errno: error.errno) }
}
