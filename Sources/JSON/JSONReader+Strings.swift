extension JSONReader {
    /// A string as it stands between its quotes, or a number.
    package struct Token: Hashable, Sendable {
        let range: Range<Int>
        let hasEscapes: Bool
    }

    /// The key of a member: `switch` compares it with the words that are wanted, without making a text of it.
    package struct Key: ~Escapable {
        fileprivate let token: Token
        fileprivate let bytes: Span<UInt8>

        @_lifetime(copy bytes)
        init(_ token: Token, in bytes: Span<UInt8>) {
            self.token = token
            self.bytes = bytes
        }

        /// Of its opening quote.
        var offset: Int { token.range.lowerBound - 1 }

        package var text: String { JSONReader(bytes).text(token) }
    }

    /// A string; its opening quote has been seen.
    mutating func string() throws(Fault) -> Token {
        position += 1
        let start = position
        var hasEscapes = false
        var bits: UInt8 = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            bits |= byte
            if byte == UInt8(ascii: "\"") {
                let token = Token(range: start..<position - 1, hasEscapes: hasEscapes)
                if bits >= 0x80, validText(token.range) == nil { throw fault(.invalidUTF8, at: start - 1) }
                return token
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                _ = try escapedScalar()
            } else if byte < 0x20 {
                throw fault(.controlCharacter, at: position - 1)
            }
        }
        throw fault(.unfinishedString)
    }

    /// What an escape stands for; its backslash has been taken.
    private mutating func escapedScalar() throws(Fault) -> Unicode.Scalar {
        guard position < bytes.count else { throw fault(.unfinishedString) }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try surrogatePair()
        default: throw fault(.unknownEscape, at: position - 1)
        }
    }

    /// The character of `\uXXXX`, or of two of them that are the halves of a surrogate pair.
    private mutating func surrogatePair() throws(Fault) -> Unicode.Scalar {
        let start = position - 2
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00 else { throw fault(.loneSurrogate, at: start) }
        for byte in "\\u".utf8 where !take(byte) {
            throw fault(.loneSurrogate, at: position < bytes.count ? start : position)
        }
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw fault(.loneSurrogate, at: start) }
        return scalar
    }

    private mutating func hexadecimal() throws(Fault) -> UInt32 {
        let start = position
        var value: UInt32 = 0
        while position < start + 4 {
            guard position < bytes.count else { throw fault(.missingHexadecimal) }
            guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw fault(.missingHexadecimal, at: start)
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    // MARK: What a token says

    /// Its text, with the escapes resolved.
    package func text(_ token: Token) -> String {
        guard token.hasEscapes else { return validText(token.range) ?? "" }
        var text = ""
        var reader = JSONReader(bytes, at: token.range.lowerBound)
        var plain = reader.position
        while reader.position < token.range.upperBound {
            guard bytes[reader.position] == UInt8(ascii: "\\") else {
                reader.position += 1
                continue
            }
            text += validText(plain..<reader.position) ?? ""
            reader.position += 1
            // It was read without an error when the token was made.
            if let scalar = try? reader.escapedScalar() { text.unicodeScalars.append(scalar) }
            plain = reader.position
        }
        return text + (validText(plain..<token.range.upperBound) ?? "")
    }

    private func validText(_ range: Range<Int>) -> String? {
        do {
            return String(copying: try UTF8Span(validating: bytes.extracting(range)))
        } catch {
            return nil
        }
    }
}

package func ~= (word: String, key: borrowing JSONReader.Key) -> Bool {
    if key.token.hasEscapes { return key.text == word }
    guard word.utf8.count == key.token.range.count else { return false }
    var place = key.token.range.lowerBound
    for byte in word.utf8 {
        guard key.bytes[place] == byte else { return false }
        place += 1
    }
    return true
}
