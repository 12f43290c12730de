/// A table of aligned columns, with remarks at the end of each row that wrap.
///
/// Values are never cut, since people copy them. Where the columns do not fit, the least important ones are left
/// out; where even the essential ones do not fit, each row becomes a record of lines.
struct TextTable {
    struct Column: ExpressibleByStringLiteral {
        var title: String
        var isNumber = false
        /// The lowest is left out first; nil is never left out.
        var importance: Int?

        init(stringLiteral title: String) { self.title = title }

        static func text(_ title: String, importance: Int) -> Column {
            var column = Column(stringLiteral: title)
            column.importance = importance
            return column
        }

        static func number(_ title: String, importance: Int? = nil) -> Column {
            var column = Column(stringLiteral: title)
            column.isNumber = true
            column.importance = importance
            return column
        }
    }

    struct Row {
        /// A line above the row, for it and those that follow.
        var heading: String?
        var mark: Mark?
        /// One for each column; an empty one has nothing to show.
        var cells: [String]
        /// Each starts on a line of its own.
        var remarks: [String] = []
    }

    var columns: [Column]
    var rows: [Row]

    private static let gap = 2
    /// Where less than this is left of the line, remarks go below their row.
    private static let narrowestRemark = 40

    /// Whether every column fits, with the remarks below.
    func fits(in style: RenderingStyle) -> Bool { width(of: columns.indices.filter(hasCells), style) <= style.width }

    func lines(_ style: RenderingStyle) -> [String] {
        let shown = shownColumns(style)
        let needed = width(of: shown, style)
        return needed > style.width ? rows.flatMap { record($0, style) } : table(shown, taken: needed, style)
    }

    // MARK: Which columns

    private func hasCells(_ column: Int) -> Bool { rows.contains { !$0.cells[column].isEmpty } }

    private func shownColumns(_ style: RenderingStyle) -> [Int] {
        var shown = columns.indices.filter(hasCells)
        while width(of: shown, style) > style.width {
            let least = shown.filter { columns[$0].importance != nil }
                .min { columns[$0].importance ?? 0 < columns[$1].importance ?? 0 }
            guard let least else { break }
            shown.removeAll { $0 == least }
        }
        return shown
    }

    private func width(of column: Int) -> Int {
        rows.reduce(columns[column].title.columns) { max($0, $1.cells[column].columns) }
    }

    private func markWidth(_ style: RenderingStyle) -> Int {
        rows.reduce(0) { max($0, ($1.mark?.text(style).columns).map { $0 + 1 } ?? 0) }
    }

    private func width(of shown: [Int], _ style: RenderingStyle) -> Int {
        shown.reduce(TextRenderer.indent + markWidth(style)) { $0 + width(of: $1) + Self.gap } - Self.gap
    }

    // MARK: Lines

    private func table(_ shown: [Int], taken: Int, _ style: RenderingStyle) -> [String] {
        let markWidth = markWidth(style)
        let margin = String(repeating: " ", count: TextRenderer.indent)
        let gap = String(repeating: " ", count: Self.gap)
        let remarkWidth = style.width - taken - Self.gap
        let isBeside = remarkWidth >= Self.narrowestRemark
        func line(_ mark: String, _ cells: [String]) -> String {
            let padded = shown.map { cells[$0].padded(to: width(of: $0), right: columns[$0].isNumber) }
            return margin + mark.padded(to: markWidth) + padded.joined(separator: gap)
        }
        var lines = [style.coloured(line("", columns.map(\.title)).trimmingTrailingSpaces, .faint)]
        for row in rows {
            var first = line(row.mark?.text(style) ?? "", row.cells)
            let indent = isBeside ? taken + Self.gap : TextRenderer.indent + markWidth + Self.gap
            var remarks = row.remarks.flatMap { $0.wrapped(to: style.width - indent) }
            if isBeside, !remarks.isEmpty { first += gap + remarks.removeFirst() }
            let below = remarks.map { String(repeating: " ", count: indent) + $0 }
            lines += heading(of: row, style) + [marked(first.trimmingTrailingSpaces, row.mark, style)] + below
        }
        return lines
    }

    private func heading(of row: Row, _ style: RenderingStyle) -> [String] {
        row.heading.map { [String(repeating: " ", count: TextRenderer.indent) + style.coloured($0, .bold)] } ?? []
    }

    /// Gives the mark, the first thing on the line, its colour; once the line is padded, as escapes take no columns.
    private func marked(_ line: String, _ mark: Mark?, _ style: RenderingStyle) -> String {
        guard let mark else { return line }
        let text = mark.text(style)
        return String(repeating: " ", count: TextRenderer.indent) + style.coloured(text, mark.colour)
            + line.dropFirst(TextRenderer.indent + text.count)
    }

    private func record(_ row: Row, _ style: RenderingStyle) -> [String] {
        let margin = String(repeating: " ", count: TextRenderer.indent + markWidth(style))
        let fields = columns.indices.filter { !row.cells[$0].isEmpty }
        let titleWidth = columns.reduce(0) { max($0, $1.title.columns) }
        var lines = fields.map { margin + columns[$0].title.padded(to: titleWidth + Self.gap) + row.cells[$0] }
        if let mark = row.mark, let first = lines.first {
            let text = String(repeating: " ", count: TextRenderer.indent) + mark.text(style)
            lines[0] = marked(text.padded(to: margin.count) + first.dropFirst(margin.count), mark, style)
        }
        lines += row.remarks.flatMap { $0.wrapped(to: style.width - margin.count) }.map { margin + $0 }
        return heading(of: row, style) + lines
    }
}

extension String {
    var trimmingTrailingSpaces: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
