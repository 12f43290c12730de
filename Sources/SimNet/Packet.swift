import NetTypes

/// What travels on the simulated network.
struct Packet {
    enum Content {
        case datagram
        case segment(Segment)
        /// An ICMP error. The packet's source is who reports (port 0), its destination the source of the packet that
        /// it is about, and its bytes are that packet's.
        case icmp(PathError.Kind, isAboutStream: Bool, quotedDestination: Endpoint)
    }

    /// A TCP segment, as far as the simulation needs one.
    struct Segment {
        enum Kind { case synchronize, synchronizeAcknowledge, acknowledge, data, finish, reset }
        var kind: Kind
        /// The place in the order of its sender's segments, from 0 for the one of the handshake.
        var sequence: UInt32

        var isOfHandshake: Bool { kind == .synchronize || kind == .synchronizeAcknowledge }
    }

    var content: Content
    var source: Endpoint
    var destination: Endpoint
    var bytes: [UInt8]
    var timeToLive: UInt8 = 64
    /// In nanoseconds.
    var sentAt: Int64

    /// Whether it is of TCP, or about it.
    var isStream: Bool {
        switch content {
        case .datagram: false
        case .segment: true
        case .icmp(_, let isAboutStream, _): isAboutStream
        }
    }

    /// What a router or host answers to a packet that it refuses; nil where nothing may be answered, since an error
    /// is never answered by an error (RFC 1122 s3.2.2).
    ///
    /// - Parameter reporter: nil where who reports has no address of the family: then it is the destination.
    func refusal(_ kind: PathError.Kind, from reporter: IPAddress?, at now: Int64) -> Packet? {
        switch content {
        case .icmp: return nil
        case .segment(let segment):
            if segment.kind == .reset { return nil }
            if kind == .connectionRefused { return reset(at: now) }
        case .datagram: break
        }
        let told: PathError.Kind = kind == .connectionRefused ? .portUnreachable : kind
        return Packet(
            content: .icmp(told, isAboutStream: isStream, quotedDestination: destination),
            source: Endpoint(reporter ?? destination.address, 0), destination: source, bytes: bytes, sentAt: now)
    }

    func reset(at now: Int64) -> Packet {
        Packet(
            content: .segment(Segment(kind: .reset, sequence: 0)), source: destination, destination: source, bytes: [],
            sentAt: now)
    }
}
