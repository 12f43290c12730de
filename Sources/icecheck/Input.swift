import HostIO
import STUN

/// Reading what the user names: a file, or standard input for `-`.
enum Input {
    static func read(_ name: String, for option: String) throws -> [UInt8] {
        do {
            return try InputFile.read(name)
        } catch {
            throw Failure(status: .usage, "\(option) \(QuotedInput(name)): \(error)")
        }
    }
}
