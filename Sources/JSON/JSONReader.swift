/// Goes through JSON text (RFC 8259) value by value. What is not wanted is skipped at the speed of its bytes, and is
/// held to the grammar all the same.
///
/// Every access is checked: no text leads out of its bytes. An error at the end of the text is one that more text
/// could mend.
package struct JSONReader: ~Escapable {
    package typealias Fault = JSONSyntaxError

    /// More than any configuration or report has; ``JSONSyntaxError/Reason/tooDeep`` names it.
    package static let depthLimit = 64

    let bytes: Span<UInt8>
    /// Of the next byte.
    package internal(set) var position: Int
    private var depth = 0

    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    // MARK: Structure

    /// The next byte that is no space, which is not taken.
    @inline(__always)
    package mutating func peek() throws(Fault) -> UInt8 {
        guard let byte = peekIfAny() else { throw fault(.missingValue) }
        return byte
    }

    /// Calls for each member of an object, with its key; the call takes the value. A key may come twice.
    package mutating func forEachMember(
        _ body: (inout JSONReader, Key) throws(Fault) -> Void
    ) throws(Fault) {
        try enter(UInt8(ascii: "{"))
        if !takeIfNext(UInt8(ascii: "}")) {
            repeat {
                guard peekIfAny() == UInt8(ascii: "\"") else { throw fault(.missingKey) }
                let key = try string()
                guard takeIfNext(UInt8(ascii: ":")) else { throw fault(.missingColon) }
                try body(&self, Key(key, in: bytes))
            } while takeIfNext(UInt8(ascii: ","))
            guard takeIfNext(UInt8(ascii: "}")) else { throw fault(.unfinishedObject) }
        }
        depth -= 1
    }

    /// Calls for each element of a list; the call takes it.
    package mutating func forEachElement(_ body: (inout JSONReader) throws(Fault) -> Void) throws(Fault) {
        try enter(UInt8(ascii: "["))
        if !takeIfNext(UInt8(ascii: "]")) {
            repeat { try body(&self) } while takeIfNext(UInt8(ascii: ","))
            guard takeIfNext(UInt8(ascii: "]")) else { throw fault(.unfinishedArray) }
        }
        depth -= 1
    }

    private mutating func enter(_ bracket: UInt8) throws(Fault) {
        guard try peek() == bracket else { throw fault(.unknownValue) }
        guard depth < Self.depthLimit else { throw fault(.tooDeep) }
        depth += 1
        position += 1
    }

    /// Holds the text to having nothing but space from here on.
    package mutating func finish() throws(Fault) {
        guard peekIfAny() == nil else { throw fault(.moreThanOneValue) }
    }

    // MARK: Values

    /// Passes over one value.
    package mutating func skip() throws(Fault) {
        switch try peek() {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"): try forEachMember { reader, _ throws(Fault) in try reader.skip() }
        case UInt8(ascii: "["): try forEachElement { reader throws(Fault) in try reader.skip() }
        case UInt8(ascii: "t"): try takeWord("true")
        case UInt8(ascii: "f"): try takeWord("false")
        case UInt8(ascii: "n"): try takeWord("null")
        default: _ = try number()
        }
    }

    /// A string; nil, and passed over, where something else stands.
    package mutating func stringIfAny() throws(Fault) -> Token? {
        if try peek() == UInt8(ascii: "\"") { return try string() }
        try skip()
        return nil
    }

    /// `true` or `false`; nil, and passed over, where something else stands.
    package mutating func booleanIfAny() throws(Fault) -> Bool? {
        let first = try peek()
        try skip()
        return first == UInt8(ascii: "t") ? true : first == UInt8(ascii: "f") ? false : nil
    }

    /// A whole number from 0 to 9,999,999,999; nil, and passed over, where something else stands.
    package mutating func wholeNumberIfAny() throws(Fault) -> Int? {
        _ = try peek()
        let start = position
        try skip()
        var value = 0
        for index in start..<position {
            guard Self.isDigit(bytes[index]), value < 1_000_000_000 else { return nil }
            value = value * 10 + Int(bytes[index] - 0x30)
        }
        return value
    }

    mutating func takeWord(_ word: StaticString) throws(Fault) {
        let start = position
        for letter in word.description.utf8 {
            guard position < bytes.count else { throw fault(.missingValue) }
            guard bytes[position] == letter else { throw fault(.unknownValue, at: start) }
            position += 1
        }
    }

    /// A number as it is written.
    mutating func number() throws(Fault) -> Token {
        let start = position
        guard position < bytes.count, bytes[position] == UInt8(ascii: "-") || Self.isDigit(bytes[position]) else {
            throw fault(.unknownValue)
        }
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try takeDigits() }
        if take(UInt8(ascii: ".")) { try takeDigits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try takeDigits()
        }
        return Token(range: start..<position, hasEscapes: false)
    }

    private mutating func takeDigits() throws(Fault) {
        let start = position
        while position < bytes.count, Self.isDigit(bytes[position]) { position += 1 }
        if position == start { throw fault(.missingDigit) }
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    // MARK: Bytes

    @inline(__always)
    private mutating func peekIfAny() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return nil
    }

    @inline(__always)
    private mutating func takeIfNext(_ byte: UInt8) -> Bool { peekIfAny() == byte && take(byte) }

    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    func fault(_ reason: Fault.Reason, at offset: Int? = nil) -> Fault {
        Fault(offset: offset ?? position, reason: reason)
    }
}
