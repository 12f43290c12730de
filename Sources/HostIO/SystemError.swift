import CSystem

/// A refusal of the operating system: what was asked, and its errno.
package struct SystemError: Error, Hashable, CustomStringConvertible {
    package var operation: String
    package var errno: Int32

    package init(_ operation: String, errno: Int32) {
        self.operation = operation
        self.errno = errno
    }

    package var description: String { "cannot \(operation): \(Self.sentence(for: errno))" }

    /// The system's own sentence for an errno.
    package static func sentence(for errno: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
            guard let start = text.baseAddress else { return "error \(errno)" }
            text.initialize(repeating: 0)
            csys_error_text(errno, start, text.count)
            return String(cString: start)
        }
    }

    /// The value, where it is not a negated errno.
    static func check<Value: SignedInteger>(_ value: Value, _ operation: String) throws(SystemError) -> Value {
        if value < 0 { throw SystemError(operation, errno: Int32(truncatingIfNeeded: -value)) }
        return value
    }
}
