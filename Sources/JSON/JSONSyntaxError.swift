/// Where a text stops being JSON (RFC 8259), and why.
package struct JSONSyntaxError: Error, Hashable, Sendable {
    /// Each with its message.
    package enum Reason: String, Hashable, Sendable {
        case utf16 = "this is UTF-16: save it as UTF-8"
        case moreThanOneValue = "nothing follows the first value"
        case missingValue = "the text ends where a value is due"
        case unknownValue =
            "a value is due: an object, a list, a string in double quotes, a number, true, false or null"
        case tooDeep = "values are nested more than 64 deep"
        case missingKey = "a key in double quotes is due"
        case repeatedKey = "this key stands twice in one object"
        case missingColon = "':' is due after a key"
        case unfinishedObject = "',' or '}' is due after a member"
        case unfinishedArray = "',' or ']' is due after an element"
        case missingDigit = "a digit is due in a number"
        case invalidUTF8 = "this string is not valid UTF-8"
        case controlCharacter = "a control character in a string is written as \\u00XX"
        case unfinishedString = "the text ends inside a string"
        case unknownEscape = "'\\' is followed by one of \" \\ / b f n r t u"
        case missingHexadecimal = "four hexadecimal digits follow '\\u'"
        case loneSurrogate = "half of a surrogate pair stands alone"
    }

    /// Bytes from the start of the text; the length of the text where more of it could make it JSON.
    package let offset: Int
    package let reason: Reason

    package var message: String { reason.rawValue }

    /// Line and column in the text, both from 1; the column counts characters (Unicode scalars).
    package func place(in bytes: some RandomAccessCollection<UInt8>) -> (line: Int, column: Int) {
        Self.place(of: offset, in: bytes)
    }

    package static func place(of offset: Int, in bytes: some RandomAccessCollection<UInt8>) -> (line: Int, column: Int)
    {
        var (line, column) = (1, 1)
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                (line, column) = (line + 1, 1)
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }
}
