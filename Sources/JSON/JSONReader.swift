/// Reads JSON byte by byte, without more depth than any configuration has.
struct JSONReader {
    private static let depthLimit = 64

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(PlacedJSON.SyntaxError) -> PlacedJSON {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw error("this is UTF-16: save it as UTF-8")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw error("nothing follows the first value") }
        return value
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(PlacedJSON.SyntaxError) -> PlacedJSON {
        skipSpace()
        let start = position
        guard let byte = peek else { throw error("the text ends where a value is due") }
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth < Self.depthLimit else { throw error("values are nested more than \(Self.depthLimit) deep") }
            position += 1
            let value: PlacedJSON.Value =
                byte == UInt8(ascii: "{") ? .object(try members(depth)) : .array(try elements(depth))
            return PlacedJSON(value, at: start)
        case UInt8(ascii: "\""):
            return PlacedJSON(.string(try string()), at: start)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return PlacedJSON(.number(try number()), at: start)
        default:
            for (word, value) in Self.words where bytes[position...].starts(with: word.utf8) {
                position += word.utf8.count
                return PlacedJSON(value, at: start)
            }
            throw error("a value is due: an object, a list, a string in double quotes, a number, true, false or null")
        }
    }

    private static let words: [(String, PlacedJSON.Value)] = [
        ("null", .null), ("true", .boolean(true)), ("false", .boolean(false)),
    ]

    private mutating func members(_ depth: Int) throws(PlacedJSON.SyntaxError) -> [PlacedJSON.Member] {
        var members: [PlacedJSON.Member] = []
        var keys: Set<String> = []
        if skip(UInt8(ascii: "}")) { return members }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw error("a key in double quotes is due") }
            let start = position
            let key = try string()
            guard keys.insert(key).inserted else { throw error("this key stands twice in one object", at: start) }
            guard skip(UInt8(ascii: ":")) else { throw error("':' is due after a key") }
            members.append(.init(key: key, value: try value(depth: depth + 1)))
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "}")) else { throw error("',' or '}' is due after a member") }
        return members
    }

    private mutating func elements(_ depth: Int) throws(PlacedJSON.SyntaxError) -> [PlacedJSON] {
        var elements: [PlacedJSON] = []
        if skip(UInt8(ascii: "]")) { return elements }
        repeat { elements.append(try value(depth: depth + 1)) } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "]")) else { throw error("',' or ']' is due after an element") }
        return elements
    }

    private mutating func number() throws(PlacedJSON.SyntaxError) -> String {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws(PlacedJSON.SyntaxError) {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        if position == start { throw error("a digit is due in a number") }
    }

    // MARK: Strings

    private mutating func string() throws(PlacedJSON.SyntaxError) -> String {
        let start = position
        position += 1
        var text: [UInt8] = []
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw error("this string is not valid UTF-8", at: start)
                }
                return valid
            case UInt8(ascii: "\\"):
                position += 1
                text += try escape()
            case 0..<0x20:
                throw error("a control character in a string is written as \\u00XX")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw error("the text ends inside a string")
    }

    private mutating func escape() throws(PlacedJSON.SyntaxError) -> [UInt8] {
        guard let byte = peek else { throw error("the text ends inside a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try Array(String(escapedScalar()).utf8)
        default: throw error("'\\' is followed by one of \" \\ / b f n r t u", at: position - 1)
        }
    }

    private mutating func escapedScalar() throws(PlacedJSON.SyntaxError) -> Character {
        let start = position - 2
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw error("half of a surrogate pair stands alone", at: start)
        }
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw error("half of a surrogate pair stands alone", at: start) }
        return Character(scalar)
    }

    private mutating func hexadecimal() throws(PlacedJSON.SyntaxError) -> UInt32 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw error("four hexadecimal digits follow '\\u'") }
        position += 4
        return value
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        return take(byte)
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private func error(_ message: String, at offset: Int? = nil) -> PlacedJSON.SyntaxError {
        PlacedJSON.SyntaxError(offset: offset ?? position, message: message)
    }
}
