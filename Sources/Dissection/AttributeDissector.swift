import NetTypes
import STUN

/// The value of an attribute, in words.
struct AttributeDissector {
    private let message: Message

    init(_ message: Message) { self.message = message }

    /// Attributes of which each instance counts (RFC 8656 s11.3).
    static func mayRepeat(_ type: AttributeType) -> Bool { type == .xorPeerAddress }

    func describe(_ attribute: Message.Attribute, in node: inout Node) throws(DecodingError) {
        let type = attribute.type
        if let key = Self.endpoints[type] {
            let endpoint = try message.value(key, of: attribute)
            node.value = "\(endpoint)"
            if endpoint.address.realm != .global { node.note = endpoint.address.realm.rawValue }
        } else if let key = Self.texts[type] {
            try describeText(message.value(key, of: attribute), type, &node)
        } else if let (key, unit) = Self.numbers[type] {
            node.value = "\(try message.value(key, of: attribute))\(unit)"
        } else {
            try describeStructure(attribute, &node)
        }
    }

    private func describeText(_ bytes: [UInt8], _ type: AttributeType, _ node: inout Node) throws(DecodingError) {
        node.value = String(decoding: bytes, as: UTF8.self)
        if String(validating: bytes, as: UTF8.self) == nil {
            node.bytes = bytes
            node.note = "not valid UTF-8"
        }
        if type == .nonce, let features = Self.securityFeatures(node.value) { node.append(note: features) }
    }

    private func describeStructure(_ attribute: Message.Attribute, _ node: inout Node) throws(DecodingError) {
        let raw = Array(message.bytes[attribute.range])
        switch attribute.type {
        case .errorCode:
            describe(try message.value(.errorCode, of: attribute), &node)
        case .addressErrorCode:
            let value = try message.value(.addressErrorCode, of: attribute)
            describe(value.error, &node)
            node.append(note: "for \(value.family.name)")
        case .unknownAttributes:
            node.value = try message.value(.unknownAttributes, of: attribute).map(\.description).joined(separator: ", ")
        case .changeRequest:
            let change = try message.value(.changeRequest, of: attribute)
            node.value = Self.list([("address", change.changesAddress), ("port", change.changesPort)], none: "neither")
            node.note = "what the answer is to come from instead (RFC 5780 s7.2)"
        case .requestedTransport:
            let number = try message.value(.requestedTransport, of: attribute)
            node.value = number == 17 ? "UDP" : number == 6 ? "TCP" : "\(number)"
        case .requestedAddressFamily: node.value = try message.value(.requestedAddressFamily, of: attribute).name
        case .additionalAddressFamily: node.value = try message.value(.additionalAddressFamily, of: attribute).name
        case .channelNumber: node.value = Hex.number(try message.value(.channelNumber, of: attribute))
        case .responsePort: node.value = "\(try message.value(.responsePort, of: attribute))"
        case .evenPort:
            node.value = try message.value(.evenPort, of: attribute) ? "the next port, too" : "this port only"
        case .useCandidate: _ = try message.value(.useCandidate, of: attribute)
        case .dontFragment: _ = try message.value(.dontFragment, of: attribute)
        case .iceControlled: node.value = Self.hexadecimal(try message.value(.iceControlled, of: attribute))
        case .iceControlling: node.value = Self.hexadecimal(try message.value(.iceControlling, of: attribute))
        case .passwordAlgorithms: describe(try message.value(.passwordAlgorithms, of: attribute), &node)
        case .passwordAlgorithm: describe(try message.value(.passwordAlgorithm, of: attribute), &node)
        case .icmp:
            let icmp = try message.value(.icmp, of: attribute)
            node.value = "type \(icmp.type), code \(icmp.code), data \(icmp.data)"
        case .userhash: node.bytes = try message.value(.userhash, of: attribute)
        case .reservationToken: node.bytes = try message.value(.reservationToken, of: attribute)
        case .password: node.value = SDPAttribute.hidden(raw.count)
        case .padding: node.value = "\(raw.count) bytes"
        default: node.bytes = raw
        }
    }

    // MARK: Parts

    private func describe(_ error: ErrorCode, _ node: inout Node) {
        node.value = "\(error.code) \(String(decoding: error.reason, as: UTF8.self))"
        if String(validating: error.reason, as: UTF8.self) == nil { node.bytes = error.reason }
        node.note = ErrorCode.registeredName(error.code) ?? "a code without a name"
    }

    private func describe(_ algorithms: [PasswordAlgorithm], _ node: inout Node) {
        node.value = algorithms.map { $0.name ?? Hex.number($0.number) }.joined(separator: ", ")
    }

    private static func list(_ flags: [(String, Bool)], none: String) -> String {
        let set = flags.filter(\.1).map(\.0)
        return set.isEmpty ? none : set.joined(separator: " and ")
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The security features that a nonce announces: 24 bits in base64 after a fixed word (RFC 8489 s9.2, s18.1).
    private static func securityFeatures(_ nonce: String) -> String? {
        let word = "obMatJos2"
        guard nonce.hasPrefix(word), let bits = Base64.decode(String(nonce.dropFirst(word.count).prefix(4))),
            bits.count == 3
        else { return nil }
        let names = list(
            [("password algorithms", bits[0] & 0x80 != 0), ("user name hashing", bits[0] & 0x40 != 0)], none: "none")
        return "security features: \(names)"
    }

    // MARK: Tables

    private static let endpoints: [AttributeType: AttributeKey<Endpoint>] = [
        .mappedAddress: .mappedAddress, .responseAddress: .responseAddress, .sourceAddress: .sourceAddress,
        .changedAddress: .changedAddress, .reflectedFrom: .reflectedFrom, .alternateServer: .alternateServer,
        .responseOrigin: .responseOrigin, .otherAddress: .otherAddress, .xorMappedAddress: .xorMappedAddress,
        .xorPeerAddress: .xorPeerAddress, .xorRelayedAddress: .xorRelayedAddress,
    ]

    private static let texts: [AttributeType: AttributeKey<[UInt8]>] = [
        .software: .software, .realm: .realm, .nonce: .nonce, .username: .username, .alternateDomain: .alternateDomain,
        .thirdPartyAuthorization: .thirdPartyAuthorization,
    ]

    private static let numbers: [AttributeType: (AttributeKey<UInt32>, String)] = [
        .lifetime: (.lifetime, " s"), .priority: (.priority, ""), .cacheTimeout: (.cacheTimeout, " s"),
        .connectionID: (.connectionID, ""), .bandwidth: (.bandwidth, " kbit/s"),
    ]
}
