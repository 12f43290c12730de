extension String {
    /// The columns that the text takes on a terminal; for text without control characters.
    package var columns: Int { unicodeScalars.reduce(0) { $0 + $1.columns } }

    package func padded(to width: Int, right: Bool = false) -> String {
        let padding = String(repeating: " ", count: max(0, width - columns))
        return right ? padding + self : self + padding
    }

    /// The text in lines of at most `width` columns, broken at spaces; a longer word has a line of its own.
    package func wrapped(to width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        var taken = 0
        for word in split(separator: " ") {
            let needed = String(word).columns
            if taken > 0, taken + 1 + needed > width {
                lines.append(line)
                (line, taken) = ("", 0)
            }
            line += taken > 0 ? " \(word)" : String(word)
            taken += needed + (taken > 0 ? 1 : 0)
        }
        return lines + [line]
    }
}

extension Unicode.Scalar {
    /// 0 for a mark that joins the character before it, 2 for a wide one (UAX #11), else 1.
    fileprivate var columns: Int {
        switch value {
        case ..<0x300: return 1
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
            0x20000...0x3FFFD:
            return 2
        default:
            let category = properties.generalCategory
            return category == .nonspacingMark || category == .enclosingMark ? 0 : 1
        }
    }
}
