package import NetTypes
package import STUN

/// From a server's URI to its transport addresses (RFC 8489 s8 for STUN, RFC 5928 for TURN).
///
/// A name without a port is looked up by SRV, for TURN without a transport by NAPTR first; where there is neither, and
/// for a name with a port, by A and AAAA. The lookups of all steps start at the same time, so that a domain without
/// SRV costs no round trip more. Each family ends on its own: a resolver that is silent about one delays the other not.
///
/// The owner drains ``pollQuery()`` and ``pollEvent()`` after each input, hands in each answer, and calls
/// ``handleTimeout(at:)`` at ``nextWake``. No query is asked twice.
package struct ResolutionEngine: Sendable {
    package enum Event: Hashable, Sendable {
        /// In the order to try; `faults` is what went wrong beside it, `omitted` the addresses over the limit.
        case resolved(IPAddress.Family, [ResolvedEndpoint], faults: [ResolutionFault], omitted: Int)
        case failed(IPAddress.Family, [ResolutionFault])
    }

    /// For the whole of it.
    package static let timeLimit = Duration.seconds(5)
    /// For SRV and NAPTR where the name has addresses already: some home routers drop these questions in silence.
    package static let serviceTimeLimit = Duration.seconds(2)
    /// Targets of SRV and NAPTR, and addresses of a family, that are tried.
    package static let targetLimit = 16
    /// NAPTR lookups.
    package static let pointerStepLimit = 8

    private let request: ResolutionRequest
    private let deadline: Instant
    private let serviceDeadline: Instant
    private var answers: [SystemQuery: SystemAnswer] = [:]
    private var asked: [SystemQuery] = []
    private var polled = 0
    private var openFamilies: [IPAddress.Family]
    private var events: [Event] = []

    /// - Parameters:
    ///   - transports: those that the caller speaks, best first; what the URI excludes is left out.
    ///   - zone: the index of the interface that the URI's zone names.
    package init(
        _ uri: ServerURI, families: Set<IPAddress.Family> = [.ipv4, .ipv6], transports: [Transport], zone: UInt32 = 0,
        from start: Instant
    ) {
        request = ResolutionRequest(uri: uri, transports: uri.transports(among: transports))
        deadline = start + Self.timeLimit
        serviceDeadline = start + Self.serviceTimeLimit
        openFamilies = IPAddress.Family.allCases.filter(families.contains)
        switch uri.host {
        case _ where request.transports.isEmpty:
            events = openFamilies.map { .failed($0, [.init(step: uri.text, kind: .noTransport)]) }
            openFamilies = []
        case .address(var address, _):
            address.zone = address.family == .ipv6 ? zone : 0
            concludeLiteral(address)
        case .name:
            advance()
        }
    }

    // MARK: Driving

    /// Takes an answer; `random` orders SRV records of one priority (RFC 2782).
    package mutating func handle(
        _ answer: SystemAnswer, to query: SystemQuery, at now: Instant, using random: inout some RandomNumberGenerator
    ) {
        guard now < deadline else { return handleTimeout(at: now) }
        expire(at: now)
        guard answers[query] == nil, asked.contains(query) else { return advance() }
        if case .serviceRecords(let records) = answer {
            answers[query] = .serviceRecords(ServiceRecordOrder.order(records, limit: Self.targetLimit, using: &random))
        } else {
            answers[query] = answer
        }
        advance()
    }

    package mutating func handleTimeout(at now: Instant) {
        expire(at: now)
        advance()
        // What a walk asks for after the deadline is answered by it, until no step is left.
        while now >= deadline, !isFinished {
            expire(at: now)
            advance()
        }
    }

    /// The next question for the system, or nil.
    package mutating func pollQuery() -> SystemQuery? {
        guard !isFinished, polled < asked.count else { return nil }
        polled += 1
        return asked[polled - 1]
    }

    package mutating func pollEvent() -> Event? { events.isEmpty ? nil : events.removeFirst() }

    /// When the next limit is reached; nil once every family has ended.
    package var nextWake: Instant? {
        guard !isFinished else { return nil }
        return unanswered.contains(where: \.isService) && hasFallback ? min(serviceDeadline, deadline) : deadline
    }

    /// Whether every family has ended.
    package var isFinished: Bool { openFamilies.isEmpty }

    /// The lookups that are not answered yet: `AAAA example.org`.
    package var unansweredSteps: [String] { isFinished ? [] : unanswered.map(\.step) }

    // MARK: Steps

    private var unanswered: [SystemQuery] { asked.filter { answers[$0] == nil } }

    /// Whether the bare name has an address, so that the answer to SRV and NAPTR is not worth the whole time.
    private var hasFallback: Bool {
        IPAddress.Family.allCases.contains { family in
            guard case .addresses(let addresses) = answers[.addresses(name: request.name, family: family)] else {
                return false
            }
            return !addresses.isEmpty
        }
    }

    private mutating func expire(at now: Instant) {
        guard now >= serviceDeadline else { return }
        let isOver = now >= deadline
        let hasFallback = hasFallback
        for query in unanswered where isOver || (hasFallback && query.isService) {
            answers[query] = .failed(.timedOut)
        }
    }

    /// Walks as far as the answers lead, asks what is missing and ends the families that are complete.
    private mutating func advance() {
        guard !isFinished else { return }
        var walk = ResolutionWalk(request, answers: answers)
        let targets = walk.targets()
        if targets == nil { for family in openFamilies { walk.want(.addresses(name: request.name, family: family)) } }
        for family in openFamilies {
            guard let targets, let event = walk.conclude(family, targets) else { continue }
            events.append(event)
            openFamilies.removeAll { $0 == family }
        }
        asked += walk.wanted.filter { !asked.contains($0) }
    }

    private mutating func concludeLiteral(_ address: IPAddress) {
        let family = address.family
        let isAsked = openFamilies.contains(family)
        openFamilies = []
        let fault: ResolutionFault.Kind? =
            !isAsked ? .familyNotAsked : address.isUnicast ? nil : .unusableAddress(address)
        if let fault { return events.append(.failed(family, [.init(step: "\(address)", kind: fault)])) }
        let endpoint = Endpoint(address, request.uri.effectivePort)
        let endpoints = request.transports.map { ResolvedEndpoint(endpoint: endpoint, transport: $0) }
        events.append(.resolved(family, endpoints, faults: [], omitted: 0))
    }
}

extension ServerURI {
    /// The transports among `supported` that the URI allows, in their order (RFC 5928 s3, RFC 7350).
    package func transports(among supported: [NetTypes.Transport]) -> [NetTypes.Transport] {
        supported.filter { candidate in
            switch candidate {
            case .udp: !scheme.isSecure && transport != .tcp
            case .tcp: !scheme.isSecure && transport != .udp
            case .dtls: scheme.isSecure && transport != .tcp
            case .tls: scheme.isSecure && transport != .udp
            }
        }
    }
}

extension SystemQuery {
    var isService: Bool {
        switch self {
        case .serviceRecords, .namingAuthorityPointers: true
        case .addresses, .source: false
        }
    }
}
