/// A password or key that no output may show.
///
/// Printing, debugging, dumping and interpolating it give `[secret]`, and it is not Codable, so that no report can
/// hold it by accident. Only ``reveal()`` gives it away.
package struct Secret: Sendable, Equatable {
    private let text: String

    package init(_ text: String) { self.text = text }

    package func reveal() -> String { text }

    /// Whether it is the empty text.
    package var isEmpty: Bool { text.isEmpty }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "[secret]" }
    package var debugDescription: String { "[secret]" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
