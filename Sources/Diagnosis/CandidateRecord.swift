package import Engines
package import NetTypes

/// A candidate of this machine, with what the report says of it.
package struct CandidateRecord: Hashable, Sendable {
    package var candidate: Candidate
    package var base: Endpoint
    package var interface: String?
    package var interfaceKind: NetworkInterface.Kind?
    /// The STUN or TURN server that told it.
    package var server: String?
    package var isTemporary = false
    package var isDeprecated = false
    /// Why a browser would not offer it; nil where it would.
    package var withheld: String?

    /// This machine's candidates have no names.
    package var endpoint: Endpoint { candidate.endpoint ?? base }
    package var transport: Transport { candidate.transport == .udp ? .udp : .tcp }
    /// Whether a peer is told of this machine's own address by it.
    package var isOfferedHost: Bool { candidate.kind == .host && transport == .udp && withheld == nil }
}
