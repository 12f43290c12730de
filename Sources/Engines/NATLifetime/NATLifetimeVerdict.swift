package import NetTypes

/// How long a UDP mapping lives that nothing uses (RFC 4787 s4.3), and what follows from it.
package struct NATLifetimeVerdict: Hashable, Sendable {
    package var lifetime: Lifetime
    /// Nil where no server was fit to measure it.
    package var method: NATLifetimeEvidence.Method?
    /// The server that the samples were taken with.
    package var server: Endpoint?

    package enum Lifetime: Hashable, Sendable {
        /// It was there after `alive` and gone after `expired`; `risk` is the chance that losses made it look gone.
        case within(alive: Duration, expired: Duration, risk: Double)
        /// It was there after so long, and what comes after was not seen, for a reason.
        case atLeast(Duration, String)
        case unknown(String)
    }

    /// The longest idle time after which the mapping was seen to be there; zero where it was gone at the first look.
    package var alive: Duration? {
        switch lifetime {
        case .within(let alive, _, _), .atLeast(let alive, _): alive
        case .unknown: nil
        }
    }

    package var expired: Duration? {
        if case .within(_, let expired, _) = lifetime { return expired }
        return nil
    }

    /// How often to send a keepalive, in whole seconds: twice within the time that the mapping was seen to live, so
    /// that one that is lost does not lose the mapping. Nil where that would be less than a second.
    package var keepalive: Duration? {
        guard let alive else { return nil }
        let seconds = Int64(alive.inSeconds / 2)
        return seconds > 0 ? .seconds(seconds) : nil
    }

    /// Judges what was seen.
    package init(_ evidence: NATLifetimeEvidence) {
        guard let choice = evidence.choice, evidence.servers.indices.contains(choice.server) else {
            lifetime = .unknown(evidence.whyNoServer)
            return
        }
        method = choice.method
        server = evidence.servers[choice.server].endpoint
        lifetime = Self.lifetime(evidence, choice.method)
    }

    private static func lifetime(_ evidence: NATLifetimeEvidence, _ method: NATLifetimeEvidence.Method) -> Lifetime {
        guard method == .sameSocket || evidence.externalAddresses.count < 2 else {
            return .unknown(
                "the NAT gives this machine's sockets different addresses, so that none can have another answered")
        }
        var alive: Duration?
        var expired: (by: Duration, risk: Double)?
        var undecided: String?
        let outcomes = evidence.samples.indices.map { evidence.outcome(ofSample: $0, at: evidence.endedAt) }
        for outcome in outcomes {
            switch outcome {
            case .alive(let after): alive = max(alive ?? .zero, after)
            case .expired(let by, let risk): if expired.map({ by < $0.by }) ?? true { expired = (by, risk) }
            case .undecided(let why): undecided = why
            case .open: break
            }
        }
        if let expired {
            // Any of the samples could have been the one that looked gone.
            let risk = min(1, expired.risk * Double(max(1, evidence.idleTimes.count)))
            guard (alive ?? .zero) < expired.by else {
                return .unknown("a mapping outlived one that was idle for less: the NAT does not treat them alike")
            }
            return .within(alive: alive ?? .zero, expired: expired.by, risk: risk)
        }
        guard let alive else {
            let why = undecided ?? "no mapping could be looked at"
            return .unknown(evidence.isCutShort ? "the run ended before a mapping was idle for long enough" : why)
        }
        if method == .sameSocket {
            return .unknown(
                "each socket kept its mapped port for \(Int(alive.inSeconds)) s idle: either the mapping lives for "
                    + "longer, or the NAT gives a socket its port again; a server that honours RESPONSE-PORT "
                    + "(RFC 5780) would tell")
        }
        if evidence.isCutShort { return .atLeast(alive, "the run ended before more was seen") }
        return .atLeast(alive, undecided ?? "no mapping was left idle for longer")
    }
}

extension NATLifetimeEvidence {
    /// Why none of the servers could be used.
    fileprivate var whyNoServer: String {
        guard !servers.isEmpty else { return "no server was asked" }
        let reasons = servers.indices.map { server in
            let asked = servers[server]
            switch capability(of: server, at: endedAt) {
            case .silent: return "\(asked.endpoint) gave no answer"
            case .undetermined, .honoursResponsePort: return "\(asked.endpoint): the run ended before it was known"
            case .mapsOnly(let why):
                guard asked.mapped != nil else { return "\(asked.endpoint): \(why)" }
                let isLegacy = asked.mapped?.isLegacy ?? false
                return isLegacy
                    ? "\(asked.endpoint): \(why), and it sends MAPPED-ADDRESS only (RFC 3489)"
                    : "\(asked.endpoint): \(why), and a mapped port that is the local one would be the same again; "
                        + "a server that honours RESPONSE-PORT (RFC 5780: coturn with two addresses, or icecheck serve) would tell"
            }
        }
        return reasons.joined(separator: "; ")
    }
}
