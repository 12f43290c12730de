import NetTypes
import STUN

/// What a server says to one Binding request (RFC 8489 s6.3, RFC 5780 s6.1): a pure function of its bytes and of where
/// it came from and to.
struct BindingResponder {
    /// Where a message came from and to.
    struct Arrival {
        let source: Endpoint
        let local: Endpoint
        /// The other address with the other port, where the server can answer from there.
        let other: Endpoint?
        let isConnection: Bool
    }

    struct Answer {
        var bytes: [UInt8]
        var changesAddress = false
        var changesPort = false
        /// The port to answer to, where it is not the source's own.
        var port: UInt16?
    }

    enum Outcome {
        case answer(Answer)
        /// Well-formed, and not for this server to answer.
        case ignored
        /// Not to be answered, with the reason.
        case malformed(String)
    }

    /// The most that an answer is longer than its request: a forged source must gain nothing by it.
    static let amplification = 3
    /// RFC 5780 s6.1: the length of PADDING is the MTU of the interface, so that the answer is fragmented.
    private static let paddingLength = 1500
    /// Below it are the ports of the system's own services, which have no use for an answer (RFC 6335 s6).
    private static let firstUserPort: UInt16 = 1024

    let software: [UInt8]?

    init(software: String?) {
        // RFC 8489 s14.14: fewer than 128 characters, which are at most 763 bytes.
        self.software = software.map { Array(String($0.prefix(127)).utf8) }
    }

    func respond(to bytes: [UInt8], _ arrival: Arrival) -> Outcome {
        let request: Message
        do {
            request = try Message(decoding: bytes)
        } catch {
            return refuseUndecodable(bytes, reason: error.description)
        }
        guard request.messageClass == .request, request.method == .binding else { return .ignored }
        guard request.verifyFingerprint() != .invalid else { return .malformed("its FINGERPRINT is wrong") }
        let unknown = request.unknownComprehensionRequired + unsupported(in: request, arrival)
        guard unknown.isEmpty else { return refuse(request, 420, bytes.count, unknown: unknown) }
        let wishes: Wishes
        do {
            wishes = try Wishes(request)
        } catch {
            return refuse(request, 400, bytes.count)
        }
        if let port = wishes.port, wishes.isPadded || port != arrival.source.port && port < Self.firstUserPort {
            return refuse(request, 400, bytes.count)
        }
        return .answer(success(request, wishes, arrival, requestSize: bytes.count))
    }
}

// MARK: - What is asked

extension BindingResponder {
    /// What the attributes of RFC 5780 s7 ask for.
    private struct Wishes {
        let change: ChangeRequest
        let port: UInt16?
        let isPadded: Bool

        init(_ request: Message) throws(DecodingError) {
            change = try request.value(.changeRequest) ?? ChangeRequest(address: false, port: false)
            port = try request.value(.responsePort)
            isPadded = request.first(.padding) != nil
        }
    }

    /// Attributes that have a name, and that this server does not serve: RESPONSE-ADDRESS would make it a reflector;
    /// CHANGE-REQUEST needs the other sockets (RFC 5780 s6.1); a connection has one way back.
    private func unsupported(in request: Message, _ arrival: Arrival) -> [AttributeType] {
        var types: [AttributeType] = [.responseAddress]
        if arrival.isConnection { types.append(.responsePort) }
        if arrival.isConnection || arrival.other == nil { types.append(.changeRequest) }
        return types.filter { request.first($0) != nil }
    }

    /// Bytes that are a Binding request as far as the header goes get an error; others could be anything.
    private func refuseUndecodable(_ bytes: [UInt8], reason: String) -> Outcome {
        let header = bytes.prefix(Message.headerSize)
        guard let request = try? Message(decoding: header.withoutBody), !request.isLegacy,
            request.messageClass == .request, request.method == .binding,
            bytes.count == Message.headerSize + Int(bytes[2]) << 8 + Int(bytes[3])
        else { return .malformed(reason) }
        return refuse(request, 400, bytes.count)
    }
}

