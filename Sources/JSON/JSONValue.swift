package import NetTypes

/// A JSON value (RFC 8259) whose objects keep the order in which their keys were given.
package indirect enum JSONValue: Hashable, Sendable {
    package struct Member: Hashable, Sendable {
        package var key: String
        package var value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    case null
    case bool(Bool)
    case integer(Int)
    /// Written with at most three decimals; not-a-number and the infinities, which JSON has not, as null.
    case decimal(Double)
    /// Written so that the same value is read again.
    case exact(Double)
    /// A number by its text: for what none of these holds.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// A time as reports give it.
    package static func milliseconds(_ duration: Duration) -> JSONValue { .decimal(duration.milliseconds) }

    package static func endpoint(_ endpoint: Endpoint) -> JSONValue { .string(endpoint.description) }

    /// An address, never with its zone: the zone means nothing on another machine.
    package static func address(_ address: IPAddress) -> JSONValue { .string(address.description) }
}

/// `["key": value]`: a nil value leaves its key out.
extension JSONValue: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue?)...) {
        self = .object(
            elements.compactMap { key, value in
                value.map { Member(key: key, value: $0) }
            })
    }
}

extension JSONValue: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
}

extension Sequence {
    /// The elements as a JSON array.
    package func jsonArray(_ element: (Element) -> JSONValue) -> JSONValue { .array(map(element)) }
}

extension Collection {
    /// The elements as a JSON array, or nil where there are none.
    package func jsonArrayUnlessEmpty(_ element: (Element) -> JSONValue) -> JSONValue? {
        isEmpty ? nil : jsonArray(element)
    }
}
