import Glibc

/// What a process knows of itself.
package enum HostProcess {
    /// The value of an environment variable; nil where it is not set.
    package static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// The name that it was started by, without its folders.
    package static var name: String {
        let path = CommandLine.arguments.first ?? "icecheck"
        return path.split(separator: "/").last.map(String.init) ?? path
    }
}
