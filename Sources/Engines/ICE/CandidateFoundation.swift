package import NetTypes

/// Gives the same foundation to candidates that ICE may freeze together, another to all others.
///
/// Equal are candidates of one type, with bases of one IP address, from servers of one IP address, over one transport
/// (RFC 8445 s5.1.1.3).
package struct FoundationAssigner: Sendable {
    private struct Key: Hashable {
        var kind: Candidate.Kind
        var base: IPAddress
        var server: IPAddress?
        var transport: Candidate.Transport
    }

    private var numbers: [Key: Int] = [:]

    package init() {}

    /// The foundation of a candidate: `server` is nil for a host candidate; `transport` is the one to the server for a
    /// relayed candidate.
    package mutating func foundation(
        _ kind: Candidate.Kind, base: IPAddress, server: IPAddress? = nil, transport: Candidate.Transport = .udp
    ) -> String {
        let key = Key(kind: kind, base: base, server: server, transport: transport)
        let number = numbers[key] ?? numbers.count + 1
        numbers[key] = number
        return String(number)
    }
}
