import JSON
import NetTypes
import STUN

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
    private var line = 1
    private var isFirst = true
    /// Whether what follows a fault is passed over until a line begins a report.
    private var isLost = false

    package init() {}

    /// Takes more of the file.
    package mutating func append(_ bytes: [UInt8]) {
        buffer.removeSubrange(..<start)
        start = 0
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
        let first = line
        let outcome = read()
        switch outcome {
        case .model(let model, let end):
            (isFirst, isLost) = (false, false)
            advance(to: end)
            return .machine(model, line: first)
        case .objection(let message, let end):
            isFirst = false
            advance(to: end)
            return .fault(first == 1 ? message : "line \(first): \(message)")
        case .ended where !isEnd && buffer.count - start < Self.longestReport: return nil
        case .ended, .malformed:
            isFirst = false
            let message = fault(first, isEnd: isEnd)
            lose()
            return .fault(message)
        }
    }

    private enum Outcome {
        case model(MachineModel, end: Int)
        case objection(String, end: Int)
        case ended
        case malformed
    }

    private func read() -> Outcome {
        buffer.withUnsafeBufferPointer { bytes in
            var scanner = JSONScanner(bytes, at: start)
            do throws(JSONScanner.Fault) {
                let report = try SavedReport(&scanner)
                do throws(SavedReport.Objection) {
                    return .model(try report.model(scanner), end: scanner.position)
                } catch {
                    return .objection(error.message, end: scanner.position)
                }
            } catch {
                switch error {
                case .ended: return .ended
                case .malformed: return .malformed
                }
            }
        }
    }

    // MARK: Places

    private mutating func advance(to end: Int) {
        for byte in buffer[start..<end] where byte == UInt8(ascii: "\n") { line += 1 }
        start = end
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
            if byte == UInt8(ascii: "\n") { line += 1 }
            start += 1
        }
        if start < buffer.count { isLost = false }
    }

    private mutating func lose() {
        isLost = true
        if buffer[start] == UInt8(ascii: "\n") { line += 1 }
        start += 1
    }

    /// What is wrong, by the reader that knows where it stands.
    private func fault(_ first: Int, isEnd: Bool) -> String {
        if !isEnd, buffer.count - start >= Self.longestReport {
            return "line \(first): a report is longer than \(Self.longestReport >> 20) MiB"
        }
        // Up to the next line that begins a report: that is another's.
        var end = start + 1
        while end < buffer.count, buffer[end] != UInt8(ascii: "{") || buffer[end - 1] != UInt8(ascii: "\n") { end += 1 }
        let text = Array(buffer[start..<min(end, start + Self.longestReport)])
        do throws(JSONSyntaxError) {
            _ = try PlacedJSON(parsing: text)
            return "line \(first): it is JSON, and no report"
        } catch {
            let (line, column) = error.place(in: text)
            return "line \(first + line - 1), column \(column): \(error.message)"
        }
    }
}

extension SavedReport.Objection {
    fileprivate var message: String {
        switch self {
        case .noSchema: "it is no report: it has no schema"
        case .otherSchema(let name): "its schema is \(QuotedInput(name)), not icecheck/report/1"
        case .nothingMeasured: "it measures nothing of a machine"
        }
    }
}
