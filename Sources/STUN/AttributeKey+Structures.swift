package import NetTypes

/// CHANGE-REQUEST: from where a server is asked to answer (RFC 5780 s7.2).
package struct ChangeRequest: Hashable, Sendable {
    package var changesAddress: Bool
    package var changesPort: Bool

    package init(address: Bool, port: Bool) {
        changesAddress = address
        changesPort = port
    }
}

extension AttributeKey where Value == ChangeRequest {
    package static var changeRequest: Self {
        Self(type: .changeRequest) { value throws(ValueError) in
            try value.expect(4, "it")
            let flags = value.bytes[value.range.upperBound - 1]
            return ChangeRequest(address: flags & 0x04 != 0, port: flags & 0x02 != 0)
        } encode: { change, writer in
            writer.append([0, 0, 0, (change.changesAddress ? 4 : 0) | (change.changesPort ? 2 : 0)])
        }
    }
}

extension AttributeKey where Value == ErrorCode {
    /// RFC 8489 s14.8: the class (3 to 6) and the number (0 to 99) in two bytes, then the reason phrase.
    package static var errorCode: Self {
        Self(type: .errorCode) { value throws(ValueError) in
            guard value.count >= 4 else { throw ValueError("has \(value.count) bytes; it has at least 4") }
            let start = value.range.lowerBound
            let (hundreds, number) = (Int(value.bytes[start + 2] & 0x07), Int(value.bytes[start + 3]))
            guard (3...6).contains(hundreds) else { throw ValueError("has class \(hundreds); it is 3 to 6") }
            guard number < 100 else { throw ValueError("has number \(number); it is 0 to 99") }
            return ErrorCode(code: hundreds * 100 + number, reason: Array(value.slice.dropFirst(4)))
        } encode: { error, writer in
            writer.append([0, 0, UInt8(truncatingIfNeeded: error.code / 100), UInt8(error.code % 100)])
            writer.append(error.reason)
        }
    }
}

extension AttributeKey where Value == [AttributeType] {
    package static var unknownAttributes: Self {
        Self(type: .unknownAttributes) { value throws(ValueError) in
            guard value.count % 2 == 0 else { throw ValueError("has \(value.count) bytes; each type takes 2") }
            return stride(from: value.range.lowerBound, to: value.range.upperBound, by: 2).map {
                AttributeType(rawValue: value.bytes.uint16(at: $0))
            }
        } encode: { types, writer in
            for type in types { writer.append(type.rawValue) }
        }
    }
}

/// ADDRESS-ERROR-CODE: the family of a dual allocation that failed, and why (RFC 8656 s18.12).
package struct AddressErrorCode: Hashable, Sendable {
    package var family: IPAddress.Family
    package var error: ErrorCode

    package init(family: IPAddress.Family, error: ErrorCode) {
        self.family = family
        self.error = error
    }
}

extension AttributeKey where Value == AddressErrorCode {
    package static var addressErrorCode: Self {
        Self(type: .addressErrorCode) { value throws(ValueError) in
            let error = try AttributeKey<ErrorCode>.errorCode.decode(value)
            let family = try IPAddress.Family(number: value.bytes[value.range.lowerBound])
            return AddressErrorCode(family: family, error: error)
        } encode: { value, writer in
            let start = writer.bytes.count
            AttributeKey<ErrorCode>.errorCode.encode(value.error, &writer)
            writer.bytes[start] = value.family.number
        }
    }
}

/// ICMP: an ICMP message that reached a relay (RFC 8656 s18.13).
package struct RelayedICMP: Hashable, Sendable {
    /// 7 bits on the wire: error messages of ICMP and ICMPv6 have types below 128.
    package var type: UInt8
    /// 9 bits on the wire.
    package var code: UInt16
    package var data: UInt32

    package init(type: UInt8, code: UInt16, data: UInt32) {
        self.type = type
        self.code = code
        self.data = data
    }
}

extension AttributeKey where Value == RelayedICMP {
    package static var icmp: Self {
        Self(type: .icmp) { value throws(ValueError) in
            try value.expect(8, "it")
            let start = value.range.lowerBound
            let kind = value.bytes.uint16(at: start + 2)
            return RelayedICMP(
                type: UInt8(kind >> 9), code: kind & 0x1FF, data: value.bytes.uint32(at: start + 4))
        } encode: { icmp, writer in
            writer.append(UInt16(0))
            writer.append(UInt16(icmp.type) << 9 | icmp.code & 0x1FF)
            writer.append(icmp.data)
        }
    }
}

/// An entry of PASSWORD-ALGORITHMS (RFC 8489 s14.11, s18.5).
package struct PasswordAlgorithm: Hashable, Sendable {
    package var number: UInt16
    package var parameters: [UInt8]

    package init(number: UInt16, parameters: [UInt8] = []) {
        self.number = number
        self.parameters = parameters
    }

    package static let md5 = PasswordAlgorithm(number: 1)
    package static let sha256 = PasswordAlgorithm(number: 2)

    package var name: String? {
        switch number {
        case 1: "MD5"
        case 2: "SHA-256"
        default: nil
        }
    }
}

extension AttributeKey where Value == [PasswordAlgorithm] {
    package static var passwordAlgorithms: Self { list(.passwordAlgorithms, counts: 0...Int.max) }
    /// A list of one: the algorithm that a client chose (RFC 8489 s14.12).
    package static var passwordAlgorithm: Self { list(.passwordAlgorithm, counts: 1...1) }

    private static func list(_ type: AttributeType, counts: ClosedRange<Int>) -> Self {
        Self(type: type) { value throws(ValueError) in
            var algorithms: [PasswordAlgorithm] = []
            var offset = value.range.lowerBound
            let end = value.range.upperBound
            while offset < end {
                guard end - offset >= 4 else {
                    throw ValueError("has \(end - offset) bytes left; an entry has at least 4")
                }
                let length = Int(value.bytes.uint16(at: offset + 2))
                guard length <= end - offset - 4 else {
                    throw ValueError("has an entry of \(length) bytes of parameters, and \(end - offset - 4) are left")
                }
                algorithms.append(
                    PasswordAlgorithm(
                        number: value.bytes.uint16(at: offset),
                        parameters: Array(value.bytes[offset + 4..<offset + 4 + length])))
                offset += 4 + length.paddedToFour
            }
            guard counts.contains(algorithms.count) else {
                throw ValueError("has \(algorithms.count) entries; it has 1")
            }
            return algorithms
        } encode: { algorithms, writer in
            for algorithm in algorithms {
                writer.append(algorithm.number)
                writer.append(UInt16(truncatingIfNeeded: algorithm.parameters.count))
                writer.append(algorithm.parameters)
                writer.append(
                    repeatElement(0, count: algorithm.parameters.count.paddedToFour - algorithm.parameters.count))
            }
        }
    }
}
