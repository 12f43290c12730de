import Engines
import NetTypes

/// The numbers that stand for words in icecheck's own line: an order here is never changed, only added to.
enum DescriptionCode {
    static let setups: [SetupRole] = [.active, .passive, .actpass, .holdconn]
    static let algorithms = ["sha-256", "sha-384", "sha-512", "sha-224", "sha-1"]
    static let families: [IPAddress.Family] = [.ipv4, .ipv6]
    static let kinds: [Candidate.Kind] = [.host, .serverReflexive, .peerReflexive, .relayed]
    /// Nil is UDP.
    static let tcpTypes: [Candidate.TCPType?] = [nil, .active, .passive, .simultaneousOpen]
    private static let dependences: [NATDependence] = [
        .none, .endpointIndependent, .addressDependent, .addressAndPortDependent,
    ]
    static let iceCharacters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    static let mostFingerprints = 8
    /// In place of a foundation below it: a text follows.
    static let textFoundation: UInt8 = 0x7F

    // MARK: What is not known is 0

    static func code(_ value: NATDependence?) -> UInt64 {
        value.flatMap { dependences.firstIndex(of: $0) }.map { UInt64($0 + 1) } ?? 0
    }

    static func code(_ value: Bool?) -> UInt64 { value.map { $0 ? 2 : 1 } ?? 0 }

    /// A code of later versions is not known here.
    static func dependence(_ code: UInt64) -> NATDependence? {
        (1...UInt64(dependences.count)).contains(code) ? dependences[Int(code) - 1] : nil
    }

    static func truth(_ code: UInt64) -> Bool? { code == 0 || code > 2 ? nil : code == 2 }

    // MARK: Candidates

    /// An address: 0 IPv4, 1 IPv6, 2 a name.
    static func form(_ address: Candidate.Address) -> UInt8 {
        switch address {
        case .address(let address): address.family == .ipv4 ? 0 : 1
        case .name: 2
        }
    }

    static let noForm: UInt8 = 3

    /// Those of the highest priority, in the order that they had.
    static func kept(_ candidates: [Candidate], _ most: Int) -> [Candidate] {
        guard candidates.count > most else { return candidates }
        let ranked = candidates.indices.sorted {
            (candidates[$0].priority, $1) > (candidates[$1].priority, $0)
        }
        return ranked.prefix(most).sorted().map { candidates[$0] }
    }

    /// Whether component 1 and the recommended type preference make its priority, but for the local preference.
    static func isUsual(_ candidate: Candidate) -> Bool {
        candidate.component == 1
            && candidate.priority == priority(candidate.kind, candidate.transport, candidate.priority >> 8 & 0xFFFF)
    }

    static func priority(_ kind: Candidate.Kind, _ transport: Candidate.Transport, _ preference: UInt32) -> UInt32 {
        CandidatePriority.priority(
            typePreference: CandidatePriority.typePreference(kind, transport),
            localPreference: UInt16(truncatingIfNeeded: preference), component: 1)
    }

    /// `raddr` and `rport`: mostly the address and port of an earlier candidate.
    enum Related {
        case none
        case earlier(Int)
        case endpoint(Candidate.Address, UInt16)
        /// One without the other.
        case part(Candidate.Address?, UInt16?)

        init(_ candidate: Candidate, _ before: ArraySlice<Candidate>) {
            switch (candidate.relatedAddress, candidate.relatedPort) {
            case (nil, nil): self = .none
            case (let address?, let port?):
                let place = before.firstIndex { $0.address == address && $0.port == port }
                self = place.map { .earlier($0) } ?? .endpoint(address, port)
            case (let address, let port): self = .part(address, port)
            }
        }

        var form: UInt8 {
            switch self {
            case .none: 0
            case .earlier: 1
            case .endpoint: 2
            case .part: 3
            }
        }
    }
}
