import Facts
import HostIO
import STUN

/// The file of `--record`.
enum RecordFile {
    /// Refuses before anything is measured what could not be kept afterwards.
    static func check(_ path: String) throws {
        guard path != "-" else {
            throw Failure("--record takes the name of a file: standard output has the report")
        }
        guard !OutputFile.exists(path) else {
            throw Failure("--record \(QuotedInput(path)): the file exists; give another name")
        }
    }

    static func write(_ run: RecordedRun, to path: String) throws {
        do {
            try OutputFile.write(try run.text(), to: path)
        } catch {
            throw Failure("--record \(QuotedInput(path)): \(error)", status: .cannotWriteOutput)
        }
    }

    /// Reads what ``write(_:to:)`` wrote, `-` being standard input.
    static func read(_ path: String) throws -> RecordedRun {
        do {
            return try RecordedRun(parsing: try InputFile.read(path, limit: RecordedRun.byteLimit))
        } catch let error as RecordedRun.Fault {
            throw Failure("\(QuotedInput(path)): \(error)")
        } catch {
            throw Failure("replay: \(error)")
        }
    }
}
