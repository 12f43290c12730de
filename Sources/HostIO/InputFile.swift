import CSystem

/// Files that the user names, read whole up to a limit.
package enum InputFile {
    /// - Throws: ``SystemError``; EFBIG where there is more than `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let descriptor = try SystemError.check(csys_open_file(path), "read it")
        defer { csys_close(descriptor) }
        return try read(descriptor, limit)
    }

    package static func readStandardInput(limit: Int) throws(SystemError) -> [UInt8] { try read(0, limit) }

    /// Whether `path` can be opened as a file.
    package static func exists(_ path: String) -> Bool {
        let descriptor = csys_open_file(path)
        guard descriptor >= 0 else { return false }
        csys_close(descriptor)
        return true
    }

    private static func read(_ descriptor: Int32, _ limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = try SystemError.check(
                csys_read_file(descriptor, &chunk, chunk.count), "read it")
            if count == 0 { return bytes }
            bytes += chunk.prefix(Int(count))
            guard bytes.count <= limit else { throw SystemError("read more than \(limit) bytes", errno: fileTooBig) }
        }
    }

    /// EFBIG.
    private static let fileTooBig: Int32 = 27
}
