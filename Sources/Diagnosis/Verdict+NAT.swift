import Engines
import NetTypes

extension Verdict {
    /// The verdict of `icecheck nat`: fine where the mapping of each family that was asked is known.
    init(nat records: [NATRecord], stun: [STUNResult]) {
        families = [IPAddress.Family.ipv4, .ipv6].compactMap { family in
            let asked = stun.contains { $0.family == family && $0.gap == nil }
            let known = records.filter { $0.family == family }
            guard asked || !known.isEmpty else { return nil }
            let overUDP = known.first { $0.transport == .udp }
            var verdict = FamilyVerdict(family, overUDP, overTCP: known.first { $0.transport == .tcp })
            if let lifetime = overUDP?.lifetime?.verdict {
                verdict.isOK = verdict.isOK && lifetime.alive != nil
                verdict.summary += "; \(lifetime.summary)"
            }
            return verdict
        }
        isOK = !families.isEmpty && families.allSatisfy(\.isOK)
        best = families.map(\.best).min { $0.rank < $1.rank } ?? .none
        summary =
            families.isEmpty ? "Nothing could be measured." : families.map(\.sentence).joined(separator: " ")
    }
}

extension NATLifetimeVerdict {
    fileprivate var summary: String {
        switch lifetime {
        case .within(let alive, let expired, _):
            "an idle mapping lives for \(Words.seconds(down: alive)) to \(Words.seconds(up: expired)) s"
        case .atLeast(let alive, _): "an idle mapping lives for \(Words.seconds(down: alive)) s or more"
        case .unknown: "how long an idle mapping lives is unknown"
        }
    }
}

extension Verdict.FamilyVerdict {
    /// UDP decides; TCP where UDP was not to be asked.
    fileprivate init(_ family: IPAddress.Family, _ record: NATRecord?, overTCP: NATRecord?) {
        guard let record = record ?? overTCP else {
            self.init(family: family, isOK: false, best: .none, summary: "the NAT could not be asked about")
            return
        }
        self.init(family, record)
        if record.transport == .tcp {
            summary = "over TCP, \(summary)"
        } else if !isOK, let overTCP, let kind = overTCP.kindOfMapping {
            summary += "; over TCP there is \(kind)"
            if best == .none { summary += overTCP.mappedAddress.map { ", seen from outside as \($0.address)" } ?? "" }
        }
    }

    private init(_ family: IPAddress.Family, _ record: NATRecord) {
        let seen = record.mappedAddress.map { ", seen from outside as \($0.address)" } ?? ""
        switch record.verdict.mapping {
        case .unknown(let why):
            let isSeen = record.mappedAddress != nil
            let possible = record.relayed?.verdict.mapping.possible.count ?? NATDependence.allCases.count
            let known =
                possible < NATDependence.allCases.count
                ? "of the NAT's mapping a part is known" : "the NAT's mapping is unknown"
            self.init(
                family: family, isOK: false, best: isSeen ? .serverReflexive : .none,
                summary: "\(known)\(seen): \(why)")
        case .known(.none, _):
            // What a machine sees of itself says nothing of a NAT.
            let isOnThisMachine = record.evidence.servers.allSatisfy { $0.address.isLoopback }
            self.init(
                family: family, isOK: true, best: .host,
                summary: isOnThisMachine
                    ? "only a server on this machine itself was asked, which says nothing of a NAT"
                    : record.transport == .tcp
                        ? "no NAT\(seen)" : "no NAT, \(record.firewall ?? "what filters is unknown")\(seen)")
        case .known:
            self.init(
                family: family, isOK: true, best: .serverReflexive,
                summary: "\((record.transport == .tcp ? record.kindOfMapping : record.kind) ?? "a NAT")\(seen)")
        }
    }
}

extension NATRecord {
    /// What the NAT is, in a phrase; nil where its mapping is unknown, or there is none.
    var kind: String? {
        guard let mapping = verdict.mapping.value, mapping != .none else { return nil }
        let filtering = verdict.filtering.value.map { "\($0.rawValue) filtering" } ?? "unknown filtering"
        let legacy = verdict.legacyName.map { " (\($0), as RFC 3489 called it)" } ?? ""
        return "a NAT with \(mapping.rawValue) mapping and \(filtering)\(legacy)"
    }

    /// How it maps, in a phrase; nil where that is unknown.
    var kindOfMapping: String? {
        verdict.mapping.value.map { $0 == .none ? "no NAT" : "a NAT with \($0.rawValue) mapping" }
    }

    /// What filters where nothing translates, in a phrase; nil where that is unknown.
    var firewall: String? {
        verdict.filtering.value.map {
            $0 == .none ? "nothing filters" : "a firewall with \($0.rawValue) filtering"
        }
    }
}
