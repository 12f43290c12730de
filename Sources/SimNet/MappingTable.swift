import Engines
import NetTypes

/// The mappings of a NAT, or the flows of a firewall: who is inside, how it looks outside, whom it has sent to.
struct MappingTable: Sendable {
    struct Mapping: Sendable {
        var transport: Transport
        var inside: Endpoint
        var outside: Endpoint
        var sentTo: Set<Endpoint> = []
        var lastSent: Instant
    }

    private struct Key: Hashable {
        var transport: Transport
        var inside: Endpoint
        var destination: Endpoint?
    }

    private struct Outside: Hashable {
        var transport: Transport
        var endpoint: Endpoint
    }

    private var mappings: [Mapping] = []
    private var byInside: [Key: Int] = [:]
    private var byOutside: [Outside: Int] = [:]
    private var nextPort: [IPAddress: Int] = [:]

    /// The port at which sequential allocation starts.
    private static let firstPort = 20_000

    /// The mapping for a packet that goes out, made where there is none or the old one is over.
    mutating func outbound(
        _ transport: Transport, from inside: Endpoint, to destination: Endpoint, _ model: NATModel,
        addresses: [IPAddress], at now: Instant, _ random: inout SeededGenerator
    ) -> Endpoint {
        let key = Key(transport: transport, inside: inside, destination: model.mapping.part(of: destination))
        if let index = byInside[key], mappings[index].lastSent + model.lifetime >= now {
            mappings[index].lastSent = now
            mappings[index].sentTo.insert(destination)
            return mappings[index].outside
        }
        let outside = allocate(transport, for: inside, model, addresses: addresses, at: now, &random)
        add(
            Mapping(transport: transport, inside: inside, outside: outside, sentTo: [destination], lastSent: now),
            key: key)
        return outside
    }

    /// The flow of a firewall: the endpoint is the same on both sides.
    mutating func outbound(
        _ transport: Transport, from inside: Endpoint, to destination: Endpoint, lifetime: Duration, at now: Instant
    ) {
        let key = Key(transport: transport, inside: inside, destination: nil)
        if let index = byInside[key], mappings[index].lastSent + lifetime >= now {
            mappings[index].lastSent = now
            mappings[index].sentTo.insert(destination)
        } else {
            add(
                Mapping(transport: transport, inside: inside, outside: inside, sentTo: [destination], lastSent: now),
                key: key)
        }
    }

    private mutating func add(_ mapping: Mapping, key: Key) {
        byInside[key] = mappings.count
        byOutside[Outside(transport: mapping.transport, endpoint: mapping.outside)] = mappings.count
        mappings.append(mapping)
    }

    /// Who is inside behind an outside endpoint, and whether the filter lets `source` in.
    func inbound(
        _ transport: Transport, to outside: Endpoint, from source: Endpoint, filtering: NATDependence,
        lifetime: Duration, at now: Instant
    ) -> (inside: Endpoint, isAllowed: Bool)? {
        guard let index = byOutside[Outside(transport: transport, endpoint: outside)],
            mappings[index].lastSent + lifetime >= now
        else { return nil }
        let mapping = mappings[index]
        let isAllowed =
            switch filtering {
            case .none, .endpointIndependent: true
            case .addressDependent: mapping.sentTo.contains { $0.address == source.address }
            case .addressAndPortDependent: mapping.sentTo.contains(source)
            }
        return (mapping.inside, isAllowed)
    }

    private mutating func allocate(
        _ transport: Transport, for inside: Endpoint, _ model: NATModel, addresses: [IPAddress], at now: Instant,
        _ random: inout SeededGenerator
    ) -> Endpoint {
        let own = addresses.filter { $0.family == inside.family }
        precondition(!own.isEmpty, "a NAT has an external address of each family that passes through it")
        let address =
            model.pooling == .arbitrary
            ? own[Int.random(in: own.indices, using: &random)]
            : own[Int(truncatingIfNeeded: inside.address.value % UInt128(own.count))]
        func isFree(_ port: Int) -> Bool {
            guard let index = byOutside[Outside(transport: transport, endpoint: Endpoint(address, UInt16(port)))] else {
                return true
            }
            return mappings[index].lastSent + model.lifetime < now
        }
        var port: Int
        switch model.allocation {
        case .preserving:
            port = Int(inside.port)
            while !isFree(port) { port = port == 65_535 ? 1024 : port + 1 }
        case .sequential(let step):
            port = nextPort[address] ?? Self.firstPort
            while !isFree(port) { port = port + step > 65_535 ? 1024 : port + step }
            nextPort[address] = port + step > 65_535 ? 1024 : port + step
        case .random:
            repeat { port = Int.random(in: 1024...65_535, using: &random) } while !isFree(port)
        }
        return Endpoint(address, UInt16(port))
    }
}

extension NATDependence {
    /// What of a destination tells one mapping from another.
    fileprivate func part(of destination: Endpoint) -> Endpoint? {
        switch self {
        case .none, .endpointIndependent: nil
        case .addressDependent: Endpoint(destination.address, 0)
        case .addressAndPortDependent: destination
        }
    }
}
