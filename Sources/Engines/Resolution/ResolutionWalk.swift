import NetTypes
import STUN

/// What is looked up.
struct ResolutionRequest: Sendable {
    let uri: ServerURI
    let transports: [Transport]

    /// The host's name, empty for a literal.
    var name: String {
        guard case .name(let name) = uri.host else { return "" }
        return name.ascii
    }

    /// Whether SRV and NAPTR say where the server is: not where a port is given, and not for names that are kept out
    /// of the DNS (RFC 6761 s6.3, RFC 6762 s3).
    var usesServices: Bool {
        uri.port == nil && name != "localhost" && !name.hasSuffix(".localhost") && !name.hasSuffix(".local")
            && name.utf8.count <= 253 - "_turns._tcp.".utf8.count
    }
}

/// One pass over the algorithm with the answers that are there.
///
/// Each pass starts from the beginning, so that the code reads as the RFCs do and no state but the answers is kept.
struct ResolutionWalk {
    struct Target: Hashable {
        var name: String
        var port: UInt16
        var transport: Transport
    }

    private let request: ResolutionRequest
    private let answers: [SystemQuery: SystemAnswer]
    private(set) var wanted: [SystemQuery] = []
    private var faults: [ResolutionFault] = []
    private var isPending = false
    private var pointerSteps = 0

    init(_ request: ResolutionRequest, answers: [SystemQuery: SystemAnswer]) {
        self.request = request
        self.answers = answers
    }

    mutating func want(_ query: SystemQuery) {
        if answers[query] == nil, !wanted.contains(query) { wanted.append(query) }
    }

    // MARK: Targets

    /// The names and ports to try, in order, or nil while an answer that decides about them is missing.
    mutating func targets() -> [Target]? {
        guard request.usesServices else { return direct(request.transports) }
        var targets: [Target] = []
        if request.uri.scheme.isTURN, request.uri.transport == nil {
            targets = followPointers(request.name, request.transports, ancestors: [])
        }
        // The next step is asked for in any case, before it is known whether it is needed.
        let pointersPending = isPending
        var services: [Target] = []
        var declined: [Transport] = []
        for transport in request.transports {
            let name = request.uri.scheme.serviceName(transport) + request.name
            guard let found = followServices(name, transport) else {
                declined.append(transport)
                continue
            }
            services += found
        }
        if !pointersPending, !targets.isEmpty { return Array(targets.prefix(ResolutionEngine.targetLimit)) }
        if isPending { return nil }
        if !services.isEmpty { return Array(services.prefix(ResolutionEngine.targetLimit)) }
        return direct(request.transports.filter { !declined.contains($0) })
    }

    private func direct(_ transports: [Transport]) -> [Target] {
        transports.map { Target(name: request.name, port: request.uri.effectivePort, transport: $0) }
    }

    /// S-NAPTR (RFC 3958, RFC 5928 s3): by order and preference, through non-terminal records.
    private mutating func followPointers(_ name: String, _ transports: [Transport], ancestors: [String]) -> [Target] {
        let query = SystemQuery.namingAuthorityPointers(name: name)
        guard !ancestors.contains(query.step) else {
            note(query, .loop)
            return []
        }
        pointerSteps += 1
        guard pointerSteps <= ResolutionEngine.pointerStepLimit else {
            note(query, .tooManySteps)
            return []
        }
        guard case .namingAuthorityPointers(let records) = answer(to: query) else { return [] }
        var targets: [Target] = []
        let sorted = records.sorted { ($0.order, $0.preference) < ($1.order, $1.preference) }
        for record in sorted.prefix(ResolutionEngine.targetLimit) {
            let offered = record.relayTransports
            let usable = transports.filter(offered.contains)
            if usable.isEmpty { continue }
            guard record.regularExpression.isEmpty else {
                note(query, .unusableRecord("a NAPTR record for RELAY has no regular expression (RFC 3958 s6.3)"))
                continue
            }
            guard let replacement = try? DomainName(record.replacement) else {
                note(query, .unusableRecord("a NAPTR record leads to what is not a host name"))
                continue
            }
            switch record.flags.lowercased() {
            case "":
                targets += followPointers(replacement.ascii, usable, ancestors: ancestors + [query.step])
            case "s":
                for transport in usable { targets += followServices(replacement.ascii, transport) ?? [] }
            case "a":
                let port = request.uri.defaultPort
                targets += usable.map { Target(name: replacement.ascii, port: port, transport: $0) }
            default:
                note(
                    query, .unusableRecord("a NAPTR record for RELAY has the flag 's', 'a' or none (RFC 3958 s6.5)"))
            }
        }
        return targets
    }

