/// A question that the operating system answers: a name in the DNS, or a route.
///
/// Names are ASCII (A-labels already). Each query to the DNS runs on a thread of its own, so that a dead resolver
/// delays no one else; the engine that asks keeps the deadline.
package enum SystemQuery: Hashable, Sendable {
    /// getaddrinfo: A or AAAA through the system's resolver and hosts file.
    case addresses(name: String, family: IPAddress.Family)
    case serviceRecords(name: String)
    case namingAuthorityPointers(name: String)
    /// Which local address the system would send from (a UDP connect; nothing is sent).
    case source(to: Endpoint, interface: String?)
}

package enum SystemAnswer: Hashable, Sendable {
    case addresses([IPAddress])
    case serviceRecords([ServiceRecord])
    case namingAuthorityPointers([NamingAuthorityPointer])
    case source(IPAddress)
    case failed(QueryFailure)
}

/// Why a query has no answer.
package enum QueryFailure: Hashable, Sendable, Codable {
    /// NXDOMAIN.
    case noSuchName
    /// The name exists and has no record of the type.
    case noRecords
    /// SERVFAIL, REFUSED or no answer in the resolver's own time: the text is the resolver's.
    case resolverFailed(String)
    /// The engine's own deadline came first.
    case timedOut
    /// A route question: ENETUNREACH, EHOSTUNREACH, EAFNOSUPPORT and others.
    case noRoute(errno: Int32)
}

/// An SRV record (RFC 2782).
package struct ServiceRecord: Hashable, Sendable, Codable {
    package var priority: UInt16
    package var weight: UInt16
    package var port: UInt16
    /// Without the final dot; "" or "." is "no such service".
    package var target: String
}

/// A NAPTR record (RFC 3403), as RFC 5928 uses it.
package struct NamingAuthorityPointer: Hashable, Sendable, Codable {
    package var order: UInt16
    package var preference: UInt16
    package var flags: String
    package var service: String
    package var regularExpression: String
    package var replacement: String
}
