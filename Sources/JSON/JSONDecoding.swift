import NetTypes

/// Makes a value of JSON by its `Decodable`: what ``JSONEncoding`` wrote, from anyone.
///
/// A string with characters that a terminal would obey or hide is refused: what is read is shown somewhere. Integers are exact, and refused where they do not fit their type. An `Int` counts things and an index is one, so
/// both are held to ``mostCount``; durations are held to ``longest`` and floating-point numbers to ``largest``: what
/// is computed from them then does not overflow.
package enum JSONDecoding {
    package static let mostCount: UInt = 1_000_000_000_000
    /// Seconds.
    package static let longest: UInt64 = 1_000_000_000
    package static let largest = 1e15

    /// What is wrong with a value, and where it stands.
    package struct Fault: Error, Equatable {
        /// Bytes from the start of the text.
        package var offset: Int
        /// As a program would write it: `plan.servers[0].uri`; empty for the whole.
        package var place: String
        package var message: String
    }

    package static func value<Value: Decodable>(_ type: Value.Type, from json: PlacedJSON) throws(Fault) -> Value {
        do {
            return try TreeDecoder(json: json, codingPath: []).value(type)
        } catch let error as DecodingError {
            throw fault(error, in: json)
        } catch {
            throw Fault(offset: json.offset, place: "", message: "it cannot be used")
        }
    }

    private static func fault(_ error: DecodingError, in json: PlacedJSON) -> Fault {
        switch error {
        case .keyNotFound(let key, let context):
            fault(at: context.codingPath, in: json, "'\(key.stringValue)' is missing")
        case .valueNotFound(_, let context), .typeMismatch(_, let context), .dataCorrupted(let context):
            fault(at: context.codingPath, in: json, context.debugDescription)
        @unknown default: fault(at: [], in: json, "it cannot be used")
        }
    }

    private static func fault(at path: [any CodingKey], in json: PlacedJSON, _ message: String) -> Fault {
        var place = ""
        var json = json
        for key in path {
            switch (json.value, key.intValue) {
            case (.array(let elements), let index?) where elements.indices.contains(index):
                place += "[\(index)]"
                json = elements[index]
            default:
                place += (place.isEmpty ? "" : ".") + key.stringValue
                json = json[key.stringValue] ?? json
            }
        }
        return Fault(offset: json.offset, place: place, message: message)
    }
}

