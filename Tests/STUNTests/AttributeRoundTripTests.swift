import NetTypes
import STUN
import Testing

struct AttributeRoundTripTests {
    /// What is written for a value is read as that value, in a message that decodes.
    private func roundTrip<Value: Equatable & Sendable>(
        _ key: AttributeKey<Value>, _ values: Value..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for value in values {
            var builder = MessageBuilder(.successResponse, .allocate, TransactionID(high: 0x0102_0304, low: .max - 7))
            builder.append(key, value)
            let message = try Message(decoding: builder.bytes)
            #expect(message.attributes.map(\.type) == [key.type], sourceLocation: sourceLocation)
            #expect(try message.value(key) == value, sourceLocation: sourceLocation)
        }
    }

    @Test(
        "addresses of both families come back, masked and not",
        arguments: [
            AttributeKey.mappedAddress, .responseAddress, .sourceAddress, .changedAddress, .reflectedFrom,
            .alternateServer, .responseOrigin, .otherAddress, .xorMappedAddress, .xorPeerAddress, .xorRelayedAddress,
        ])
    func addresses(_ key: AttributeKey<Endpoint>) throws {
        try roundTrip(
            key, Endpoint(IPAddress(192, 0, 2, 1), 32853), Endpoint(IPAddress(255, 255, 255, 255), 65535),
            Endpoint(IPAddress(v6: 0x2001_0db8 << 96 | 1), 0), Endpoint(IPAddress(v6: .max), 1))
    }

    @Test(
        "bytes come back with any padding",
        arguments: [
            AttributeKey.software, .realm, .nonce, .username, .alternateDomain, .thirdPartyAuthorization, .data,
            .padding, .accessToken, .mobilityTicket,
        ])
    func bytes(_ key: AttributeKey<[UInt8]>) throws {
        try roundTrip(key, [], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [UInt8](repeating: 0xFF, count: 65_000))
    }

    @Test("numbers, flags and fixed bytes come back")
    func numbers() throws {
        for key in [
            AttributeKey.lifetime, .priority, .cacheTimeout, .connectionID, .bandwidth, .fingerprint,
        ] {
            try roundTrip(key, 0, 1, .max)
        }
        try roundTrip(.iceControlled, 0, .max)
        try roundTrip(.iceControlling, 1 << 63, 7)
        try roundTrip(.channelNumber, 0x4000, 0x4FFF)
        try roundTrip(.responsePort, 0, 65535)
        try roundTrip(.requestedTransport, 17, 6)
        try roundTrip(.useCandidate, true)
        try roundTrip(.dontFragment, true)
        try roundTrip(.evenPort, true, false)
        try roundTrip(.requestedAddressFamily, .ipv4, .ipv6)
        try roundTrip(.additionalAddressFamily, .ipv6)
        try roundTrip(.userhash, Array(0..<32))
        try roundTrip(.reservationToken, Array(0..<8))
    }

    @Test("structures come back")
    func structures() throws {
        for address in [false, true] {
            try roundTrip(
                .changeRequest, ChangeRequest(address: address, port: true),
                ChangeRequest(address: address, port: false))
        }
        try roundTrip(
            .errorCode, ErrorCode(300), ErrorCode(code: 699, reason: []), ErrorCode(code: 401, reason: [0xFF, 0x1B, 0]))
        try roundTrip(.unknownAttributes, [], [.padding], [.padding, .dontFragment, AttributeType(rawValue: 0xFFFF)])
        try roundTrip(.addressErrorCode, AddressErrorCode(family: .ipv6, error: ErrorCode(440)))
        try roundTrip(
            .icmp, RelayedICMP(type: 3, code: 13, data: 0), RelayedICMP(type: 127, code: 511, data: .max))
        try roundTrip(.passwordAlgorithm, [.sha256], [PasswordAlgorithm(number: 9, parameters: [1, 2, 3])])
        try roundTrip(
            .passwordAlgorithms, [], [.sha256, .md5],
            [
                PasswordAlgorithm(number: 9, parameters: [1]), .md5,
                PasswordAlgorithm(number: 3, parameters: [1, 2, 3, 4]),
            ])
    }

    @Test("ICMP has 16 reserved bits, 7 of type, 9 of code and 32 of data")
    func icmpLayout() throws {
        var builder = MessageBuilder(.indication, .data, TransactionID(high: 0, low: 0))
        builder.append(.icmp, RelayedICMP(type: 3, code: 4, data: 1280))
        #expect(Array(builder.bytes.suffix(12)) == [0x80, 0x04, 0, 8, 0, 0, 0x06, 0x04, 0, 0, 5, 0])
    }

    @Test("RESPONSE-PORT is read with and without its padding in the length", arguments: [2, 4])
    func responsePort(_ count: Int) throws {
        var builder = MessageBuilder(.request, .binding, TransactionID(high: 0, low: 0))
        builder.appendRaw(.responsePort, [0x0D, 0x96, 0, 0].prefix(count))
        #expect(try Message(decoding: builder.bytes).value(.responsePort) == 3478)
    }

    @Test("a legacy address is masked with what stands where the cookie would")
    func legacy() throws {
        var builder = MessageBuilder(
            .successResponse, .binding, legacyPrefix: 0xDEAD_BEEF, TransactionID(high: 1, low: 2))
        let endpoint = Endpoint(IPAddress(192, 0, 2, 7), 4242)
        builder.append(.mappedAddress, endpoint)
        builder.append(.sourceAddress, Endpoint(IPAddress(192, 0, 2, 1), 3478))
        builder.append(.changedAddress, Endpoint(IPAddress(192, 0, 2, 2), 3479))
        builder.append(.xorMappedAddress, endpoint)
        let message = try Message(decoding: builder.bytes)
        #expect(message.isLegacy)
        #expect(message.transactionID == TransactionID(high: 1, low: 2))
        #expect(try message.value(.mappedAddress) == endpoint)
        #expect(try message.value(.sourceAddress) == Endpoint("192.0.2.1:3478"))
        #expect(try message.value(.changedAddress) == Endpoint("192.0.2.2:3479"))
        #expect(try message.value(.xorMappedAddress) == endpoint)
        #expect(message.unknownComprehensionRequired.isEmpty)
    }
}
