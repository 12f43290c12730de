import HostIO
import STUN
import Session

/// The options whose values are secrets.
private let secretOptions = ["--password", "--secret"]

/// Options whose values may have a secret after a colon.
private let credentialOptions = ["--user"]

/// Overwrites the values of secret options in this process's argument list, so that they are in the process list no
/// longer than parsing takes.
func hideSecrets() {
    var isSecret = false
    var isCredential = false
    for (index, text) in Process.arguments.enumerated() {
        if isSecret { Process.hideArgument(index) }
        if isCredential, let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            Process.hideArgument(index, after: text.utf8.distance(from: text.startIndex, to: colon) + 1)
        }
        isSecret = secretOptions.contains(text)
        isCredential = credentialOptions.contains(text)
        for option in credentialOptions where text.hasPrefix(option + "=") {
            guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { continue }
            Process.hideArgument(index, after: text.utf8.distance(from: text.startIndex, to: colon) + 1)
        }
        for option in secretOptions where text.hasPrefix(option + "=") {
            Process.hideArgument(index, after: option.utf8.count + 1)
        }
    }
}

/// Where secrets come from.
enum Secrets {
    /// A secret of the command line: itself, or the first line of a file; nil where neither is given.
    ///
    /// - Throws: ``Failure`` where both are, or it is empty or no text. No message has it.
    static func named(_ argument: String?, file: String?, option: String) throws -> Secret? {
        guard let file else {
            guard let argument else { return nil }
            guard !argument.isEmpty else { throw Failure(status: .usage, "\(option) is empty") }
            return Secret(argument)
        }
        guard argument == nil else {
            throw Failure(status: .usage, "\(option) and \(option)-file exclude each other; give the file")
        }
        let line = try Input.read(file, for: "\(option)-file").prefix { $0 != 0x0A && $0 != 0x0D }
        let place = "\(option)-file \(QuotedInput(file))"
        guard let text = String(validating: line, as: UTF8.self) else {
            throw Failure(status: .usage, "\(place): its first line is no UTF-8")
        }
        guard !text.isEmpty else {
            throw Failure(status: .usage, "\(place): its first line is to hold the secret, and is empty")
        }
        return Secret(text)
    }

    /// That of an environment variable; nil where it is not set, or empty.
    static func environment(_ name: String) -> Secret? {
        Environment.value(name, isNonEmpty: true).map { Secret($0) }
    }
}
