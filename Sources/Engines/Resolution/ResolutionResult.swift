package import NetTypes

/// A transport address of a server.
package struct ResolvedEndpoint: Hashable, Sendable {
    package var endpoint: Endpoint
    package var transport: Transport
}

/// Something that went wrong on the way from a name to its addresses.
package struct ResolutionFault: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case failed(QueryFailure)
        /// SRV with the target `.`: the domain says that it has no such service (RFC 2782).
        case noSuchService
        /// NAPTR records that lead back to themselves.
        case loop
        /// More NAPTR steps than ``ResolutionEngine/pointerStepLimit``.
        case tooManySteps
        /// A record that cannot be used, and why.
        case unusableRecord(String)
        /// An address that is no host's: unspecified, multicast or broadcast.
        case unusableAddress(IPAddress)
        /// The server is a literal of a family that was not asked for.
        case familyNotAsked
        /// None of the caller's transports is one that the URI allows.
        case noTransport
    }

    /// The lookup: `AAAA stun.example.org`.
    package var step: String
    package var kind: Kind

    /// What happened, in words.
    package var message: String {
        switch kind {
        case .failed(let failure): failure.message
        case .noSuchService: "the domain says that it has no such service (SRV target '.', RFC 2782)"
        case .loop: "the NAPTR records lead back to themselves"
        case .tooManySteps: "more than \(ResolutionEngine.pointerStepLimit) NAPTR steps"
        case .unusableRecord(let reason): reason
        case .unusableAddress(let address):
            "\(address) is not the address of a host; a resolver that blocks names answers like that"
        case .familyNotAsked: "the address is of a family that was not asked for"
        case .noTransport: "no transport that was asked for is one that this URI allows"
        }
    }
}

extension QueryFailure {
    /// The failure in words, without the name that it concerns.
    package var message: String {
        switch self {
        case .noSuchName: "the name does not exist (NXDOMAIN)"
        case .noRecords: "the name has no record of this type"
        case .resolverFailed(let text): "the resolver failed: \(text)"
        case .timedOut: "the resolver did not answer in time"
        case .noRoute(let errno): "there is no route (errno \(errno))"
        }
    }

    /// Whether the resolver has answered, and that there is nothing.
    var isAbsence: Bool { self == .noSuchName || self == .noRecords }
}

extension SystemQuery {
    /// The lookup as reports name it: `A example.org`.
    package var step: String {
        switch self {
        case .addresses(let name, .ipv4): "A \(name)"
        case .addresses(let name, .ipv6): "AAAA \(name)"
        case .serviceRecords(let name): "SRV \(name)"
        case .namingAuthorityPointers(let name): "NAPTR \(name)"
        case .source(let endpoint, _): "route to \(endpoint)"
        }
    }
}
