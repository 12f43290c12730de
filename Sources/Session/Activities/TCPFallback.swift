import Facts
import NetTypes
import Planning

/// Waits to try TCP until UDP to the same server and family has failed, or stayed silent for ``Plan/fallbackWait``.
struct TCPFallback: Activity {
    static var rank: ActivityRank { .checks }

    let probe: Probe
    private var dueAt: Instant?

    init(_ probe: Probe, at due: Instant) {
        self.probe = probe
        dueAt = due
    }

    /// UDP has failed, or TCP is known to be answered: there is nothing to wait for.
    mutating func hasten(to now: Instant) { if dueAt != nil { dueAt = now } }
    /// UDP works: TCP need not be tried.
    mutating func cancel() { dueAt = nil }

    mutating func wake(_ desk: inout Desk, at now: Instant) {
        guard let dueAt, dueAt <= now else { return }
        self.dueAt = nil
        desk.news.append(.fallbackDue(probe))
    }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) { dueAt = nil }
    func nextWake(_ desk: Desk) -> Instant? { dueAt }
    var isOver: Bool { dueAt == nil }
}