extension ArraySlice<UInt8> {
    /// A header that says that nothing follows it.
    fileprivate var withoutBody: [UInt8] {
        count < 4 ? Array(self) : prefix(2) + [0, 0] + dropFirst(4)
    }
}

// MARK: - What is answered

extension BindingResponder {
    /// An answer that grows to what three times its request allows, and a FINGERPRINT where the request had one.
    private struct Answering {
        private var builder: MessageBuilder
        private let request: Message
        private let limit: Int

        init(_ request: Message, _ messageClass: MessageClass, requestSize: Int) {
            self.request = request
            // What stands in the place of the cookie comes back, be it the cookie or a part of RFC 3489's longer id.
            let prefix = request.bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
            builder = MessageBuilder(messageClass, .binding, legacyPrefix: prefix, request.transactionID)
            limit = requestSize * BindingResponder.amplification - (request.first(.fingerprint) == nil ? 0 : 8)
        }

        /// Bytes that a further attribute's value may have.
        var room: Int { limit - builder.bytes.count - 4 }

        /// Adds an attribute whose value has `size` bytes, or leaves it out where it would make the answer too long.
        mutating func append<Value>(_ key: AttributeKey<Value>, _ value: Value, size: Int) {
            if size.paddedToFour <= room { builder.append(key, value) }
        }

        mutating func append(_ key: AttributeKey<Endpoint>, _ endpoint: Endpoint?) {
            // An address that the system does not tell (a wildcard socket's own) is none to give away.
            guard let endpoint, endpoint.address.realm != .unspecified else { return }
            append(key, endpoint, size: 4 + endpoint.family.byteCount)
        }

        var bytes: [UInt8] {
            var finished = builder
            if request.first(.fingerprint) != nil { finished.appendFingerprint() }
            return finished.bytes
        }
    }

    private func refuse(
        _ request: Message, _ code: Int, _ requestSize: Int, unknown: [AttributeType] = []
    ) -> Outcome {
        var answering = Answering(request, .errorResponse, requestSize: requestSize)
        let error = ErrorCode(code)
        answering.append(.errorCode, error, size: 4 + error.reason.count)
        if !unknown.isEmpty { answering.append(.unknownAttributes, unknown, size: 2 * unknown.count) }
        return .answer(Answer(bytes: answering.bytes))
    }

    /// The attributes stand in the order of their use: what does not fit is left out, and something smaller may follow.
    private func success(_ request: Message, _ wishes: Wishes, _ arrival: Arrival, requestSize: Int) -> Answer {
        let origin = arrival.origin(wishes.change)
        var answering = Answering(request, .successResponse, requestSize: requestSize)
        if request.isLegacy {
            answering.append(.mappedAddress, arrival.source)
            answering.append(.sourceAddress, origin)
            answering.append(.changedAddress, arrival.other)
        } else {
            answering.append(.xorMappedAddress, arrival.source)
            answering.append(.otherAddress, arrival.other)
            answering.append(.responseOrigin, origin)
            answering.append(.mappedAddress, arrival.source)
            if wishes.isPadded {
                let size = min(Self.paddingLength, answering.room / 4 * 4)
                answering.append(.padding, [UInt8](repeating: 0, count: max(0, size)), size: size)
            }
            if let software { answering.append(.software, software, size: software.count) }
        }
        return Answer(
            bytes: answering.bytes, changesAddress: wishes.change.changesAddress,
            changesPort: wishes.change.changesPort, port: wishes.port)
    }
}

extension BindingResponder.Arrival {
    /// Where the answer will come from (RFC 5780 s6.1, table 1).
    fileprivate func origin(_ change: ChangeRequest) -> Endpoint {
        guard let other else { return local }
        return Endpoint(
            change.changesAddress ? other.address : local.address, change.changesPort ? other.port : local.port)
    }
}
