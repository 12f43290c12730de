import Dissection
import JSON
import NetTypes
import STUN

extension Dissection {
    /// What the thing is, in one format; there are no candidate lines of it.
    package func rendered(as format: OutputFormat, style: RenderingStyle) -> String {
        switch format {
        case .text: DissectionRenderer(style: style).text(of: self)
        case .json: jsonValue.text(pretty: true) + "\n"
        case .sdp: ""
        }
    }
}

/// A dissection for people: a field a line, what is inside it further in, what is wrong with it below it.
///
/// Where fields have a place, it stands first: the offset in hex, as dumps have it, and in decimal.
struct DissectionRenderer {
    private let style: RenderingStyle

    init(style: RenderingStyle) { self.style = style }

    /// Names are aligned up to this width; a longer one moves only its own line.
    private static let widestName = 28
    /// Bytes of a value that are shown; JSON has them all.
    private static let shownBytes = 32
    private static let gap = "  "

    func text(of dissection: Dissection) -> String {
        let lines = dissection.nodes.flatMap { Self.lines(of: $0, depth: 0) }
        let layout = Layout(lines, dissection.problems)
        var text = [heading(of: dissection)]
        text += dissection.problems.flatMap { problem($0, depth: 0, layout) }
        text += lines.flatMap { line in self.text(of: line, layout) }
        return text.map { $0.trimmingTrailingSpaces + "\n" }.joined()
    }

    private func heading(of dissection: Dissection) -> String {
        let mark: Mark = dissection.isSound ? .good : .bad
        let bytes = dissection.byteCount == 1 ? "1 byte" : "\(dissection.byteCount) bytes"
        let verdict = dissection.isSound ? "sound" : "with \(Self.count(dissection))"
        return style.coloured(mark.text(style), mark.colour)
            + " \(dissection.kind.name), \(bytes), given as \(dissection.encoding.name): \(verdict)"
    }

    private static func count(_ dissection: Dissection) -> String {
        let count = dissection.problems.count + dissection.nodes.reduce(0) { $0 + $1.problemCount }
        return count == 1 ? "1 problem" : "\(count) problems"
    }

    // MARK: The tree as lines

    private struct Line {
        var node: Node
        var depth: Int
    }

    private static func lines(of node: Node, depth: Int) -> [Line] {
        [Line(node: node, depth: depth)] + node.children.flatMap { lines(of: $0, depth: depth + 1) }
    }

    /// The widths that all lines share.
    private struct Layout {
        /// Digits of the largest offset; nil where no field has a place.
        var digits: (hex: Int, decimal: Int)?
        var name: Int

        init(_ lines: [Line], _ problems: [Problem]) {
            let nodes = lines.map(\.node)
            let offsets = nodes.map(\.offset) + (problems + nodes.flatMap(\.problems)).map(\.offset)
            digits = offsets.compactMap(\.self).max().map { (max(4, String($0, radix: 16).count), String($0).count) }
            name = lines.map { 2 * $0.depth + $0.node.name.columns }.filter { $0 <= widestName }.max() ?? 0
        }

        /// `0x0014 20  `, or as many spaces.
        func place(_ offset: Int?) -> String {
            guard let digits else { return "" }
            guard let offset else { return String(repeating: " ", count: 3 + digits.hex + digits.decimal) + gap }
            let hex = String(offset, radix: 16)
            return "0x" + String(repeating: "0", count: digits.hex - hex.count) + hex
                + " " + String(offset).padded(to: digits.decimal, right: true) + gap
        }
    }

    private func text(of line: Line, _ layout: Layout) -> [String] {
        let node = line.node
        let name = String(repeating: Self.gap, count: line.depth) + style.shown(OutsideText(node.name))
        let start = Self.gap + layout.place(node.offset) + name.padded(to: layout.name) + Self.gap
        let parts = [value(of: node), node.note.map { style.shown($0) } ?? ""].filter { !$0.isEmpty }
        let room = max(20, style.width - start.columns)
        let hanging = String(repeating: " ", count: start.columns)
        let wrapped = parts.joined(separator: style.shown(" – ")).wrapped(to: room)
        let lines = wrapped.enumerated().map { ($0 == 0 ? start : hanging) + $1 }
        return lines + node.problems.flatMap { problem($0, depth: line.depth + 1, layout) }
    }

    private func value(of node: Node) -> String {
        if !node.value.isEmpty { return style.shown(OutsideText(node.value)) }
        guard let bytes = node.bytes, !bytes.isEmpty else { return "" }
        let more = bytes.count > Self.shownBytes ? style.shown("… (\(bytes.count) bytes)") : ""
        return "0x" + Hex.text(bytes.prefix(Self.shownBytes)) + more
    }

    private func problem(_ problem: Problem, depth: Int, _ layout: Layout) -> [String] {
        let start = Self.gap + layout.place(problem.offset) + String(repeating: Self.gap, count: depth)
        let mark = Mark.bad.text(style)
        let hanging = String(repeating: " ", count: start.columns + mark.columns + 1)
        let wrapped = style.shown(problem.rule).wrapped(to: max(20, style.width - hanging.count))
        return wrapped.enumerated().map { index, text in
            index == 0 ? start + style.coloured(mark, Mark.bad.colour) + " " + text : hanging + text
        }
    }
}

extension Node {
    fileprivate var problemCount: Int { problems.count + children.reduce(0) { $0 + $1.problemCount } }
}

extension Dissection.Encoding {
    /// The encoding in words.
    fileprivate var name: String {
        switch self {
        case .binary: "bytes"
        case .hex: "hex"
        case .base64: "base64"
        case .text: "text"
        case .hexDump: "a hex dump"
        }
    }
}
