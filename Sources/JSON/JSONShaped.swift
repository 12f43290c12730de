/// A value whose type says how it stands in JSON, and which values may.
package protocol JSONShaped: SendableMetatype {
    var jsonValue: JSONValue { get }
    /// The keywords of its JSON Schema (2020-12); what has a name is entered in the book, and referred to.
    static func schema(_ book: inout SchemaBook) -> JSONValue
}

/// The definitions that a schema refers to.
package struct SchemaBook {
    /// Whether an object has no keys but those that are declared.
    let isClosed: Bool
    private var definitions: [JSONValue.Member] = []

    /// The reference to a definition, which is made when it is first referred to.
    package mutating func reference(
        _ name: String, _ make: (inout SchemaBook) -> JSONValue
    ) -> JSONValue {
        if !definitions.contains(where: { $0.key == name }) {
            let place = definitions.count
            // It may refer to itself.
            definitions.append(.init(key: name, value: .null))
            definitions[place].value = make(&self)
        }
        return ["$ref": .string("#/$defs/\(name)")]
    }

    /// The schema of a document.
    ///
    /// - Parameter closed: whether keys that are not declared are refused; readers of a published shape pass over them,
    ///   since within a version keys are added.
    package static func document<Root: JSONRecord>(of type: Root.Type, id: String, title: String, closed: Bool)
        -> JSONValue
    {
        var book = SchemaBook(isClosed: closed)
        let root = Root.shape.schema(&book)
        let head: JSONValue = [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": .string(id), "title": .string(title),
        ]
        return head.merging(root).merging(["$defs": .object(book.definitions.sorted { $0.key < $1.key })])
    }
}

extension JSONValue {
    /// The members of both objects.
    func merging(_ other: JSONValue) -> JSONValue {
        guard case .object(let members) = self, case .object(let others) = other else { return other }
        return .object(members.filter { member in !others.contains { $0.key == member.key } } + others)
    }
}

// MARK: Values

/// Of any type.
extension JSONValue: JSONShaped {
    package var jsonValue: JSONValue { self }
    package static func schema(_ book: inout SchemaBook) -> JSONValue { [:] }
}

extension Bool: JSONShaped {
    package var jsonValue: JSONValue { .bool(self) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue { ["type": "boolean"] }
}

/// Numbers here are counts; what may be negative is a ``Signed``.
extension Int: JSONShaped {
    package var jsonValue: JSONValue { .integer(self) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue { ["type": "integer", "minimum": 0] }
}

extension UInt8: JSONShaped {}
extension UInt16: JSONShaped {}
extension UInt32: JSONShaped {}

extension JSONShaped where Self: FixedWidthInteger & UnsignedInteger {
    package var jsonValue: JSONValue { .integer(Int(self)) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        ["type": "integer", "minimum": 0, "maximum": .integer(Int(max))]
    }
}

/// With at most three decimals.
extension Double: JSONShaped {
    package var jsonValue: JSONValue { .decimal(self) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue { ["type": "number", "minimum": 0] }
}

extension String: JSONShaped {
    package var jsonValue: JSONValue { .string(self) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue { ["type": "string"] }
}

extension Array: JSONShaped where Element: JSONShaped {
    package var jsonValue: JSONValue { .array(map(\.jsonValue)) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        ["type": "array", "items": Element.schema(&book)]
    }
}

/// One of the words of an enumeration.
package protocol JSONWord: JSONShaped, CaseIterable {
    var jsonWord: String { get }
}

extension JSONWord {
    package var jsonValue: JSONValue { .string(jsonWord) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        ["enum": .array(allCases.map { .string($0.jsonWord) })]
    }
}

extension JSONWord where Self: RawRepresentable<String> {
    package var jsonWord: String { rawValue }
}
