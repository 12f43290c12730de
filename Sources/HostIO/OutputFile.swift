import CSystem
import Glibc

/// Writes a file that is there whole or not at all.
package enum OutputFile {
    /// Whether something has this name, be it a link that leads nowhere.
    package static func exists(_ path: String) -> Bool { csys_has_file(path) }

    /// Writes beside `path` and renames: who reads it never sees a part.
    package static func write(_ text: String, to path: String) throws(SystemError) {
        let interim = "\(path).\(getpid()).part"
        do {
            let file = try Descriptor(csys_create_private_file(interim), "create '\(interim)'")
            var text = text
            let result = text.withUTF8 { csys_write_all(file.number, $0.baseAddress, $0.count) }
            _ = try SystemError.check(result, "write '\(interim)'")
            _ = try SystemError.check(csys_rename(interim, path), "rename '\(interim)' to '\(path)'")
        } catch {
            _ = csys_remove_file(interim)
            throw error
        }
    }
}
