import ArgumentParser
import Diagnosis
import Reporting
import STUN

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Says what a finding, an error code or a term means, and what to do.",
        discussion: """
            Words are taken as people write them: 438, "error 438", udp-blocked, "symmetric NAT". Without one, it lists \
            all that it knows.
            """)

    @Argument(help: ArgumentHelp("Findings, error codes, terms.", valueName: "word"))
    var words: [String] = []

    @OptionGroup var output: OutputArguments

    func run() throws {
        guard output.format != .sdp else {
            throw Failure(status: .usage, "--format sdp is for candidates; explain prints text or json")
        }
        let found = try words.isEmpty ? Explanations.all : words.flatMap(explanations)
        let renderer = ExplanationRenderer(style: .standardOutput)
        switch output.format {
        case .json: try Run.write(renderer.json(of: found))
        case .text, .sdp: try Run.write(words.isEmpty ? renderer.index(of: found) : renderer.text(of: found))
        }
    }

    private func explanations(of word: String) throws -> [Explanation] {
        let found = Explanations.find(word)
        guard found.isEmpty else { return found }
        let nearest = Explanations.nearest(to: word)
        let hint = nearest.isEmpty ? "icecheck explain lists all" : "is it \(nearest.joined(separator: ", or "))?"
        throw Failure(status: .usage, "explain does not know '\(QuotedInput(word))'; \(hint)")
    }
}
