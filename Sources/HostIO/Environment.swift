import Glibc
package import NetTypes

/// The environment variables of this process.
package enum Environment {
    /// - Parameter isNonEmpty: whether an empty value counts as none.
    package static func value(_ variable: EnvironmentVariable, isNonEmpty: Bool = false) -> String? {
        guard let text = getenv(variable.rawValue) else { return nil }
        let value = String(cString: text)
        return isNonEmpty && value.isEmpty ? nil : value
    }

    /// Whether the locale's encoding is UTF-8; the first of these variables that is set decides (POSIX).
    package static var usesUTF8: Bool {
        let variables: [EnvironmentVariable] = [.allLocale, .characterLocale, .language]
        guard let locale = variables.lazy.compactMap({ value($0, isNonEmpty: true) }).first else { return false }
        let encoding = locale.lowercased()
        return encoding.contains("utf-8") || encoding.contains("utf8")
    }
}
