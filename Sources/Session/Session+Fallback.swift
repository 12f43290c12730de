import NetTypes

/// A probe over TCP that starts when UDP to the same server and family has failed, or stayed silent for
/// ``Plan/fallbackWait``.
struct Fallback: Sendable {
    let probe: Probe
    var at: Instant
}

extension Session {
    mutating func advanceFallbacks(to now: Instant) {
        let due = fallbacks.filter { $0.at <= now }
        fallbacks.removeAll { $0.at <= now }
        for fallback in due { start(fallback.probe, at: now) }
    }

    /// TCP to an address is answered: where UDP is not yet, it is time to find out why.
    mutating func hastenFallbacks(to address: IPAddress, from source: IPAddress, at now: Instant) {
        for place in fallbacks.indices {
            let probe = fallbacks[place].probe
            if probe.serverAddress.address == address, probe.source == source { fallbacks[place].at = now }
        }
    }

    /// A UDP probe is over: with an answer TCP need not be tried, nor any longer; without one it need not wait.
    mutating func datagramProbeEnded(_ index: Observation.ProbeIndex, _ fact: Observation.Fact, at now: Instant) {
        let ended = probes[index].description
        guard ended.role == .primary else { return }
        func isSame(_ probe: Probe) -> Bool {
            probe.server == ended.server && probe.serverAddress.family == ended.serverAddress.family
        }
        guard case .answered = fact else {
            for place in fallbacks.indices where isSame(fallbacks[place].probe) { fallbacks[place].at = now }
            return
        }
        fallbacks.removeAll { isSame($0.probe) }
        for other in liveProbes.sorted()
        where probes[other].description.role == .fallback && isSame(probes[other].description) {
            end(other, .failed(other, .cutShort), at: now)
        }
    }
}
