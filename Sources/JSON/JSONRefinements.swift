/// A list with something in it.
package struct NonEmpty<Element: JSONShaped>: JSONShaped {
    private let elements: [Element]

    fileprivate init(_ elements: [Element]) { self.elements = elements }

    package var jsonValue: JSONValue { elements.jsonValue }
    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        ["type": "array", "items": Element.schema(&book), "minItems": 1]
    }
}

extension Sequence where Element: JSONShaped {
    /// Nil where there is nothing: the key is left out.
    package var unlessEmpty: NonEmpty<Element>? {
        let elements = Array(self)
        return elements.isEmpty ? nil : NonEmpty(elements)
    }
}

/// `true`, of which the contrary is left out.
package struct OnlyTrue: JSONShaped {
    package var jsonValue: JSONValue { true }
    package static func schema(_ book: inout SchemaBook) -> JSONValue { ["const": true] }
}

extension Bool {
    /// Nil where it is false: the key is left out.
    package var unlessFalse: OnlyTrue? { self ? OnlyTrue() : nil }
}

/// A number that may be negative.
package struct Signed: JSONShaped {
    private let value: Int

    package init(_ value: Int) { self.value = value }

    package var jsonValue: JSONValue { .integer(value) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue { ["type": "integer"] }
}

/// From 0 to 1.
package struct Ratio: JSONShaped {
    private let value: Double

    package init(_ value: Double) { self.value = value }

    /// The chance of being right: in steps of 1 in 1,000, and never 1 where it is not certain.
    package init(risk: Double) { value = ((1 - risk) * 1000).rounded(.down) / 1000 }

    package var jsonValue: JSONValue { .decimal(value) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        ["type": "number", "minimum": 0, "maximum": 1]
    }
}

/// A word of a set that may grow.
package struct OpenWord: JSONShaped {
    private let word: String

    package init(_ word: String) { self.word = word }

    package var jsonValue: JSONValue { .string(word) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        ["type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"]
    }
}
