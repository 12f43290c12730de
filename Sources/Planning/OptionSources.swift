package import NetTypes
import STUN

/// What options refer to: the environment, files and the time.
package struct OptionSources {
    /// The value of a variable; nil where it is not set, or empty.
    package var environment: (EnvironmentVariable) -> String?
    /// The content of a file that an option names. It throws the sentence that says why it cannot be read.
    package var file: (_ name: String) throws(PlanError) -> [UInt8]
    /// Seconds since 1970.
    package var wallClock: Int64

    package init(
        wallClock: Int64, environment: @escaping (EnvironmentVariable) -> String?,
        file: @escaping (_ name: String) throws(PlanError) -> [UInt8]
    ) {
        self.wallClock = wallClock
        self.environment = environment
        self.file = file
    }

    package func read(_ name: String, for option: String) throws(PlanError) -> [UInt8] {
        do { return try file(name) } catch { throw PlanError("\(option) \(QuotedInput(name)): \(error)") }
    }

    /// A secret of the command line: itself, or the first line of a file; nil where neither is given.
    ///
    /// - Throws: where both are, or it is empty or no text. No message has it.
    package func secret(_ argument: Secret?, file: String?, option: String) throws(PlanError) -> Secret? {
        guard let file else {
            if argument?.isEmpty == true { throw PlanError("\(option) is empty") }
            return argument
        }
        guard argument == nil else { throw PlanError("\(option) and \(option)-file exclude each other; give the file") }
        let line = try read(file, for: "\(option)-file").prefix { $0 != 0x0A && $0 != 0x0D }
        let place = "\(option)-file \(QuotedInput(file))"
        guard let text = String(validating: line, as: UTF8.self) else {
            throw PlanError("\(place): its first line is not UTF-8")
        }
        guard !text.isEmpty else {
            let content = option.drop { $0 == "-" }
            throw PlanError("the first line of \(place) is empty; it must hold the \(content)")
        }
        return Secret(text)
    }

    package func secret(_ variable: EnvironmentVariable) -> Secret? { environment(variable).map { Secret($0) } }
}
