import NetTypes
import Signaling
import Testing

@testable import Engines

/// The same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

extension ICEDescription {
    /// What a usual machine says: host candidates of both families, one reflexive, one relayed.
    static func usual() throws -> ICEDescription {
        let lines = [
            "candidate:1 1 udp 2130706431 192.168.1.20 50000 typ host",
            "candidate:2 1 udp 2130706175 2001:db8::20 50001 typ host",
            "candidate:3 1 udp 1694498815 203.0.113.9 50000 typ srflx raddr 192.168.1.20 rport 50000",
            "candidate:4 1 udp 16777215 198.51.100.4 61000 typ relay raddr 203.0.113.9 rport 50000",
        ]
        var random = SeededGenerator(seed: 5)
        return ICEDescription(
            credentials: ICECredentials(using: &random),
            candidates: try lines.map { try Candidate(parsingAttribute: $0) },
            pacing: .milliseconds(10), isComplete: true,
            fingerprints: [CertificateFingerprint(bytes: (0..<32).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) })],
            setup: .actpass,
            tieBreaker: 0x0123_4567_89AB_CDEF,
            nat: [
                .ipv4: NAT(
                    mapping: .endpointIndependent, filtering: .addressAndPortDependent, hairpins: false,
                    preservesPorts: true, passesUDP: true), .ipv6: NAT(mapping: NATDependence.none, passesUDP: true),
            ])
    }

    /// Anything that can be said. What SDP cannot say is left out for `sdp`.
    static func random(seed: UInt64, sdp: Bool = false) -> ICEDescription {
        var random = SeededGenerator(seed: seed)
        var description = ICEDescription(credentials: ICECredentials(using: &random))
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            description.candidates.append(Candidate.random(&random, extensions: sdp, before: description.candidates))
        }
        description.isLite = Bool.random(using: &random)
        description.trickles = Bool.random(using: &random)
        description.isComplete = sdp && !description.trickles || Bool.random(using: &random)
        if Bool.random(using: &random) {
            description.pacing = .milliseconds(Int.random(in: 0...100_000, using: &random))
        }
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            let (name, count) =
                [("sha-256", 32), ("sha-1", 20), ("sha-512", 64), ("md5", 16)]
                .randomElement(using: &random) ?? ("sha-256", 32)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            description.fingerprints.append(CertificateFingerprint(algorithm: name, bytes: bytes))
        }
        description.setup = (SetupRole.allCases.map { $0 } as [SetupRole?] + [nil]).randomElement(using: &random) ?? nil
        guard !sdp else { return description }
        if Bool.random(using: &random) { description.tieBreaker = random.next() }
        for family in IPAddress.Family.allCases where Bool.random(using: &random) {
            func any<T>(_ values: [T]) -> T? { (values as [T?] + [nil]).randomElement(using: &random) ?? nil }
            description.nat[family] = NAT(
                mapping: any(NATDependence.allCases), filtering: any(NATDependence.allCases),
                hairpins: any([true, false]),
                preservesPorts: any([true, false]), passesUDP: any([true, false]))
        }
        return description
    }
}

extension Candidate {
    fileprivate static func random(
        _ random: inout SeededGenerator, extensions: Bool, before: [Candidate]
    ) -> Candidate {
        func address() -> Address {
            switch Int.random(in: 0...2, using: &random) {
            case 0: .address(IPAddress(v4: UInt32.random(in: 1...UInt32.max, using: &random)))
            case 1: .address(IPAddress(v6: UInt128(random.next()) << 64 | UInt128(random.next())))
            default: .name("\(String(random.next(), radix: 16))-4bd1-4e2a.local")
            }
        }
        let kind = Kind.allCases.randomElement(using: &random) ?? .host
        let tcpType = Bool.random(using: &random) ? nil : TCPType.allCases.randomElement(using: &random)
        let component = Bool.random(using: &random) ? 1 : Int.random(in: 1...256, using: &random)
        let transport: Transport = tcpType == nil ? .udp : .tcp
        var candidate = Candidate(
            kind, transport: transport, tcpType: tcpType, component: component,
            foundation: ["1", "01", "126", "127", "4294967295", "Hcafe/+", "0"].randomElement(using: &random) ?? "1",
            priority: UInt32.random(in: 1...UInt32.max, using: &random), address: address(),
            port: UInt16.random(in: 1...65535, using: &random))
        if Bool.random(using: &random) {
            candidate.priority = CandidatePriority.priority(
                kind, transport, tcpType: tcpType, localPreference: UInt16.random(in: 0...65535, using: &random),
                component: component)
        }
        switch Int.random(in: 0...4, using: &random) {
        case 0: break
        case 1: candidate.relatedAddress = address()
        case 2: candidate.relatedPort = UInt16.random(in: 0...65535, using: &random)
        default:
            let base = before.randomElement(using: &random)
            candidate.relatedAddress = base?.address ?? address()
            candidate.relatedPort = base?.port ?? 9
        }
        if extensions, Bool.random(using: &random) {
            candidate.extensions = [
                Extension(name: "generation", value: "0"), Extension(name: "network-cost", value: "999"),
            ]
        }
        return candidate
    }
}
