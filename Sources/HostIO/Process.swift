import Glibc

/// This process.
package enum Process {
    /// Ends it now. A resolver thread that still waits for an answer is not waited for.
    package static func exit(_ status: Int32) -> Never { _exit(status) }
}
