import HostIO
import STUN

/// Reading what the user names: a file, or standard input for `-`.
enum Input {
    /// The most that is read of a file: no input of icecheck is larger.
    static let limit = 1 << 20

    static func read(_ name: String, for option: String) throws -> [UInt8] {
        do {
            return try name == "-" ? InputFile.readStandardInput(limit: limit) : InputFile.read(name, limit: limit)
        } catch {
            throw Failure(status: .usage, "\(option) \(QuotedInput(name)): \(error)")
        }
    }
}
