/// A JSON value (RFC 8259) that knows where it stood, so that an error can say so.
package struct PlacedJSON: Sendable {
    package enum Value: Sendable {
        case null
        case boolean(Bool)
        /// As it was written: nothing here needs its value, and none is too large to be text.
        case number(String)
        case string(String)
        case array([PlacedJSON])
        case object([Member])

        /// What it is, in words: `a number`.
        package var name: String {
            switch self {
            case .null: "null"
            case .boolean: "true or false"
            case .number: "a number"
            case .string: "a string"
            case .array: "a list"
            case .object: "an object"
            }
        }
    }

    package struct Member: Sendable {
        package var key: String
        package var value: PlacedJSON
    }

    package var value: Value
    /// Bytes from the start of the text.
    package var offset: Int

    /// Where a text stops being JSON, and why.
    package struct SyntaxError: Error, Equatable {
        package var offset: Int
        package var message: String
    }

    /// Reads one value that fills the text: UTF-8, a byte-order mark is skipped; a key stands once in an object.
    package init(parsing bytes: [UInt8]) throws(SyntaxError) {
        var reader = JSONReader(bytes)
        self = try reader.document()
    }

    init(_ value: Value, at offset: Int) {
        self.value = value
        self.offset = offset
    }

    /// The member of that key, where this is an object that has it.
    package subscript(_ key: String) -> PlacedJSON? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// Line and column of an offset, both from 1; the column counts characters (Unicode scalars).
    package static func lineAndColumn(_ offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        let before = bytes.prefix(offset)
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        return (line, before[start...].count { $0 & 0xC0 != 0x80 } + 1)
    }
}
