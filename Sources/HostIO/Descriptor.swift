import CSystem

/// A file descriptor with one owner, closed with it.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Takes what a call of the system gave, or throws its negated errno.
    init(_ result: Int32, _ operation: String) throws(SystemError) {
        number = try SystemError.check(result, operation)
    }

    deinit { csys_close(number) }
}
