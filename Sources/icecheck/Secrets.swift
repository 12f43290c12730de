import HostIO

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
