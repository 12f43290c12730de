import Glibc

/// The environment variables of this process.
package enum Environment {
    /// - Parameter isNonEmpty: whether an empty value counts as none.
    package static func value(_ name: String, isNonEmpty: Bool = false) -> String? {
        guard let text = getenv(name) else { return nil }
        let value = String(cString: text)
        return isNonEmpty && value.isEmpty ? nil : value
    }

    /// Whether the locale's encoding is UTF-8; the first of these variables that is set decides (POSIX).
    package static var usesUTF8: Bool {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"]
        guard let locale = names.lazy.compactMap({ value($0, isNonEmpty: true) }).first else { return false }
        let encoding = locale.lowercased()
        return encoding.contains("utf-8") || encoding.contains("utf8")
    }
}
