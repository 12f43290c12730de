import STUN

/// Names from the STUN registries, for messages.
enum ErrorNames {
    /// ` (Unauthorized)` for a registered code, nothing for another.
    static func suffix(_ code: Int) -> String {
        ErrorCode.registeredName(code).map { " (\($0))" } ?? ""
    }
}
