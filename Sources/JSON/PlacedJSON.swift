/// A JSON value (RFC 8259) that knows where it stood, so that an error can say so.
package struct PlacedJSON: Sendable {
    package enum Value: Sendable {
        case null
        case boolean(Bool)
        /// As it was written: exact, and none is too large to be text.
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

    /// Reads one value that fills the text: UTF-8, a byte-order mark is skipped; a key stands once in an object.
    package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw JSONSyntaxError(offset: 0, reason: .utf16)
        }
        var reader = JSONReader(bytes.span, at: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
        self = try reader.value()
        try reader.finish()
    }

    fileprivate init(_ value: Value, at offset: Int) {
        self.value = value
        self.offset = offset
    }

    /// The member of that key, where this is an object that has it.
    package subscript(_ key: String) -> PlacedJSON? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.key == key }?.value
    }
}

extension JSONReader {
    /// One value, as a tree.
    package mutating func value() throws(Fault) -> PlacedJSON {
        let first = try peek()
        let start = position
        switch first {
        case UInt8(ascii: "{"):
            var members: [PlacedJSON.Member] = []
            var keys: Set<String> = []
            try forEachMember { reader, key throws(Fault) in
                let text = key.text
                guard keys.insert(text).inserted else { throw reader.fault(.repeatedKey, at: key.offset) }
                members.append(.init(key: text, value: try reader.value()))
            }
            return PlacedJSON(.object(members), at: start)
        case UInt8(ascii: "["):
            var elements: [PlacedJSON] = []
            try forEachElement { reader throws(Fault) in elements.append(try reader.value()) }
            return PlacedJSON(.array(elements), at: start)
        case UInt8(ascii: "\""): return PlacedJSON(.string(text(try string())), at: start)
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            try skip()
            let value: PlacedJSON.Value = first == UInt8(ascii: "n") ? .null : .boolean(first == UInt8(ascii: "t"))
            return PlacedJSON(value, at: start)
        default: return PlacedJSON(.number(text(try number())), at: start)
        }
    }
}
