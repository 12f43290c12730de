package import Dissection
package import JSON
import NetTypes

extension Dissection {
    /// The name and version of the shape; keys are only added within a version.
    package static let schema = "icecheck/decode/1"

    package var jsonValue: JSONValue {
        [
            "schema": .string(Self.schema),
            "kind": .string(kind.rawValue),
            "encoding": .string(encoding.rawValue),
            "byteCount": .integer(byteCount),
            "isSound": .bool(isSound),
            "problems": problems.jsonArray(\.jsonValue),
            "nodes": nodes.jsonArray(\.jsonValue),
        ]
    }
}

extension Node {
    package var jsonValue: JSONValue {
        [
            "name": .string(name),
            "value": .string(value),
            "hex": bytes.map { .string($0.hexText) },
            "offset": offset.map(JSONValue.integer),
            "length": length.map(JSONValue.integer),
            "note": note.map(JSONValue.string),
            "problems": problems.jsonArrayUnlessEmpty(\.jsonValue),
            "children": children.jsonArrayUnlessEmpty(\.jsonValue),
        ]
    }
}

extension Problem {
    package var jsonValue: JSONValue {
        ["offset": offset.map(JSONValue.integer), "rule": .string(rule)]
    }
}