    /// The targets of SRV records in the order of RFC 2782; nil where the domain says that it has no such service.
    private mutating func followServices(_ name: String, _ transport: Transport) -> [Target]? {
        let query = SystemQuery.serviceRecords(name: name)
        guard case .serviceRecords(let records) = answer(to: query) else { return [] }
        if records.count == 1, records[0].target.isEmpty || records[0].target == "." {
            note(query, .noSuchService)
            return nil
        }
        var targets: [Target] = []
        for record in records {
            guard record.port != 0 else {
                note(query, .unusableRecord("an SRV record has port 0"))
                continue
            }
            guard let target = try? DomainName(record.target) else {
                note(query, .unusableRecord("an SRV record leads to what is not a host name"))
                continue
            }
            targets.append(Target(name: target.ascii, port: record.port, transport: transport))
        }
        return targets
    }

    // MARK: Addresses

    /// The end of a family, or nil while an address lookup is missing.
    mutating func conclude(_ family: IPAddress.Family, _ targets: [Target]) -> ResolutionEngine.Event? {
        let queries = targets.map { SystemQuery.addresses(name: $0.name, family: family) }
        for query in queries { want(query) }
        guard queries.allSatisfy({ answers[$0] != nil }) else { return nil }
        let general = faults
        defer { faults = general }
        var endpoints: [ResolvedEndpoint] = []
        for (target, query) in zip(targets, queries) {
            for address in addresses(query, family) {
                let endpoint = Endpoint(address, target.port)
                if endpoints.contains(where: { $0.endpoint == endpoint && $0.transport == target.transport }) {
                    continue
                }
                endpoints.append(ResolvedEndpoint(endpoint: endpoint, transport: target.transport))
            }
        }
        if endpoints.isEmpty { return .failed(family, faults) }
        let kept = endpoints.prefix(ResolutionEngine.targetLimit)
        return .resolved(family, Array(kept), faults: faults, omitted: endpoints.count - kept.count)
    }

    private mutating func addresses(_ query: SystemQuery, _ family: IPAddress.Family) -> [IPAddress] {
        switch answers[query] {
        case .addresses(let all):
            let ofFamily = all.filter { $0.family == family }
            if ofFamily.isEmpty { note(query, .failed(.noRecords)) }
            for address in ofFamily where !address.isUnicast { note(query, .unusableAddress(address)) }
            return ofFamily.filter(\.isUnicast)
        case .failed(let failure):
            note(query, .failed(failure))
        default:
            note(query, .failed(.noRecords))
        }
        return []
    }

    // MARK: Answers

    /// The answer to a SRV or NAPTR question; nil while it is missing and where it failed.
    private mutating func answer(to query: SystemQuery) -> SystemAnswer? {
        switch answers[query] {
        case nil:
            isPending = true
            want(query)
            return nil
        case .failed(let failure):
            // That a domain has no such records is the usual case and no fault.
            if !failure.isAbsence { note(query, .failed(failure)) }
            return nil
        case .some(let answer):
            return answer
        }
    }

    private mutating func note(_ query: SystemQuery, _ kind: ResolutionFault.Kind) {
        let fault = ResolutionFault(step: query.step, kind: kind)
        if !faults.contains(fault) { faults.append(fault) }
    }
}

extension ServerURI.Scheme {
    /// `_turn._udp.` and the like (RFC 8489 s8.1, RFC 5928 s3, RFC 7350 s4.6).
    fileprivate func serviceName(_ transport: NetTypes.Transport) -> String {
        "_\(rawValue)._\(transport.isStream ? "tcp" : "udp")."
    }
}

extension NamingAuthorityPointer {
    /// The transports of an application service tag `RELAY` (RFC 5928 s3, RFC 7350 s4.6.2).
    fileprivate var relayTransports: [NetTypes.Transport] {
        let parts = service.lowercased().split(separator: ":")
        guard parts.first == "relay" else { return [] }
        return parts.dropFirst().compactMap { part in
            part.hasPrefix("turn.") ? NetTypes.Transport(rawValue: String(part.dropFirst(5))) : nil
        }
    }
}
