/// Makes JSON of a value by its `Encodable`, always the same of the same value: sets and dictionaries are sorted.
///
/// Nothing is rounded. A duration is a number of seconds with as many decimals as it takes, bytes are a string of
/// hexadecimal digits. An infinite number or one that is none is an `EncodingError`: JSON has no word for it.
package enum JSONEncoding {
    package static func value(of value: some Encodable) throws -> JSONValue {
        try Tree.of(value, at: []).json
    }

    /// What is being written: containers are filled after they were put where they belong.
    fileprivate final class Tree {
        enum Content {
            case value(JSONValue)
            case array([Tree])
            case object([(key: String, tree: Tree)])
        }

        var content: Content?

        var json: JSONValue {
            switch content {
            case nil: .object([])
            case .value(let value): value
            case .array(let trees): .array(trees.map(\.json))
            case .object(let members): .object(members.map { .init(key: $0.key, value: $0.tree.json) })
            }
        }

        static func of(_ value: some Encodable, at path: [any CodingKey]) throws -> Tree {
            let tree = Tree()
            if let scalar = try scalar(value, at: path) {
                tree.content = .value(scalar)
            } else {
                try value.encode(to: TreeEncoder(tree: tree, codingPath: path))
                if value is any Unordered { tree.sort(inPairs: value is any InPairs) }
            }
            return tree
        }

        /// What is one value of JSON; nil for what is made of others.
        private static func scalar(_ value: some Encodable, at path: [any CodingKey]) throws -> JSONValue? {
            switch value {
            case let duration as Duration: return .number(duration.secondsInFull)
            // An empty list of anything can be cast to one of bytes.
            case let bytes as [UInt8] where type(of: value) == [UInt8].self: return .string(bytes.hexadecimal)
            case let value as Bool: return .bool(value)
            case let value as String: return .string(value)
            case let value as any FixedWidthInteger: return .number("\(value)")
            case let value as any BinaryFloatingPoint:
                let number = Double(value)
                guard number.isFinite else {
                    throw EncodingError.invalidValue(
                        value, .init(codingPath: path, debugDescription: "\(value) cannot be written as JSON"))
                }
                return .exact(number)
            default: return nil
            }
        }

        func append(_ tree: Tree) {
            guard case .array(var trees) = content else { return content = .array([tree]) }
            content = nil  // One owner, so that appending does not copy.
            trees.append(tree)
            content = .array(trees)
        }

        func set(_ key: String, _ tree: Tree) {
            guard case .object(var members) = content else { return content = .object([(key, tree)]) }
            content = nil
            members.append((key, tree))
            content = .object(members)
        }

        /// Brings what has no order of its own into one: by the text of the elements, or of the first of two.
        private func sort(inPairs: Bool) {
            switch content {
            case .object(let members): content = .object(members.sorted { $0.key < $1.key })
            case .array(let trees):
                let size = inPairs ? 2 : 1
                let groups = stride(from: 0, to: trees.count, by: size).map { Array(trees[$0..<$0 + size]) }
                content = .array(
                    groups.map { ($0[0].json.text(pretty: false), $0) }.sorted { $0.0 < $1.0 }.flatMap(\.1))
            case .value, nil: break
            }
        }
    }
}

/// A collection that gives its elements in another order in each run of a program.
private protocol Unordered {}
/// One whose elements are written as a list of keys and values in turn.
private protocol InPairs {}
extension Set: Unordered {}
extension Dictionary: Unordered, InPairs {}

private struct TreeEncoder: Encoder {
    let tree: JSONEncoding.Tree
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if tree.content == nil { tree.content = .object([]) }
        return KeyedEncodingContainer(Keyed(tree: tree, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if tree.content == nil { tree.content = .array([]) }
        return Unkeyed(tree: tree, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(tree: tree, codingPath: codingPath) }
}

extension TreeEncoder {
    fileprivate struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let tree: JSONEncoding.Tree
        let codingPath: [any CodingKey]

        private func encoder(for key: any CodingKey) -> TreeEncoder {
            let member = JSONEncoding.Tree()
            tree.set(key.stringValue, member)
            return TreeEncoder(tree: member, codingPath: codingPath + [key])
        }

        func encodeNil(forKey key: Key) throws { encoder(for: key).tree.content = .value(.null) }
        func encode(_ value: some Encodable, forKey key: Key) throws {
            tree.set(key.stringValue, try JSONEncoding.Tree.of(value, at: codingPath + [key]))
        }
        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> { encoder(for: key).container(keyedBy: type) }
        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            encoder(for: key).unkeyedContainer()
        }
        func superEncoder() -> any Encoder { encoder(for: JSONPlace.key("super")) }
        func superEncoder(forKey key: Key) -> any Encoder { encoder(for: key) }
    }

    fileprivate struct Unkeyed: UnkeyedEncodingContainer {
        let tree: JSONEncoding.Tree
        let codingPath: [any CodingKey]
        private(set) var count = 0

        private mutating func encoder() -> TreeEncoder {
            let element = JSONEncoding.Tree()
            tree.append(element)
            count += 1
            return TreeEncoder(tree: element, codingPath: codingPath + [JSONPlace.index(count - 1)])
        }

        mutating func encodeNil() throws { encoder().tree.content = .value(.null) }
        mutating func encode(_ value: some Encodable) throws {
            tree.append(try JSONEncoding.Tree.of(value, at: codingPath + [JSONPlace.index(count)]))
            count += 1
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) -> KeyedEncodingContainer<Nested> { encoder().container(keyedBy: type) }
        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder().unkeyedContainer() }
        mutating func superEncoder() -> any Encoder { encoder() }
    }

    fileprivate struct Single: SingleValueEncodingContainer {
        let tree: JSONEncoding.Tree
        let codingPath: [any CodingKey]

        func encodeNil() throws { tree.content = .value(.null) }
        func encode(_ value: some Encodable) throws {
            tree.content = try JSONEncoding.Tree.of(value, at: codingPath).content
        }
    }
}

extension Duration {
    /// Seconds with up to eighteen decimals: `0.0123`.
    fileprivate var secondsInFull: String {
        let (seconds, attoseconds) = components
        var text = seconds == 0 && attoseconds < 0 ? "-0" : String(seconds)
        guard attoseconds != 0 else { return text }
        let digits = String(attoseconds.magnitude)
        text += "." + String(repeating: "0", count: 18 - digits.count) + digits
        while text.last == "0" { text.removeLast() }
        return text
    }
}

extension [UInt8] {
    fileprivate var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
