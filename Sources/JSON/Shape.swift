/// The fields of a record, declared once: they write its JSON, and they make its JSON Schema.
///
///     extension Finding: JSONRecord {
///         package static let shape = Shape<Finding>("finding") {
///             Field("id", \.id, "Stable: icecheck explain knows it.")
///             Field("family", \.family)
///         }
///     }
///
/// A field whose value is optional is left out where that is nil; the others are required.
package struct Shape<Record>: Sendable {
    /// Under which the schema defines it; nil for one that stands in one place.
    private let name: String?
    private let about: String
    /// More of its schema: what one field means for others.
    private let rules: JSONValue
    private let fields: [Field<Record>]

    package init(
        _ name: String? = nil, _ about: String = "", rules: JSONValue = [:],
        @FieldsBuilder<Record> _ fields: () -> [Field<Record>]
    ) {
        self.name = name
        self.about = about
        self.rules = rules
        self.fields = fields()
    }

    package func value(of record: Record) -> JSONValue {
        .object(
            fields.compactMap { field in
                field.value(record).map { JSONValue.Member(key: field.key, value: $0) }
            })
    }

    /// The schema where it is used: a reference where it has a name.
    package func reference(_ book: inout SchemaBook) -> JSONValue {
        guard let name else { return schema(&book) }
        return book.reference(name) { schema(&$0) }
    }

    /// The schema itself.
    package func schema(_ book: inout SchemaBook) -> JSONValue {
        let required = fields.filter(\.isRequired).map { JSONValue.string($0.key) }
        var properties: [JSONValue.Member] = []
        for field in fields { properties.append(.init(key: field.key, value: field.schema(&book))) }
        let object: JSONValue = [
            "description": about.isEmpty ? nil : .string(about), "type": "object",
            "required": required.isEmpty ? nil : .array(required), "properties": .object(properties),
            "additionalProperties": book.isClosed ? false : nil,
        ]
        return object.merging(rules)
    }
}

/// A record that has a shape.
package protocol JSONRecord: JSONShaped {
    static var shape: Shape<Self> { get }
}

extension JSONRecord {
    package var jsonValue: JSONValue { Self.shape.value(of: self) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue { shape.reference(&book) }
}

/// One member of a record's JSON.
package struct Field<Record>: Sendable {
    let key: String
    let isRequired: Bool
    /// Nil where the key is left out.
    let value: @Sendable (Record) -> JSONValue?
    let schema: @Sendable (inout SchemaBook) -> JSONValue

    private init(
        _ key: String, _ about: String, _ more: JSONValue, isRequired: Bool,
        value: @escaping @Sendable (Record) -> JSONValue?, schema: @escaping @Sendable (inout SchemaBook) -> JSONValue
    ) {
        self.key = key
        self.isRequired = isRequired
        self.value = value
        self.schema = { book in
            let description: JSONValue = about.isEmpty ? [:] : ["description": .string(about)]
            return schema(&book).merging(description).merging(more)
        }
    }

    /// - Parameters:
    ///   - about: what it is, for readers of the schema.
    ///   - more: keywords of its schema beyond those of its type.
    package init<Value: JSONShaped>(
        _ key: String, _ value: @escaping @Sendable (Record) -> Value, _ about: String = "", _ more: JSONValue = [:]
    ) {
        self.init(key, about, more, isRequired: true, value: { value($0).jsonValue }, schema: { Value.schema(&$0) })
    }

    package init<Value: JSONShaped>(
        _ key: String, _ value: @escaping @Sendable (Record) -> Value?, _ about: String = "", _ more: JSONValue = [:]
    ) {
        self.init(key, about, more, isRequired: false, value: { value($0)?.jsonValue }, schema: { Value.schema(&$0) })
    }

    /// The same text in every record.
    package init(_ key: String, always text: String) {
        self.init(
            key, "", [:], isRequired: true, value: { _ in .string(text) }, schema: { _ in ["const": .string(text)] })
    }

    /// An object that has no type of its own.
    package static func object<Part>(
        _ key: String, _ part: @escaping @Sendable (Record) -> Part, _ about: String = "",
        @FieldsBuilder<Part> fields: () -> [Field<Part>]
    ) -> Field {
        let shape = Shape<Part>(nil, "", fields)
        return Field(
            key, about, [:], isRequired: true, value: { shape.value(of: part($0)) }, schema: { shape.schema(&$0) })
    }

    package static func object<Part>(
        _ key: String, _ part: @escaping @Sendable (Record) -> Part?, _ about: String = "",
        @FieldsBuilder<Part> fields: () -> [Field<Part>]
    ) -> Field {
        let shape = Shape<Part>(nil, "", fields)
        return Field(
            key, about, [:], isRequired: false, value: { part($0).map { shape.value(of: $0) } },
            schema: { shape.schema(&$0) })
    }

    /// A list of objects that have no type of their own.
    ///
    /// - Parameter isKept: whether the key is there where the list is empty.
    package static func list<Part>(
        _ key: String, _ parts: @escaping @Sendable (Record) -> [Part], _ about: String = "", isKept: Bool = true,
        @FieldsBuilder<Part> fields: () -> [Field<Part>]
    ) -> Field {
        let shape = Shape<Part>(nil, "", fields)
        return Field(
            key, about, isKept ? [:] : ["minItems": 1], isRequired: isKept,
            value: { record in
                let parts = parts(record)
                return parts.isEmpty && !isKept ? nil : .array(parts.map { shape.value(of: $0) })
            }, schema: { ["type": "array", "items": shape.schema(&$0)] })
    }
}

@resultBuilder
package enum FieldsBuilder<Record> {
    package static func buildExpression(_ field: Field<Record>) -> [Field<Record>] { [field] }
    package static func buildBlock(_ fields: [Field<Record>]...) -> [Field<Record>] { fields.flatMap(\.self) }
}
