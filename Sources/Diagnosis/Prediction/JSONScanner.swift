import NetTypes

/// Goes through JSON text without making values of it: what is not wanted is skipped, at the speed of its bytes.
///
/// It holds the text to its structure (brackets, commas, colons, the ends of strings), and trusts numbers and words.
struct JSONScanner {
    enum Fault: Error {
        /// The text is over: more of it might mend that.
        case ended
        /// It is no JSON, or not of the shape that was asked for.
        case malformed
    }

    private static let depthLimit = 64

    let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) {
        self.bytes = bytes
        self.position = position
    }

    // MARK: Structure

    /// The next byte that is no space, which is not taken.
    @inline(__always)
    mutating func peek() throws(Fault) -> UInt8 {
        while position < bytes.count {
            let byte = bytes[position]
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { throw .malformed }
            position += 1
        }
        throw .ended
    }

    @inline(__always)
    private mutating func take(_ wanted: UInt8) throws(Fault) {
        guard try peek() == wanted else { throw .malformed }
        position += 1
    }

    /// Calls for each member of an object, with its key; the call takes the value.
    mutating func forEachMember(_ body: (inout JSONScanner, Range<Int>) throws(Fault) -> Void) throws(Fault) {
        try take(UInt8(ascii: "{"))
        if try peek() == UInt8(ascii: "}") {
            position += 1
            return
        }
        while true {
            let key = try string()
            try take(UInt8(ascii: ":"))
            try body(&self, key)
            let byte = try peek()
            position += 1
            if byte == UInt8(ascii: "}") { return }
            guard byte == UInt8(ascii: ",") else { throw .malformed }
        }
    }

    /// Calls for each element of a list; the call takes it.
    mutating func forEachElement(_ body: (inout JSONScanner) throws(Fault) -> Void) throws(Fault) {
        try take(UInt8(ascii: "["))
        if try peek() == UInt8(ascii: "]") {
            position += 1
            return
        }
        while true {
            try body(&self)
            let byte = try peek()
            position += 1
            if byte == UInt8(ascii: "]") { return }
            guard byte == UInt8(ascii: ",") else { throw .malformed }
        }
    }

    // MARK: Values

    /// The bytes between the quotes, escapes as they stand.
    mutating func string() throws(Fault) -> Range<Int> {
        try take(UInt8(ascii: "\""))
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return start..<position - 1
            }
            guard byte >= 0x20 else { throw .malformed }
            position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        throw .ended
    }

    /// A string; nil, and passed over, where something else stands.
    mutating func stringIfAny() throws(Fault) -> Range<Int>? {
        if try peek() == UInt8(ascii: "\"") { return try string() }
        try skip()
        return nil
    }

    /// `true` or `false`; nil, and passed over, where something else stands.
    mutating func boolean() throws(Fault) -> Bool? {
        let start = try peek()
        try skip()
        return start == UInt8(ascii: "t") ? true : start == UInt8(ascii: "f") ? false : nil
    }

    /// A whole number from 0; nil, and passed over, where something else stands.
    mutating func number() throws(Fault) -> Int? {
        _ = try peek()
        let start = position
        try skip()
        var value = 0
        for byte in bytes[start..<position] {
            guard byte >= 0x30, byte <= 0x39, value < 1_000_000_000 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    /// Passes over one value.
    mutating func skip() throws(Fault) { try skip(0) }

    private mutating func skip(_ depth: Int) throws(Fault) {
        guard depth < Self.depthLimit else { throw .malformed }
        switch try peek() {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"):
            try forEachMember { scanner, _ throws(Fault) in try scanner.skip(depth + 1) }
        case UInt8(ascii: "["):
            try forEachElement { scanner throws(Fault) in try scanner.skip(depth + 1) }
        default: try skipWord()
        }
    }

    /// A number, `true`, `false` or `null`.
    private mutating func skipWord() throws(Fault) {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case 0x30...0x39, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "E"):
                position += 1
            default:
                guard position > start else { throw .malformed }
                return
            }
        }
        throw .ended
    }

    // MARK: Text

    @inline(__always)
    func isEqual(_ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count where bytes[range.lowerBound + offset] != word.utf8Start[offset] { return false }
        return true
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// An address in the text; nil where there is none.
    func address(_ range: Range<Int>) -> IPAddress? {
        if let quad = quad(range) { return IPAddress(v4: quad) }
        return IPAddress(text(range))
    }

    /// `192.0.2.1:3478` or `[2001:db8::1]:3478`; nil where there is neither.
    func endpoint(_ range: Range<Int>) -> Endpoint? {
        guard let colon = bytes[range].lastIndex(of: UInt8(ascii: ":")) else { return nil }
        if let quad = quad(range.lowerBound..<colon) {
            var port = 0
            for byte in bytes[colon + 1..<range.upperBound] {
                guard byte >= 0x30, byte <= 0x39, port < 65536 else { return nil }
                port = port * 10 + Int(byte - 0x30)
            }
            return UInt16(exactly: port).map { Endpoint(IPAddress(v4: quad), $0) }
        }
        return Endpoint(text(range))
    }

    private func quad(_ range: Range<Int>) -> UInt32? {
        var value: UInt32 = 0
        var octet: UInt32 = 0
        var (digits, octets) = (0, 1)
        for byte in bytes[range] {
            if byte == UInt8(ascii: ".") {
                guard digits > 0, octets < 4 else { return nil }
                value = value << 8 | octet
                (octet, digits, octets) = (0, 0, octets + 1)
            } else {
                guard byte >= 0x30, byte <= 0x39, digits < 3 else { return nil }
                octet = octet * 10 + UInt32(byte - 0x30)
                digits += 1
                guard octet < 256 else { return nil }
            }
        }
        return digits > 0 && octets == 4 ? value << 8 | octet : nil
    }
}
