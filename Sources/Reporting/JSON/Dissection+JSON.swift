package import Dissection
package import JSON

extension Dissection: JSONRecord {
    package static let shape = Shape<Dissection>(nil, "What icecheck decode writes with --format json.") {
        Field("schema", always: "icecheck/decode/1")
        Field("kind", { OpenWord($0.kind.rawValue) }, "What it is.")
        Field("encoding", { OpenWord($0.encoding.rawValue) }, "How it was given.")
        Field("byteCount", \.byteCount)
        Field("isSound", \.isSound, "Whether nothing is wrong with it.")
        Field("problems", \.problems)
        Field("nodes", \.nodes)
    }

    package static func jsonSchema(closed: Bool) -> JSONValue {
        SchemaBook.document(
            of: Dissection.self, id: "urn:icecheck:schema:decode-1", title: "icecheck decode, version 1", closed: closed
        )
    }
}

extension Node: JSONRecord {
    package static let shape = Shape<Node>("node", "A part of it.") {
        Field("name", \.name)
        Field("value", \.value)
        Field("hex", { $0.bytes.map { HexBytes($0) } })
        Field("offset", \.offset, "In bytes.")
        Field("length", \.length, "In bytes.")
        Field("note", \.note, "What it means.")
        Field("problems", \.problems.unlessEmpty)
        Field("children", \.children.unlessEmpty)
    }
}

extension Problem: JSONRecord {
    package static let shape = Shape<Problem>("problem", "What is wrong.") {
        Field("offset", \.offset, "In bytes.")
        Field("rule", \.rule, "The rule that is broken.")
    }
}
