import Diagnosis
import Engines
import JSON
import NetTypes

extension TextRenderer {
    /// The NAT of each local address that was asked from: what is known, what is not and why, and from whom.
    func section(_ record: NATRecord) -> [String] {
        let verdict = record.verdict
        let seen = record.mappedAddress.map { ", seen as \($0)" } ?? ""
        let transport = record.transport.rawValue.uppercased()
        var lines = [title("NAT (\(record.family.name), \(transport), from \(record.evidence.source)\(seen))")]
        func add(_ name: String, _ text: String) { lines += row(name, text) }
        add("mapping", words(verdict.mapping) { $0.rawValue + words(verdict.method) })
        // Without an answer there is one reason, and it has been said.
        if record.answers > 0 {
            lines += details(of: record)
        } else if record.relayed?.mappedAddress != nil {
            lines += filtering(of: record)
        }
        if let lifetime = record.lifetime { add("mapping lifetime", lifetime.words) }
        if record.answers > 0 {
            for (server, capability) in zip(record.evidence.servers, verdict.capabilities) {
                let isSilent = capability == .silent && record.transport == .tcp
                add("asked", isSilent ? record.evidence.silence(of: server) : "\(server): \(capability.words)")
            }
        }
        if let relayed = record.relayed { lines += section(relayed) }
        let trips = record.roundTrip.map { " on a round trip of \(decimal($0)) ms" }
        // Where no server was asked over UDP, what relays took is all.
        if !record.evidence.servers.isEmpty {
            add(
                "took",
                "\(decimal(record.evidence.endedAt)) ms\(trips ?? ""); \(record.requests) requests, \(record.answers) answers"
            )
        }
        if let bound = record.bound {
            let trips = Words.count(bound.roundTrips, "round trip")
            let silence =
                bound.silence > .zero
                ? " and \(decimal(bound.silence)) ms in which \(bound.silentProbes) requests stay unanswered"
                : ""
            add("at least", "\(decimal(bound.total)) ms: \(trips)\(silence)")
        }
        return lines
    }

    private func details(of record: NATRecord) -> [String] {
        let verdict = record.verdict
        var lines: [String] = []
        func add(_ name: String, _ text: String) { lines += row(name, text) }
        if record.transport == .udp {
            lines += filtering(of: record)
            add("port allocation", words(verdict.portAllocation, \.words))
            add("address pooling", words(verdict.pairedPooling) { $0 ? "paired" : "arbitrary" })
        } else {
            add("port preserved", words(verdict.portPreservation) { $0 ? "yes" : "no" })
        }
        if record.evidence.asksHairpin, record.transport == .udp {
            add("hairpin", words(verdict.hairpinning, \.words))
        }
        if verdict.payloadRewriting.value == true {
            add("ALG", "something on the way rewrites addresses in payloads")
        }
        return lines
    }

    private func filtering(of record: NATRecord) -> [String] {
        let verdict = record.verdict
        let filtering = words(verdict.filtering) { $0.rawValue + words(verdict.filteringMethod) }
        return row("filtering", filtering) + (verdict.legacyName.map { row("in RFC 3489", $0) } ?? [])
    }

    private func row(_ name: String, _ text: String) -> [String] { labelled(name.padded(to: 18), text) }

    /// How it was found out, where that is not by RFC 5780.
    private func words(_ method: NATVerdict.Method?) -> String {
        switch method {
        case .severalServers: ", by what several servers see of one socket"
        case .relay(let server): ", through the relay of \(server)"
        case .discovery, nil: ""
        }
    }

    /// The relays, and what was sent for them.
    private func section(_ relayed: NATRecord.Relayed) -> [String] {
        var lines: [String] = []
        for (place, relay) in relayed.evidence.relays.enumerated() {
            let told = "\(relay.relayedAddress?.description ?? "none") of \(relay.server)"
            lines += row("relay", relayed.reason(place) ?? told)
        }
        let came = relayed.evidence.exchanges.count { $0.outcome != nil }
        let took = decimal(relayed.evidence.endedAt)
        let sent = relayed.evidence.exchanges.count
        return lines
            + row("through relays", "took \(took) ms; \(sent) datagrams, \(came) of them came or were answered")
    }

    private func words<Value>(_ finding: NATFinding<Value>, _ name: (Value) -> String) -> String {
        switch finding {
        case .known(let value, let risk):
            risk == 0 ? name(value) : "\(name(value)) (\(Words.confidence(risk)))"
        case .unknown(let why): "unknown: \(why)"
        }
    }

    private func decimal(_ duration: Duration) -> String {
        JSONValue.decimalText((duration.milliseconds * 100).rounded() / 100)
    }
}

extension NATVerdict.PortAllocation {
    fileprivate var words: String {
        if case .sequential(let step) = self { return "sequential, in steps of \(step)" }
        return name
    }
}

extension NATHairpinning {
    fileprivate var words: String {
        switch self {
        case .none: "none: peers behind the same NAT cannot use its outside"
        case .externalSource: "yes, with the external source address"
        case .internalSource: "yes, with the internal source address, against RFC 4787 REQ-9"
        }
    }
}

extension NATServerCapability {
    fileprivate var words: String {
        switch self {
        case .silent: "no answer"
        case .mapsOnly(let why): "tells the mapping only; \(why)"
        case .unusable(let why): "not believed; \(why)"
        case .discovers(let other): "RFC 5780, other address \(other)"
        }
    }
}
