import Engines
import Facts
import NetTypes
import Planning

/// What is asked of allocations beyond the usual: the server's answers are facts, and a refusal is not the relay's failure.
extension Session {
    /// A port that an allocation has reserved is taken up at once, to see that it is there.
    mutating func takeUpReservation(of run: Int, _ allocated: TURNAllocated, at now: Instant) {
        guard let token = allocated.reservationToken, turnRuns[run].client.options.contains(.nextPort) else { return }
        let evidence = turnRuns[run].evidence
        allocate(
            evidence.server, at: evidence.serverAddress, over: evidence.transport, from: evidence.source,
            relaying: evidence.relayFamily, for: .reservation(of: run, token: token),
            name: turnRuns[run].client.alternateDomain, at: now)
    }

    /// The reserved port is there, and that is all that was to be seen of it.
    mutating func reservationTaken(_ run: Int, of reserver: Int, _ allocated: TURNAllocated, at now: Instant) {
        let place = turnRuns[reserver].evidence.options?.firstIndex { $0.option == .nextPort }
        if let place { turnRuns[reserver].evidence.options?[place].address = allocated.relayedAddresses.first }
        stopData(run, at: now)
    }

    /// The reserved port was seen, or could not be had: then with the code of the refusal, where there was one.
    mutating func reservationEnded(_ run: Int, of reserver: Int, at now: Instant) {
        if turnRuns[run].evidence.allocation == nil,
            let place = turnRuns[reserver].evidence.options?.firstIndex(where: { $0.option == .nextPort })
        {
            let code = turnRuns[run].evidence.trouble?.code
            turnRuns[reserver].evidence.options?[place].outcome = .refused
            turnRuns[reserver].evidence.options?[place].code = code
        }
        settle(reserver, at: now)
    }

    /// Whether its reservation is not taken up yet: what becomes of that is a fact of this attempt.
    func waitsForReservation(_ run: Int) -> Bool {
        turnRuns.contains { $0.purpose.reserver == run && !$0.isReported }
    }
}

extension Plan {
    /// What is asked of an attempt's allocation: both families only of the one that has no family of its own.
    func options(relaying family: IPAddress.Family) -> Set<AllocationOption> {
        Set((allocationOptions ?? []).filter { $0 != .bothFamilies || family == .ipv4 })
    }
}
