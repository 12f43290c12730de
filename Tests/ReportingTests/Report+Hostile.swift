import Diagnosis
import NetTypes
import Planning
import Reporting

@testable import Engines
@testable import Facts

/// Hostile bytes that a seed decides: what terminals obey, what hides or turns text, what is no UTF-8.
struct HostileText {
    private var random: SplitMix

    init(seed: Int) { random = SplitMix(state: UInt64(seed)) }

    private static let pieces: [[UInt8]] =
        [
            "\u{1b}[31m", "\u{1b}]0;title\u{7}", "\r\n", "\u{8}\u{8}", "\t", "\0", "\u{7f}", "\u{85}", "\u{9b}2J",
            "\u{61c}", "\u{200b}", "\u{200f}", "\u{202e}", "\u{2028}", "\u{2029}", "\u{2066}", "\u{2069}", "\u{feff}",
            "\"", "\\", "\\u001b", "</script>", "|", "=cmd()", "]]>", "e\u{301}\u{301}\u{301}", "你好", "🚀", " ", "   ",
            "ordinary", "\u{e0041}", "’…",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]]

    mutating func bytes() -> [UInt8] {
        let count = Int.random(in: 1...40, using: &random)
        return (0..<count).flatMap { _ in Self.pieces.randomElement(using: &random) ?? [] }
    }

    mutating func string() -> String { String(decoding: bytes(), as: UTF8.self) }
    mutating func outside() -> OutsideText { OutsideText(bytes: bytes()) }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

extension Report {
    /// The fixture with hostile text wherever text can come from outside or quote it.
    static func hostile(seed: Int) -> Report {
        var text = HostileText(seed: seed)
        var report = fixture
        report.subject = seed.isMultiple(of: 2) ? .candidates : .check
        report.command = text.string()
        report.verdict.summary = text.string()
        report.verdict.families = report.verdict.families.map { family in
            var family = family
            family.summary = text.string()
            return family
        }
        report.interfaces = report.interfaces?.map { interface in
            var interface = interface
            interface.name = text.string()
            return interface
        }
        report.candidates = report.candidates?.map { candidate in
            var candidate = candidate
            candidate.interface = text.string()
            candidate.candidate.extensions = [.init(name: "x", value: text.string())]
            candidate.server = text.string()
            if candidate.withheld != nil { candidate.withheld = text.string() }
            return candidate
        }
        report.stun = report.stun?.map { $0.hostile(&text) }
        report.turn = TURNResult.fixtures.map { $0.hostile(&text) }
        report.relayPairs = RelayPairResult.fixtures.map { $0.hostile(&text) }
        report.notMeasured = report.notMeasured.map { $0.hostile(&text) }
        report.findings = report.findings.map { finding in
            var finding = finding
            finding.title = text.string()
            finding.servers = finding.servers.map { _ in text.string() }
            finding.evidence = [text.string(), text.string()]
            finding.causes = [text.string()]
            finding.remedy = text.string()
            return finding
        }
        return report
    }
}

extension NotMeasured {
    fileprivate func hostile(_ text: inout HostileText) -> NotMeasured {
        NotMeasured(what: text.string(), family: family, reason: reason, detail: text.string())
    }
}

extension STUNResult {
    fileprivate func hostile(_ text: inout HostileText) -> STUNResult {
        var result = self
        result.server = text.string()
        result.answer?.software = text.outside()
        result.answer?.remarks = [text.string()]
        result.ignored = ignored.map { replies in
            var replies = replies
            replies.detail = text.string()
            return replies
        }
        switch outcome {
        case .answered: break
        case .failed(var error):
            error.message = text.string()
            error.reason = text.outside()
            result.outcome = .failed(error)
        case .notMeasured(let notMeasured): result.outcome = .notMeasured(notMeasured.hostile(&text))
        }
        return result
    }
}
