import ArgumentParser
import Diagnosis
import HostIO
import Reporting
import STUN

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain a finding, an error code or a term, and what to do about it.",
        discussion: """
            Write them as people do: 438, error 438, udp-blocked, symmetric NAT. Without a word, all entries are listed.
            """)

    @Argument(help: ArgumentHelp("Findings, error codes, terms.", valueName: "word"))
    var words: [String] = []

    @OptionGroup var output: OutputArguments

    func run() throws {
        let found = try words.isEmpty ? Explanations.all : explanations()
        let renderer = ExplanationRenderer(style: .standardOutput)
        switch output.format {
        case .json: try Run.write(renderer.json(of: found))
        case .text, .sdp: try Run.write(words.isEmpty ? renderer.index(of: found) : renderer.text(of: found))
        }
    }

    /// Of each entry that the words name: the most words that name one together are taken first.
    private func explanations() throws -> [Explanation] {
        var found: [Explanation] = []
        var rest = words[...]
        while let word = rest.first {
            let lengths = stride(from: rest.count, through: 1, by: -1)
            let entries = lengths.lazy.map { ($0, Explanations.find(rest.prefix($0).joined(separator: " "))) }
            guard let (length, entry) = entries.first(where: { !$0.1.isEmpty }) else {
                let nearest = Explanations.nearest(to: word)
                let hint =
                    nearest.isEmpty ? "icecheck explain lists all" : "closest: \(nearest.joined(separator: ", "))"
                throw Failure(status: .usage, "no entry '\(QuotedInput(word))'; \(hint)")
            }
            found += entry
            rest.removeFirst(length)
        }
        return found
    }
}
