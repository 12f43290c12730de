package import Diagnosis
import JSON

/// What `icecheck explain` prints.
package struct ExplanationRenderer: Sendable {
    package var style: RenderingStyle

    package init(style: RenderingStyle) { self.style = style }

    package func text(of explanations: [Explanation]) -> String {
        explanations.map { lines(of: $0).map { $0 + "\n" }.joined() }.joined(separator: "\n")
    }

    private func lines(of one: Explanation) -> [String] {
        let renderer = TextRenderer(style: style)
        let name = one.kind == .errorCode ? "\(one.id) \(one.title)" : one.id
        var lines = [renderer.title(name) + (one.kind == .errorCode ? "" : "  \(one.title)")]
        lines += renderer.labelled("", one.meaning)
        lines += renderer.advice(one.causes, one.remedy)
        if !one.reference.isEmpty { lines += renderer.labelled("see     ", one.reference) }
        if !one.aliases.isEmpty { lines += renderer.labelled("also    ", one.aliases.joined(separator: ", ")) }
        return lines
    }

    /// Everything that there is, a line each.
    package func index(of explanations: [Explanation]) -> String {
        Explanation.Kind.allCases.map { kind in
            let some = explanations.filter { $0.kind == kind }
            let table = TextTable(
                columns: [.init(stringLiteral: kind == .errorCode ? "error code" : kind.rawValue)],
                rows: some.map { .init(cells: [$0.id], remarks: [$0.title]) })
            return table.lines(style).map { $0.trimmingTrailingSpaces + "\n" }.joined()
        }.joined(separator: "\n")
    }

    package func json(of explanations: [Explanation]) -> String {
        explanations.jsonArray(\.jsonValue).text(pretty: true) + "\n"
    }
}

extension Explanation {
    fileprivate var jsonValue: JSONValue {
        [
            "id": .string(id), "kind": .string(kind.rawValue), "title": .string(title), "meaning": .string(meaning),
            "causes": causes.jsonArrayUnlessEmpty(JSONValue.string),
            "remedy": remedy.isEmpty ? nil : .string(remedy),
            "reference": reference.isEmpty ? nil : .string(reference),
            "aliases": aliases.jsonArrayUnlessEmpty(JSONValue.string),
        ]
    }
}
