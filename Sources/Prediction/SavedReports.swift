import JSON

/// Reads saved reports out of a file, one after the other: one report, JSON lines, or reports behind each other.
///
/// It holds no more of the file than one report and what was read beyond it.
package struct SavedReports {
    package enum Item {
        case machine(MachineModel, line: Int)
        /// What is no report, with the place and the reason in one line.
        case fault(String)
    }

    /// The most bytes of one report: twenty times the longest that icecheck writes.
    package static let longestReport = 4 << 20

    private var buffer: [UInt8] = []
    private var start = 0
    /// The line of a place in the buffer; lines are counted where one is asked for.
    private var counted = (place: 0, line: 1)
    private var isFirst = true
    /// Whether what follows a fault is passed over until a line begins a report.
    private var isLost = false

    package init() {}

    /// Takes more of the file.
    package mutating func append(_ bytes: [UInt8]) {
        countLines()
        // The byte before tells whether a line begins.
        let done = max(start - 1, 0)
        buffer.removeSubrange(..<done)
        start -= done
        counted.place = start
        buffer += bytes
    }

    /// The next report, or what stands in its place; nil where the bytes so far have no other.
    ///
    /// - Parameter isEnd: whether the file is over.
    package mutating func next(isEnd: Bool) -> Item? {
        // A byte-order mark may come in pieces.
        if isFirst, !isEnd, buffer.count - start < 3 { return nil }
        skipToReport()
        guard start < buffer.count else {
            if isEnd, isFirst {
                isFirst = false
                return .fault("it is empty")
            }
            return nil
        }
        let first = countLines()
        switch read() {
        case .model(let model, let end):
            (isFirst, isLost) = (false, false)
            start = end
            return .machine(model, line: first)
        case .objection(let message, let end):
            isFirst = false
            start = end
            return .fault(first == 1 ? message : "line \(first): \(message)")
        case .fault(let fault):
            let mayGrow = !isEnd && buffer.count - start < Self.longestReport
            if mayGrow, fault.offset == buffer.count { return nil }
            guard let message = message(first, isEnd: isEnd, mayGrow: mayGrow) else { return nil }
            isFirst = false
            lose()
            return .fault(message)
        }
    }

    private enum Outcome {
        case model(MachineModel, end: Int)
        case objection(String, end: Int)
        case fault(JSONSyntaxError)
    }

    private func read() -> Outcome {
        var reader = JSONReader(buffer.span, at: start)
        let report: SavedReport
        do throws(JSONSyntaxError) { report = try SavedReport(&reader) } catch { return .fault(error) }
        do throws(SavedReport.Objection) {
            return .model(try report.model(), end: reader.position)
        } catch {
            return .objection(error.message, end: reader.position)
        }
    }

    // MARK: Places

    /// The line that the start is on. A file of one report needs no more than that it is the first.
    @discardableResult
    private mutating func countLines() -> Int {
        for byte in buffer[counted.place..<start] where byte == UInt8(ascii: "\n") { counted.line += 1 }
        counted.place = start
        return counted.line
    }

    /// Over space, and a byte-order mark at the start; after a fault, to a line that begins a report.
    private mutating func skipToReport() {
        if isFirst, buffer[start...].starts(with: [0xEF, 0xBB, 0xBF]) { start += 3 }
        while start < buffer.count {
            let byte = buffer[start]
            let isSpace = byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
            if isLost {
                if byte == UInt8(ascii: "{"), start == 0 || buffer[start - 1] == UInt8(ascii: "\n") { break }
            } else if !isSpace {
                return
            }
            start += 1
        }
        if start < buffer.count { isLost = false }
    }

    private mutating func lose() {
        isLost = true
        start += 1
    }

    /// What is wrong with the text up to the next line that begins a report: that is another's. Nil where more of the
    /// file decides it.
    private func message(_ first: Int, isEnd: Bool, mayGrow: Bool) -> String? {
        if !isEnd, buffer.count - start >= Self.longestReport {
            return "line \(first): a report is longer than \(Self.longestReport >> 20) MiB"
        }
        var end = start + 1
        while end < buffer.count, buffer[end] != UInt8(ascii: "{") || buffer[end - 1] != UInt8(ascii: "\n") { end += 1 }
        let text = buffer[start..<min(end, start + Self.longestReport)]
        var reader = JSONReader(text.span)
        do throws(JSONSyntaxError) {
            try reader.skip()
            // A number at the end may have more digits.
            if mayGrow, start + reader.position == buffer.count { return nil }
            return "line \(first): it is JSON, and no report"
        } catch {
            if mayGrow, start + error.offset == buffer.count { return nil }
            let (line, column) = error.place(in: text)
            return "line \(first + line - 1), column \(column): \(error.message)"
        }
    }
}
