/// An attribute type together with how its value is read and written.
package struct AttributeKey<Value: Sendable>: Sendable {
    package let type: AttributeType
    let decode: @Sendable (AttributeValue) throws(ValueError) -> Value
    let encode: @Sendable (Value, inout AttributeWriter) -> Void
}

/// What a value lacks: a sentence's end, such as "has 3 bytes; a lifetime has 4".
struct ValueError: Error {
    let problem: String
    init(_ problem: String) { self.problem = problem }
}

/// The bytes of a value, in their message.
struct AttributeValue {
    let bytes: [UInt8]
    let range: Range<Int>

    var count: Int { range.count }
    var slice: ArraySlice<UInt8> { bytes[range] }
    var mask: AddressMask { AddressMask(of: bytes) }

    func expect(_ count: Int, _ noun: String) throws(ValueError) {
        guard self.count == count else { throw ValueError("has \(self.count) bytes; \(noun) has \(count)") }
    }
}

/// Where values are written to: the end of a message that is being built.
struct AttributeWriter {
    var bytes: [UInt8]

    var mask: AddressMask { AddressMask(of: bytes) }
    mutating func append(_ value: UInt8) { bytes.append(value) }
    mutating func append(_ value: UInt16) {
        bytes.append(UInt8(value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }
    mutating func append(_ value: UInt32) {
        append(UInt16(value >> 16))
        append(UInt16(truncatingIfNeeded: value))
    }
    mutating func append(_ value: UInt64) {
        append(UInt32(value >> 32))
        append(UInt32(truncatingIfNeeded: value))
    }
    mutating func append(_ value: UInt128) {
        append(UInt64(truncatingIfNeeded: value >> 64))
        append(UInt64(truncatingIfNeeded: value))
    }
    mutating func append(_ values: some Sequence<UInt8>) { bytes.append(contentsOf: values) }
}

extension AttributeKey where Value == [UInt8] {
    private static func opaque(_ type: AttributeType, count: Int? = nil, _ noun: String = "it") -> Self {
        Self(type: type) { value throws(ValueError) in
            if let count { try value.expect(count, noun) }
            return Array(value.slice)
        } encode: { bytes, writer in
            writer.append(bytes)
        }
    }

    /// Text is kept as bytes: what came may be no UTF-8.
    package static var software: Self { opaque(.software) }
    package static var realm: Self { opaque(.realm) }
    package static var nonce: Self { opaque(.nonce) }
    package static var username: Self { opaque(.username) }
    package static var alternateDomain: Self { opaque(.alternateDomain) }
    package static var thirdPartyAuthorization: Self { opaque(.thirdPartyAuthorization) }
    package static var data: Self { opaque(.data) }
    package static var padding: Self { opaque(.padding) }
    package static var accessToken: Self { opaque(.accessToken) }
    package static var mobilityTicket: Self { opaque(.mobilityTicket) }
    package static var userhash: Self { opaque(.userhash, count: 32, "a userhash") }
    package static var reservationToken: Self { opaque(.reservationToken, count: 8, "a reservation token") }
}

extension AttributeKey where Value == UInt32 {
    private static func number(_ type: AttributeType) -> Self {
        Self(type: type) { value throws(ValueError) in
            try value.expect(4, "it")
            return value.bytes.uint32(at: value.range.lowerBound)
        } encode: { number, writer in
            writer.append(number)
        }
    }

    /// Seconds.
    package static var lifetime: Self { number(.lifetime) }
    package static var priority: Self { number(.priority) }
    package static var cacheTimeout: Self { number(.cacheTimeout) }
    package static var connectionID: Self { number(.connectionID) }
    package static var bandwidth: Self { number(.bandwidth) }
    package static var fingerprint: Self { number(.fingerprint) }
}

extension AttributeKey where Value == UInt64 {
    private static func tieBreaker(_ type: AttributeType) -> Self {
        Self(type: type) { value throws(ValueError) in
            try value.expect(8, "a tie-breaker")
            return value.bytes.uint64(at: value.range.lowerBound)
        } encode: { number, writer in
            writer.append(number)
        }
    }

    package static var iceControlled: Self { tieBreaker(.iceControlled) }
    package static var iceControlling: Self { tieBreaker(.iceControlling) }
}

extension AttributeKey where Value == UInt16 {
    /// Two bytes of value and two that are reserved (RFC 8656 s18.1).
    package static var channelNumber: Self {
        Self(type: .channelNumber) { value throws(ValueError) in
            try value.expect(4, "it")
            return value.bytes.uint16(at: value.range.lowerBound)
        } encode: { number, writer in
            writer.append(number)
            writer.append(UInt16(0))
        }
    }

    /// Two bytes and two of padding (RFC 5780 s7.5), which some count in the length and some do not.
    package static var responsePort: Self {
        Self(type: .responsePort) { value throws(ValueError) in
            guard value.count == 2 || value.count == 4 else {
                throw ValueError("has \(value.count) bytes; it has 2 or 4")
            }
            return value.bytes.uint16(at: value.range.lowerBound)
        } encode: { number, writer in
            writer.append(number)
            writer.append(UInt16(0))
        }
    }
}

extension AttributeKey where Value == UInt8 {
    private static func byte(_ type: AttributeType) -> Self {
        Self(type: type) { value throws(ValueError) in
            try value.expect(4, "it")
            return value.bytes[value.range.lowerBound]
        } encode: { number, writer in
            writer.append([number, 0, 0, 0])
        }
    }

    /// An IP protocol number: 17 is UDP, 6 is TCP.
    package static var requestedTransport: Self { byte(.requestedTransport) }
}

extension AttributeKey where Value == Bool {
    private static func flag(_ type: AttributeType) -> Self {
        Self(type: type) { value throws(ValueError) in
            try value.expect(0, "a flag")
            return true
        } encode: { _, _ in
        }
    }

    package static var useCandidate: Self { flag(.useCandidate) }
    package static var dontFragment: Self { flag(.dontFragment) }
    /// Whether the next higher port is to be reserved as well (the R bit of RFC 8656 s18.5).
    package static var evenPort: Self {
        Self(type: .evenPort) { value throws(ValueError) in
            try value.expect(1, "it")
            return value.bytes[value.range.lowerBound] & 0x80 != 0
        } encode: { reserves, writer in
            writer.append([reserves ? 0x80 : 0])
        }
    }
}
