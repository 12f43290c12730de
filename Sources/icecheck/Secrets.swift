#if canImport(Glibc)
    import Glibc
#endif

/// The options whose values are secrets.
private let secretOptions = ["--password"]

/// Overwrites the values of secret options in this process's argument list, so that they are in the process list no
/// longer than parsing takes.
func hideSecrets() {
    var isSecret = false
    for index in 1..<max(1, Int(CommandLine.argc)) {
        guard let argument = CommandLine.unsafeArgv[index] else { continue }
        let text = String(cString: argument)
        if isSecret { overwrite(argument) }
        isSecret = secretOptions.contains(text)
        for option in secretOptions where text.hasPrefix(option + "=") {
            overwrite(argument + option.utf8.count + 1)
        }
    }
}

private func overwrite(_ text: UnsafeMutablePointer<CChar>) {
    for offset in 0..<strlen(text) { text[offset] = CChar(UInt8(ascii: "x")) }
}
