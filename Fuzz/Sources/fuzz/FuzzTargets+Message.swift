import NetTypes
import STUN

extension FuzzTargets {
    /// A datagram: everything that can be asked of it, and what was read is written back to the same bytes.
    static func message(_ bytes: [UInt8]) {
        _ = ForeignProtocol.identify(bytes)
        if let data = try? ChannelData(decoding: bytes) {
            precondition(bytes.starts(with: data.encoded(padded: false)), "ChannelData is written as it was read")
        }
        do throws(DecodingError) {
            let message = try Message(decoding: bytes)
            readEverything(message)
            checkVerification(message)
            checkRewriting(message)
        } catch {
            precondition(error.offset <= bytes.count && !error.description.isEmpty, "an error is within its message")
        }
    }
}

private let key = Array("VOkJxbRl1RmTxUk/WvJxBt".utf8)

private func checkVerification(_ message: Message) {
    let hasIntegrity = message.first(.messageIntegrity) != nil
    precondition((message.verifyIntegrity(key: key) == .absent) == !hasIntegrity)
    let hasSHA256 = message.first(.messageIntegritySHA256) != nil
    precondition((message.verifyIntegritySHA256(key: key) == .absent) == !hasSHA256)
    _ = message.verifyFingerprint()
}

/// The attributes as they came, padding made zero, make the message again.
private func checkRewriting(_ message: Message) {
    precondition(message.meaningful.count + message.unauthenticated.count == message.attributes.count)
    _ = (message.duplicates, message.unknownComprehensionRequired)
    guard message.omittedAttributeCount == 0 else { return }
    let prefix = message.bytes[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    var builder = MessageBuilder(message.messageClass, message.method, legacyPrefix: prefix, message.transactionID)
    var expected = message.bytes
    for attribute in message.attributes {
        builder.appendRaw(attribute.type, message.bytes[attribute.range])
        for index in attribute.range.upperBound..<attribute.valueOffset + attribute.length.paddedToFour {
            expected[index] = 0
        }
    }
    precondition(builder.bytes == expected, "a message is written as it was read")
}

private func readEverything(_ message: Message) {
    for attribute in message.attributes {
        _ = attribute.type.description
        for key in [
            AttributeKey.mappedAddress, .responseAddress, .sourceAddress, .changedAddress, .reflectedFrom,
            .alternateServer, .responseOrigin, .otherAddress, .xorMappedAddress, .xorPeerAddress, .xorRelayedAddress,
        ] { read(key, attribute, message) }
        for key in [
            AttributeKey.software, .realm, .nonce, .username, .alternateDomain, .thirdPartyAuthorization, .data,
            .padding, .accessToken, .mobilityTicket, .userhash, .reservationToken,
        ] { read(key, attribute, message) }
        for key in [AttributeKey.lifetime, .priority, .cacheTimeout, .connectionID, .bandwidth, .fingerprint] {
            read(key, attribute, message)
        }
        for key in [AttributeKey<UInt64>.iceControlled, .iceControlling] { read(key, attribute, message) }
        for key in [AttributeKey<UInt16>.channelNumber, .responsePort] { read(key, attribute, message) }
        for key in [AttributeKey<Bool>.useCandidate, .dontFragment, .evenPort] { read(key, attribute, message) }
        for key in [AttributeKey<IPAddress.Family>.requestedAddressFamily, .additionalAddressFamily] {
            read(key, attribute, message)
        }
        for key in [AttributeKey<[PasswordAlgorithm]>.passwordAlgorithms, .passwordAlgorithm] {
            read(key, attribute, message)
        }
        read(AttributeKey<UInt8>.requestedTransport, attribute, message)
        read(AttributeKey<ChangeRequest>.changeRequest, attribute, message)
        read(AttributeKey<ErrorCode>.errorCode, attribute, message)
        read(AttributeKey<[AttributeType]>.unknownAttributes, attribute, message)
        read(AttributeKey<AddressErrorCode>.addressErrorCode, attribute, message)
        read(AttributeKey<RelayedICMP>.icmp, attribute, message)
    }
    readCredentials(message)
}

/// Reads a value as one of its type's, and one in a few as another's; what was read must come back from what is
/// written for it.
private func read<Value: Equatable>(_ key: AttributeKey<Value>, _ attribute: Message.Attribute, _ message: Message) {
    guard key.type == attribute.type || attribute.type.rawValue & 0x0F00 == 0x0F00 else { return }
    guard let value = try? message.value(key, of: attribute) else { return }
    var builder = MessageBuilder(message.messageClass, message.method, message.transactionID)
    builder.append(key, value)
    let again = try? Message(decoding: builder.bytes).value(key)
    precondition(again == value, "\(key.type) is read as it was written")
}

private func readCredentials(_ message: Message) {
    guard let bytes = try? message.value(.realm), let realm = try? Realm(bytes) else { return }
    let text = String(decoding: (try? message.value(.username)) ?? [], as: UTF8.self)
    if let username = try? Username(text) {
        precondition((try? Username(username.text)) != nil, "what is prepared can be prepared")
        _ = Userhash(username, realm)
        _ = try? LongTermKey(username: username, realm: realm, password: text, algorithm: .sha256)
    }
    if let nonce = (try? message.value(.nonce)).flatMap({ try? Nonce($0) }), let cookie = nonce.cookie {
        precondition(nonce.bytes.starts(with: cookie.bytes), "a nonce's features are written as they were read")
    }
}
