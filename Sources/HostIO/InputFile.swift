import CSystem

/// Reads a file or standard input that a user named.
package enum InputFile {
    package enum ReadError: Error, Hashable, CustomStringConvertible {
        case tooLong(name: String, limit: Int)
        case failed(SystemError)

        package var description: String {
            switch self {
            case .tooLong(let name, let limit): "\(name) is longer than \(limit) bytes"
            case .failed(let error): error.description
            }
        }
    }

    /// 1 MiB, which no input of a person comes near.
    package static let usualLimit = 1 << 20

    /// The bytes of the file at `path`, `-` being standard input.
    package static func read(_ path: String, limit: Int = usualLimit) throws(ReadError) -> [UInt8] {
        do {
            if path == "-" { return try read(from: 0, name: "standard input", limit: limit) }
            let name = "'\(path)'"
            let file = try Descriptor(csys_open_file(path), "open \(name)")
            return try read(from: file.number, name: name, limit: limit)
        } catch let error as SystemError {
            throw .failed(error)
        } catch {
            throw .tooLong(name: path == "-" ? "standard input" : "'\(path)'", limit: limit)
        }
    }

    /// Gives the bytes of the file at `path`, `-` being standard input, in pieces of at most this many: for files of any
    /// length.
    package static func forEachPiece(
        of path: String, atMost capacity: Int = 1 << 18, _ body: ([UInt8]) -> Void
    ) throws(SystemError) {
        if path == "-" { return try readPieces(of: 0, "standard input", capacity, body) }
        let file = try Descriptor(csys_open_file(path), "open '\(path)'")
        try readPieces(of: file.number, "'\(path)'", capacity, body)
    }

    private static func readPieces(
        of descriptor: Int32, _ name: String, _ capacity: Int, _ body: ([UInt8]) -> Void
    ) throws(SystemError) {
        while true {
            var result: Int64 = 0
            let piece = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                result = csys_read_file(descriptor, buffer.baseAddress, capacity)
                count = max(0, Int(result))
            }
            _ = try SystemError.check(result, "read \(name)")
            if piece.isEmpty { return }
            body(piece)
        }
    }

    /// The names in a folder, hidden ones aside, in the order of their bytes; nil where `path` is no folder.
    package static func names(inFolder path: String) throws(SystemError) -> [String]? {
        final class Names { var all: [String] = [] }
        let names = Names()
        let result = csys_list_folder(path, Unmanaged.passUnretained(names).toOpaque()) { context, name in
            guard let context, let name, name.pointee != CChar(UInt8(ascii: ".")) else { return }
            Unmanaged<Names>.fromOpaque(context).takeUnretainedValue().all.append(String(cString: name))
        }
        // ENOTDIR, and ENOENT: whoever opens it as a file says what is wrong.
        if result == -20 || result == -2 { return nil }
        _ = try SystemError.check(result, "read the folder '\(path)'")
        return names.all.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Whether `path` can be opened as a file.
    package static func exists(_ path: String) -> Bool { (try? Descriptor(csys_open_file(path), "open")) != nil }

    private struct LimitExceeded: Error {}

    private static func read(from descriptor: Int32, name: String, limit: Int) throws -> [UInt8] {
        let capacity = 1 << 16
        var bytes: [UInt8] = []
        while true {
            let chunk = try [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                count = Int(
                    try SystemError.check(csys_read_file(descriptor, buffer.baseAddress, capacity), "read \(name)"))
            }
            if chunk.isEmpty { return bytes }
            bytes += chunk
            if bytes.count > limit { throw LimitExceeded() }
        }
    }
}
