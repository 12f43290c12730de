import JSON
import Testing

@Suite("Shapes")
struct ShapeTests {
    private enum Colour: String, JSONWord { case red, green }

    private struct Leaf: JSONRecord {
        var colour: Colour?
        var leaves: [Leaf] = []

        static let shape = Shape<Leaf>("leaf", "A leaf.") {
            Field("colour", \.colour, "Of it.")
            Field("leaves", \.leaves.unlessEmpty)
        }
    }

    private struct Tree: JSONRecord {
        var name: String
        var isOld = false
        var height: Int?
        var leaf = Leaf()

        static let shape = Shape<Tree>(rules: ["not": ["required": ["axe"]]]) {
            Field("schema", always: "tree/1")
            Field("name", \.name, "", ["minLength": 1])
            Field("old", \.isOld.unlessFalse)
            Field.object("size", \.height) { Field<Int>("height", \.self, "In metres.") }
            Field.list("words", { $0.name.split(separator: " ") }, isKept: false) { Field("length", \.count) }
            Field("leaf", \.leaf)
        }
    }

    @Test("The fields write the JSON in their order, and leave out what is not there")
    func values() {
        #expect(Tree(name: "").jsonValue.text(pretty: false) == #"{"schema":"tree/1","name":"","leaf":{}}"#)
        let tree = Tree(
            name: "an oak", isOld: true, height: 12, leaf: Leaf(colour: .green, leaves: [Leaf(colour: .red)]))
        #expect(
            tree.jsonValue.text(pretty: false) == """
                {"schema":"tree/1","name":"an oak","old":true,"size":{"height":12},"words":[{"length":2},{"length":3}],\
                "leaf":{"colour":"green","leaves":[{"colour":"red"}]}}
                """)
    }

    @Test("And the schema: what has a name once, and other keys refused where it is closed", arguments: [false, true])
    func schema(closed: Bool) {
        let more = closed ? #","additionalProperties":false"# : ""
        let schema = SchemaBook.document(of: Tree.self, id: "urn:tree", title: "Tree", closed: closed)
        #expect(
            schema.text(pretty: false) == """
                {"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"urn:tree","title":"Tree","type":"object",\
                "required":["schema","name","leaf"],"properties":{"schema":{"const":"tree/1"},\
                "name":{"type":"string","minLength":1},"old":{"const":true},\
                "size":{"type":"object","required":["height"],"properties":{"height":{"type":"integer","minimum":0,\
                "description":"In metres."}}\(more)},\
                "words":{"type":"array","items":{"type":"object","required":["length"],\
                "properties":{"length":{"type":"integer","minimum":0}}\(more)},"minItems":1},\
                "leaf":{"$ref":"#/$defs/leaf"}}\(more),"not":{"required":["axe"]},\
                "$defs":{"leaf":{"description":"A leaf.","type":"object",\
                "properties":{"colour":{"enum":["red","green"],"description":"Of it."},\
                "leaves":{"type":"array","items":{"$ref":"#/$defs/leaf"},"minItems":1}}\(more)}}}
                """)
    }
}
