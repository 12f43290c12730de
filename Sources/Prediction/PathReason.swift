import Engines
import NetTypes

/// Why two settled machines have no direct path, or none at all, in one sentence.
struct PathReason {
    let question: PathQuestion
    let local: MachineName
    let remote: MachineName

    /// Nil for what is direct.
    func text(_ outcome: PathOutcome) -> String? {
        switch outcome {
        case .direct: nil
        case .relayed: whyNotDirect
        case .none: "\(whyNotDirect); \(whyNotRelayed)"
        }
    }

    private var one: SettledMachine { question.local }
    private var other: SettledMachine { question.remote }

    // MARK: Direct

    private var whyNotDirect: String {
        let shared = IPAddress.Family.allCases.filter { one[$0].reach != .absent && other[$0].reach != .absent }
        if let passing = shared.first(where: { one[$0].reach == .passing && other[$0].reach == .passing }) {
            return between(one[passing], other[passing])
        }
        if !shared.isEmpty {
            let isOursStuck = shared.contains { one[$0].reach == .blocked }
            let isTheirsStuck = shared.contains { other[$0].reach == .blocked }
            if isOursStuck, isTheirsStuck { return "UDP gets out of neither network" }
            return "UDP does not get out of the network of \((isOursStuck ? local : remote).text)"
        }
        let (ours, theirs) = (families(one), families(other))
        if ours.isEmpty || theirs.isEmpty {
            return "\(ours.isEmpty ? local.text : remote.text) has no address that a peer could reach"
        }
        return "\(local.text) has \(ours) only, \(remote.text) has \(theirs) only"
    }

    private func between(_ one: SettledNetwork, _ other: SettledNetwork) -> String {
        if question.neighbourhood == .sameNAT {
            return "both are behind one NAT, which does not turn back what is sent to its own outside (no hairpin)"
        }
        if one.mapping.isDependent, other.mapping.isDependent {
            let kinds =
                one.mapping == other.mapping
                ? "\(one.mapping.rawValue) mapping"
                : "\(one.mapping.rawValue) and \(other.mapping.rawValue) mapping"
            return
                "both NATs give each destination another port (\(kinds)), so neither side can know the port that the "
                + "other will use"
        }
        let isOurs = one.mapping.isDependent
        let (moving, strict) = isOurs ? (one, other) : (other, one)
        let (mover, guardian) = isOurs ? (local, remote) : (remote, local)
        guard moving.mapping.isDependent else { return "no pair of addresses gets through both networks" }
        let admits =
            strict.filtering == .addressAndPortDependent
            ? "only what comes from the very port that was sent to"
            : "only what comes from the address that was sent to"
        return
            "the NAT of \(mover.text) gives each destination another port (\(moving.mapping.rawValue) mapping), and the "
            + "\(strict.isTranslated ? "NAT" : "firewall") of \(guardian.text) lets in \(admits) "
            + "(\(strict.filtering.rawValue) filtering)"
    }

    private func families(_ machine: SettledMachine) -> String {
        IPAddress.Family.allCases.filter { machine[$0].reach != .absent }.map(\.name).joined(separator: " and ")
    }

    // MARK: Relayed

    private var whyNotRelayed: String {
        let holders = [(one, local, other, remote), (other, remote, one, local)].filter { !$0.0.relays.isEmpty }
        guard let (holder, name, far, farName) = holders.first else { return "neither side has a TURN server" }
        if holders.count == 2 { return "the TURN servers of both reach no address of the other side" }
        let isBlocked = IPAddress.Family.allCases.contains { far[$0].reach == .blocked && holder.relays.has($0) }
        if isBlocked {
            return
                "the relay of \(name.text) is reached over UDP, and \(farName.text) has no TURN server over TCP or TLS "
                + "of its own"
        }
        let relays = IPAddress.Family.allCases.filter { holder.relays.has($0) }.map(\.name).joined(separator: " and ")
        return "the relay of \(name.text) has \(relays) only, which \(farName.text) has not"
    }
}
