package import NetTypes
package import STUN

/// What an arriving message says to a Binding request: the one place that decides what is believed.
package enum BindingReply: Hashable, Sendable {
    /// Not ours, or not to be believed: go on waiting.
    case ignored(IgnoreReason, detail: String?)
    case success(Mapping)
    case error(code: Int, reason: [UInt8])
    /// An error response whose ERROR-CODE is missing or makes no sense.
    case brokenError(String)
    /// RFC 8489 s6.3.3: attributes that a client must not ignore and that this one does not know.
    case unknownAttributes([AttributeType])
    /// No address, or one that no host can have.
    case unusable(String)

    package enum IgnoreReason: Hashable, Sendable {
        case wrongTransactionID
        case malformed
        case badFingerprint
        case notAResponse
        case echo
        /// The right transaction ID, from another address than the one that was asked.
        case wrongSource
    }

    /// What a success response tells.
    package struct Mapping: Hashable, Sendable {
        package var mappedAddress: Endpoint
        /// MAPPED-ADDRESS beside XOR-MAPPED-ADDRESS, which says the same where nothing rewrites addresses.
        package var plainAddress: Endpoint?
        /// Whether there was no XOR-MAPPED-ADDRESS.
        package var isLegacy: Bool
        package var software: [UInt8]?
        package var otherAddress: Endpoint?
        package var responseOrigin: Endpoint?
        package var remarks: [String]

        /// MAPPED-ADDRESS where it is another than XOR-MAPPED-ADDRESS.
        package var rewrittenAddress: Endpoint? { plainAddress == mappedAddress ? nil : plainAddress }
    }

    /// Reads what arrived for the transaction `id`.
    package init(_ bytes: [UInt8], to id: TransactionID) {
        let message: Message
        do {
            message = try Message(decoding: bytes)
        } catch {
            self = .ignored(.malformed, detail: error.description)
            return
        }
        self = Self.judge(message, id)
    }

    private static func judge(_ message: Message, _ id: TransactionID) -> BindingReply {
        guard !message.isLegacy else { return .ignored(.malformed, detail: "the magic cookie 0x2112a442 is missing") }
        guard message.transactionID == id else { return .ignored(.wrongTransactionID, detail: nil) }
        guard message.method == .binding else { return .ignored(.notAResponse, detail: "another method") }
        switch message.messageClass {
        case .request: return .ignored(.echo, detail: nil)
        case .indication: return .ignored(.notAResponse, detail: "an indication")
        case .successResponse, .errorResponse: break
        }
        guard message.verifyFingerprint() != .invalid else { return .ignored(.badFingerprint, detail: nil) }
        return message.messageClass == .successResponse ? success(message) : error(message)
    }

    private static func error(_ message: Message) -> BindingReply {
        do {
            guard let error = try message.value(.errorCode) else { return .brokenError("it has no ERROR-CODE") }
            return .error(code: error.code, reason: error.reason)
        } catch {
            return .brokenError(error.description)
        }
    }

    private static func success(_ message: Message) -> BindingReply {
        let unknown = message.unknownComprehensionRequired
        guard unknown.isEmpty else { return .unknownAttributes(unknown) }
        let xorMapped: Endpoint?
        let mapped: Endpoint?
        do {
            xorMapped = try message.value(.xorMappedAddress)
            mapped = try? message.value(.mappedAddress)
            if xorMapped == nil, mapped == nil {
                guard try message.value(.mappedAddress) != nil else {
                    return .unusable("the response has no XOR-MAPPED-ADDRESS")
                }
            }
        } catch {
            return .unusable(error.description)
        }
        guard let address = xorMapped ?? mapped else {
            return .unusable("the response has no XOR-MAPPED-ADDRESS")
        }
        if let objection = objection(to: address) { return .unusable(objection) }
        return .success(
            Mapping(
                mappedAddress: address, plainAddress: xorMapped == nil ? nil : mapped,
                isLegacy: xorMapped == nil, software: message.rawValue(.software),
                otherAddress: (try? message.value(.otherAddress)) ?? (try? message.value(.changedAddress)),
                responseOrigin: (try? message.value(.responseOrigin)) ?? (try? message.value(.sourceAddress)),
                remarks: remarks(message)))
    }

    /// Why no host can be reached at `endpoint`, or nil.
    private static func objection(to endpoint: Endpoint) -> String? {
        let address = endpoint.address
        guard address.isUnicast else { return "the mapped address \(endpoint) is \(address.realm.rawValue)" }
        return endpoint.port == 0 ? "the mapped address \(endpoint) has port 0" : nil
    }

    private static func remarks(_ message: Message) -> [String] {
        var remarks: [String] = []
        for type in message.duplicates {
            remarks.append("\(type) came more than once; the first counts (RFC 8489 s14)")
        }
        return remarks
    }
}
