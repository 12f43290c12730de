import Engines
import NetTypes
import STUN

/// What is asked of allocations beyond the usual: the server's answers are facts, and a refusal is not one of the relay.
extension Session {
    func options(relaying family: IPAddress.Family) -> Set<AllocationOption> {
        // Both families are asked of the allocation that has no family of its own.
        Set(plan.allocationOptions.filter { $0 != .bothFamilies || family == .ipv4 })
    }

    /// The allocation is there. A port that it has reserved is taken up at once, to see that it is there.
    mutating func optionsAnswered(_ run: Int, _ allocated: TURNAllocated, at now: Instant) {
        turnRuns[run].evidence.options += allocated.answers(to: turnRuns[run].options)
        guard let token = allocated.reservationToken, turnRuns[run].options.contains(.nextPort) else { return }
        let evidence = turnRuns[run].evidence
        allocate(
            evidence.server, at: evidence.serverAddress, over: evidence.transport, from: evidence.source,
            relaying: evidence.relayFamily, for: .reservation(of: run, token: token),
            name: turnRuns[run].alternateDomain, at: now)
    }

    /// Whether an error response is about options: then the allocation is asked for again, without them.
    mutating func optionsRefused(_ run: Int, by response: TURNErrorResponse) -> Bool {
        guard response.method == .allocate, turnRuns[run].evidence.allocation == nil else { return false }
        let refused = AllocationOption.refused(by: response, of: turnRuns[run].options)
        guard !refused.isEmpty else { return false }
        turnRuns[run].options.subtract(refused)
        turnRuns[run].evidence.options += AllocationOption.allCases.filter(refused.contains).map {
            AllocationOptionAnswer($0, .refused, code: response.code)
        }
        turnRuns[run].next = turnRuns[run].evidence.serverAddress
        return true
    }

    /// The reserved port is there, and that is all that was to be seen of it.
    mutating func reservationTaken(_ run: Int, of reserver: Int, _ allocated: TURNAllocated, at now: Instant) {
        let place = turnRuns[reserver].evidence.options.firstIndex { $0.option == .nextPort }
        if let place { turnRuns[reserver].evidence.options[place].address = allocated.relayedAddresses.first }
        stopData(run, at: now)
    }

    /// Whether its reservation is not taken up yet: what becomes of that is a fact of this attempt.
    func waitsForReservation(_ run: Int) -> Bool {
        turnRuns.contains { $0.purpose.reserver == run && !$0.isReported }
    }

    /// A reserved port that could not be had: with the code of the refusal, where there was one.
    mutating func reservationFailed(_ run: Int) {
        guard let reserver = turnRuns[run].purpose.reserver, turnRuns[run].evidence.allocation == nil,
            let place = turnRuns[reserver].evidence.options.firstIndex(where: { $0.option == .nextPort })
        else { return }
        turnRuns[reserver].evidence.options[place].outcome = .refused
        turnRuns[reserver].evidence.options[place].code = turnRuns[run].evidence.trouble?.code
    }
}