private struct TreeDecoder: Decoder {
    let json: PlacedJSON
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func wrong(_ message: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: codingPath, debugDescription: message))
    }

    private func expected(_ what: String) -> DecodingError { wrong("\(what) is expected, and not \(json.value.name)") }

    func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if let value = try scalar(type) as? Value { return value }
        return try Value(from: self)
    }

    /// What is one value of JSON; nil for a type that is made of others.
    private func scalar(_ type: Any.Type) throws -> Any? {
        switch type {
        case is Duration.Type: try duration()
        case is [UInt8].Type: try bytes()
        case is Bool.Type: try boolean()
        case is String.Type: try string()
        case is Double.Type: try floatingPoint()
        case is Float.Type: Float(try floatingPoint())
        case is Int.Type: try count()
        case let type as any FixedWidthInteger.Type: try integer(type)
        default: nil
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = json.value else { throw expected("an object") }
        return KeyedDecodingContainer(Keyed(members: members, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = json.value else { throw expected("a list") }
        return Unkeyed(elements: elements, codingPath: codingPath)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(decoder: self) }

    // MARK: Values

    var isNull: Bool { if case .null = json.value { true } else { false } }

    private func boolean() throws -> Bool {
        guard case .boolean(let value) = json.value else { throw expected("true or false") }
        return value
    }

    private func string() throws -> String {
        guard case .string(let value) = json.value else { throw expected("a string") }
        guard value.unicodeScalars.allSatisfy(\.isShowable) else {
            throw wrong("the string has characters that cannot be shown")
        }
        return value
    }

    private func number() throws -> String {
        guard case .number(let text) = json.value else { throw expected("a number") }
        return text
    }

    private func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        let text = try number()
        guard let value = Value(text) else {
            throw wrong("a whole number from \(Value.min) to \(Value.max) is expected, and not \(text.prefix(40))")
        }
        return value
    }

    private func count() throws -> Int {
        let value = try integer(Int.self)
        guard value.magnitude <= JSONDecoding.mostCount else {
            throw wrong("\(value) is more than anything here can be counted to")
        }
        return value
    }

    private func floatingPoint() throws -> Double {
        let text = try number()
        guard let value = Double(text), abs(value) <= JSONDecoding.largest else {
            throw wrong("the number \(text.prefix(40)) is too large")
        }
        return value
    }

    /// Seconds, with at most the eighteen decimals that a duration has.
    private func duration() throws -> Duration {
        let text = try number()
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : ""
        let digits = fraction + String(repeating: "0", count: max(0, 18 - fraction.utf8.count))
        guard parts.count <= 2, fraction.utf8.count <= 18, let seconds = Int64(parts[0]),
            let attoseconds = Int64(digits), seconds.magnitude < JSONDecoding.longest
        else { throw wrong("the duration \(text.prefix(40)) has another form, or is too long") }
        return Duration(
            secondsComponent: seconds, attosecondsComponent: text.hasPrefix("-") ? -attoseconds : attoseconds)
    }

    private func bytes() throws -> [UInt8] {
        let text = try string().utf8
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var high: UInt8?
        for digit in text {
            let value: UInt8 =
                switch digit {
                case 0x30...0x39: digit - 0x30
                case 0x61...0x66: digit - 0x61 + 10
                default: throw wrong("bytes are written with hexadecimal digits, 0 to 9 and a to f")
                }
            if let first = high { bytes.append(first << 4 | value) }
            high = high == nil ? value : nil
        }
        guard high == nil else { throw wrong("bytes are written with two hexadecimal digits each") }
        return bytes
    }
}

extension TreeDecoder {
    fileprivate struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let members: [PlacedJSON.Member]
        let codingPath: [any CodingKey]

        var allKeys: [Key] { members.compactMap { Key(stringValue: $0.key) } }
        func contains(_ key: Key) -> Bool { members.contains { $0.key == key.stringValue } }

        private func decoder(for key: any CodingKey) throws -> TreeDecoder {
            guard let member = members.first(where: { $0.key == key.stringValue }) else {
                throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: ""))
            }
            return TreeDecoder(json: member.value, codingPath: codingPath + [key])
        }

        func decodeNil(forKey key: Key) throws -> Bool { try decoder(for: key).isNull }
        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            try decoder(for: key).value(type)
        }
        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { try decoder(for: key).container(keyedBy: type) }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try decoder(for: key).unkeyedContainer()
        }
        func superDecoder() throws -> any Decoder { try decoder(for: JSONPlace.key("super")) }
        func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(for: key) }
    }

    fileprivate struct Unkeyed: UnkeyedDecodingContainer {
        let elements: [PlacedJSON]
        let codingPath: [any CodingKey]
        private(set) var currentIndex = 0

        var count: Int? { elements.count }
        var isAtEnd: Bool { currentIndex >= elements.count }

        private func decoder() throws -> TreeDecoder {
            guard !isAtEnd else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: codingPath, debugDescription: "the list is too short"))
            }
            return TreeDecoder(
                json: elements[currentIndex], codingPath: codingPath + [JSONPlace.index(currentIndex)])
        }

        mutating func decodeNil() throws -> Bool {
            guard try decoder().isNull else { return false }
            currentIndex += 1
            return true
        }
        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            let value = try decoder().value(type)
            currentIndex += 1
            return value
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> {
            let container = try decoder().container(keyedBy: type)
            currentIndex += 1
            return container
        }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            let container = try decoder().unkeyedContainer()
            currentIndex += 1
            return container
        }
        mutating func superDecoder() throws -> any Decoder {
            let decoder = try decoder()
            currentIndex += 1
            return decoder
        }
    }

    fileprivate struct Single: SingleValueDecodingContainer {
        let decoder: TreeDecoder
        var codingPath: [any CodingKey] { decoder.codingPath }

        func decodeNil() -> Bool { decoder.isNull }
        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.value(type) }
    }
}
