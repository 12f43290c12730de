import ArgumentParser
import Dissection
import JSON
import Reporting

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Prints the JSON Schema of what icecheck writes with --format json.",
        discussion: """
            The schema (JSON Schema 2020-12) is made from the same declarations as the JSON. Within a version keys are \
            only added, so the schema lets unknown keys pass; with --closed it refuses them.
            """)

    enum Document: String, CaseIterable, ExpressibleByArgument {
        case report
        case decode
    }

    @Argument(help: "report: what the measuring commands and predict write; decode: what decode writes.")
    var document = Document.report

    @Flag(help: "Refuse keys that are not declared.")
    var closed = false

    func run() throws {
        let schema =
            switch document {
            case .report: Report.jsonSchema(closed: closed)
            case .decode: Dissection.jsonSchema(closed: closed)
            }
        try Run.write(schema.text(pretty: true) + "\n")
    }
}
