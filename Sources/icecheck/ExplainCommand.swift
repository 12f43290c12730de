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
        let (found, unknown) = words.isEmpty ? (Explanations.all, []) : Explanations.find(words)
        guard unknown.isEmpty else {
            let word = unknown.joined(separator: " ")
            let nearest = Explanations.nearest(to: word)
            let hint =
                nearest.isEmpty ? "icecheck explain lists all entries" : "closest: \(nearest.joined(separator: ", "))"
            throw Failure("no entry '\(QuotedInput(word))'; \(hint)")
        }
        let renderer = ExplanationRenderer(style: .standardOutput)
        switch output.format {
        case .json: try Run.write(renderer.json(of: found))
        case .text, .sdp: try Run.write(words.isEmpty ? renderer.index(of: found) : renderer.text(of: found))
        }
    }
}
