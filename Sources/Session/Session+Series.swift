import Engines
import NetTypes

/// The later requests of a `--count` series: one each interval, sent once, so that what is lost shows as loss.
struct Series: Sendable {
    var description: Probe
    let path: PathID
    /// The wait for each answer, from the first round trip (RFC 6298 s2.2: RTO after one sample is three times it).
    let wait: Duration
    /// When the next request is sent; nil when the last was.
    var nextAt: Instant?

    var isOver: Bool { nextAt == nil }
}

extension Session {
    /// The least wait for the answer to a request that is sent once.
    private static var leastWait: Duration { .milliseconds(100) }

    /// The first answer of a primary probe: its path is known now, and so are the things that waited for that.
    mutating func answered(_ index: Observation.ProbeIndex, after roundTrip: Duration, at now: Instant) {
        let probe = probes[index]
        learn(roundTrip: roundTrip, to: probe.description.serverAddress.address)
        discoverNAT(after: probe.description, at: now)
        guard probe.description.role != .reflexive, probe.description.sequence == 0, plan.count > 1 else { return }
        series.append(
            Series(
                description: probe.description, path: probe.path, wait: max(Self.leastWait, roundTrip * 3),
                nextAt: now + plan.requestInterval))
    }

    mutating func advanceSeries(to now: Instant) {
        for place in series.indices {
            guard let next = series[place].nextAt, next <= now else { continue }
            guard case .open = paths[series[place].path]?.state else {
                series[place].nextAt = nil
                continue
            }
            series[place].description.sequence += 1
            let description = series[place].description
            series[place].nextAt = description.sequence + 1 < plan.count ? next + plan.requestInterval : nil
            startProbe(description, path: series[place].path, schedule: .once(waiting: series[place].wait), at: now)
            if description.transport.isStream { write(probes.count - 1, at: now) }
        }
    }
}
