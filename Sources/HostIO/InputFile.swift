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
