import NetTypes
import STUN

/// What an Allocate asks for, checked (RFC 8656 s7.2), and how far it has come.
struct AllocateRequest {
    /// A family that is asked for and has no socket yet.
    struct Wanted {
        let family: IPAddress.Family
        /// Whether the allocation fails without it: not so for what ADDITIONAL-ADDRESS-FAMILY adds.
        let isEssential: Bool
        /// The port that is being opened.
        var port: UInt16 = 0
    }

    static let udp: UInt8 = 17

    let message: Message
    let signer: RequestAuthenticator.Signer
    let requestedLifetime: UInt32?
    let needsEvenPort: Bool
    let reservesNext: Bool
    let token: [UInt8]?
    var addressErrors: [AddressErrorCode] = []
    /// Ports that could not be opened: they are not tried again.
    var failedPorts: Set<UInt16> = []
    /// By the path that is opening for it.
    var wanted: [PathID: Wanted] = [:]
    let families: [Wanted]
    /// The socket on the next port.
    var next: (path: PathID, address: Endpoint, isOpen: Bool)?

    /// Whether a socket is not open yet.
    var waits: Bool { !wanted.isEmpty || next.map { !$0.isOpen } ?? false }

    init(_ message: Message, _ signer: RequestAuthenticator.Signer) throws(TURNRefusal) {
        self.message = message
        self.signer = signer
        guard let transport = try message.checked(.requestedTransport) else { throw TURNRefusal(400) }
        guard transport == Self.udp else { throw TURNRefusal(442) }
        requestedLifetime = try message.checked(.lifetime)
        token = try message.checked(.reservationToken)
        let even = try message.checked(.evenPort)
        needsEvenPort = even != nil
        reservesNext = even ?? false
        let requested = try message.family(.requestedAddressFamily)
        let additional = try message.family(.additionalAddressFamily)
        // What a reservation has settled cannot be asked for, nor one family and two (RFC 8656 s7.2).
        if token != nil, even != nil || requested != nil || additional != nil { throw TURNRefusal(400) }
        if let additional, requested != nil || additional == .ipv4 || reservesNext { throw TURNRefusal(400) }
        let first = Wanted(family: requested ?? .ipv4, isEssential: true)
        families = additional.map { [first, Wanted(family: $0, isEssential: false)] } ?? [first]
    }
}

/// Why a request is refused: the error code of its answer.
struct TURNRefusal: Error, Hashable {
    let code: Int
    var unknown: [AttributeType] = []

    init(_ code: Int, unknown: [AttributeType] = []) {
        self.code = code
        self.unknown = unknown
    }
}

extension Message {
    /// The value of an attribute; one that breaks the rules of its type makes the request a bad one.
    func checked<Value>(_ key: AttributeKey<Value>) throws(TURNRefusal) -> Value? {
        do {
            return try value(key)
        } catch {
            throw TURNRefusal(400)
        }
    }

    /// A family; a number that stands for none is one that no server supports.
    func family(_ key: AttributeKey<IPAddress.Family>) throws(TURNRefusal) -> IPAddress.Family? {
        guard let attribute = first(key.type) else { return nil }
        guard attribute.length == 4 else { throw TURNRefusal(400) }
        do {
            return try value(key, of: attribute)
        } catch {
            throw TURNRefusal(440)
        }
    }

    /// Every XOR-PEER-ADDRESS that counts.
    func peers() throws(TURNRefusal) -> [Endpoint] {
        var peers: [Endpoint] = []
        for attribute in meaningful where attribute.type == .xorPeerAddress {
            do {
                peers.append(try value(.xorPeerAddress, of: attribute))
            } catch {
                throw TURNRefusal(400)
            }
        }
        return peers
    }
}
