/// The formats that a report comes in.
package enum OutputFormat: String, Hashable, Sendable, CaseIterable {
    case text
    case json
    case sdp
}

extension Report {
    /// The report in one format, with a newline at its end; nothing at all where the format has nothing to say.
    package func rendered(as format: OutputFormat, style: RenderingStyle) -> String {
        switch format {
        case .text: TextRenderer(style: style).text(of: self)
        case .json: json(pretty: true) + "\n"
        case .sdp: sessionDescriptionLines
        }
    }
}
