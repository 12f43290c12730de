import HostIO

/// The options whose values are secrets.
private let secretOptions = ["--password", "--secret", "--account"]

/// Overwrites the values of secret options in this process's argument list, so that they are in the process list no
/// longer than parsing takes.
func hideSecrets() {
    var isSecret = false
    for (index, text) in Process.arguments.enumerated() {
        if isSecret { Process.hideArgument(index) }
        isSecret = secretOptions.contains(text)
        for option in secretOptions where text.hasPrefix(option + "=") {
            Process.hideArgument(index, after: option.utf8.count + 1)
        }
    }
}
