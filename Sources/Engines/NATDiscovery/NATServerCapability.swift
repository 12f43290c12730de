package import NetTypes

/// What a server can tell of a NAT: known from how it answers, before anything is concluded from its silence.
package enum NATServerCapability: Hashable, Sendable, Codable {
    case silent
    /// It shows mapped addresses that can be believed, and has no usable other address: one of several servers.
    case mapsOnly(String)
    /// What it shows says nothing of the NAT, with the reason.
    case unusable(String)
    /// RFC 5780: it answers from its other address and port as well.
    case discovers(other: Endpoint)

    /// Whether the mapped addresses that it shows are believed.
    package var isBelieved: Bool {
        switch self {
        case .mapsOnly, .discovers: true
        case .silent, .unusable: false
        }
    }
}

extension NATEvidence {
    /// The capability of a server as far as the exchanges show it.
    package func capability(of server: Int) -> NATServerCapability {
        let asked = servers[server]
        let plain = exchanges.filter { $0.server == server && $0.change == .none }
        let first = plain.filter { $0.destination == asked }.compactMap(\.answer)
        guard let sample = first.first else {
            if let stray = plain.lazy.compactMap(\.straySource).first {
                return .unusable("its answer came from \(stray), not from where it was asked")
            }
            let code = plain.lazy.compactMap(\.errorCode).first
            return code.map { .unusable("it answers with error \($0)") } ?? .silent
        }
        if let objection = objection(to: first, from: asked) { return .unusable(objection) }
        if let objection = objection(to: sample.otherAddress, of: asked, all: first) { return .mapsOnly(objection) }
        guard let other = sample.otherAddress else { return .mapsOnly("it has no OTHER-ADDRESS (RFC 5780)") }
        for exchange in exchanges where exchange.server == server && exchange.change != .none {
            if let objection = objection(toChangeOf: exchange, asked: asked, other: other) {
                return .mapsOnly(objection)
            }
        }
        return .discovers(other: other)
    }

    /// Why no mapped address of this server can be believed.
    private func objection(to answers: [NATExchange.Answer], from asked: Endpoint) -> String? {
        if answers.contains(where: \.isLegacy) {
            return "it sends MAPPED-ADDRESS only (RFC 3489), which a NAT may rewrite"
        }
        let mapped = answers.map(\.mappedAddress)
        let locals = Set(localEndpoints.values.map(\.address))
        if let odd = mapped.first(where: {
            asked.address.realm == .global && $0.address.realm != .global && !locals.contains($0.address)
        }) {
            return "it sees \(odd), an address of its own network (\(odd.address.realm.rawValue))"
        }
        for (socket, local) in localEndpoints {
            let seen = exchanges.filter { $0.socket == socket && $0.destination == asked }
                .compactMap(\.answer?.mappedAddress)
            if let odd = seen.first(where: { $0.address == local.address && $0.port != local.port }) {
                return "it sees this machine's own address with another port (\(odd), not \(local)): "
                    + "something before the server rewrites ports"
            }
            if Set(seen).count > 1 {
                return "it saw one socket at \(Set(seen).sorted().map(\.description).joined(separator: " and "))"
            }
        }
        return nil
    }

    /// Why its OTHER-ADDRESS cannot be used.
    private func objection(to other: Endpoint?, of asked: Endpoint, all: [NATExchange.Answer]) -> String? {
        guard let other else { return nil }
        if Set(all.map(\.otherAddress)).count > 1 { return "its OTHER-ADDRESS changes" }
        if other.family != asked.family { return "its OTHER-ADDRESS \(other) is of the other family" }
        if other.address == asked.address || other.port == asked.port {
            return "its OTHER-ADDRESS \(other) is not another address with another port"
        }
        if other.port == 0 { return "its OTHER-ADDRESS \(other) has port 0" }
        if asked.address.realm == .global, other.address.realm != .global {
            return "its OTHER-ADDRESS \(other) is \(other.address.realm.rawValue), not reachable from outside"
        }
        if let origin = all.compactMap(\.responseOrigin).first(where: { $0 != asked }) {
            return "its RESPONSE-ORIGIN \(origin) is not where its answer came from (\(asked))"
        }
        return nil
    }

    /// What is wrong with how it took a CHANGE-REQUEST.
    private func objection(toChangeOf exchange: NATExchange, asked: Endpoint, other: Endpoint) -> String? {
        if let code = exchange.errorCode { return "it answers CHANGE-REQUEST with error \(code)" }
        guard let answer = exchange.answer else { return nil }
        if answer.source == asked { return "it ignores CHANGE-REQUEST" }
        let expected = exchange.change.source(asked: asked, other: other)
        if answer.source != expected {
            return "asked to answer from \(expected), it answered from \(answer.source)"
        }
        if let origin = answer.responseOrigin, origin != answer.source {
            return "its RESPONSE-ORIGIN \(origin) is not where its answer came from (\(answer.source))"
        }
        return nil
    }
}

extension NATExchange.Change {
    /// Where an answer must come from (RFC 5780 s6.1).
    package func source(asked: Endpoint, other: Endpoint) -> Endpoint {
        switch self {
        case .none: asked
        case .port: Endpoint(asked.address, other.port)
        case .addressAndPort: other
        }
    }
}
