import NetTypes
import Prediction
import Reporting
import Testing

@Suite("Predicted paths in the report") struct PathReportTests {
    private static let style = RenderingStyle(width: 120, isColoured: false, isUnicode: true)

    private static func text(_ report: Report, width: Int = 120) -> String {
        report.rendered(as: .text, style: RenderingStyle(width: width, isColoured: false, isUnicode: true))
    }

    @Test("Are a table of the classes of peer, with and without TURN of their own")
    func classes() {
        let lines = Self.text(.pathFixture).split(separator: "\n").map(String.init)
        func line(_ start: String) -> String { lines.first { $0.contains(start) } ?? "no line" }
        #expect(line("public host").contains("✔") && line("public host").contains("direct, "))
        let strict = line("NAT                  address-and-port  address-and-port")
        #expect(strict.contains("✘") && strict.contains("none") && strict.contains("relayed, "))
        #expect(line("UDP blocked").contains("relayed, "))
        #expect(Self.text(.pathFixture).contains("both NATs give each destination another port"))
    }

    @Test("That depend on what is unknown say so")
    func doubt() {
        let text = Self.text(.pathFixture).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(text.contains("none or direct"))
        #expect(text.contains("depends on what the NAT or firewall of the peer lets in (IPv4)"))
        #expect(text.contains("b\\u{7}.json"))
    }

    @Test("Of a machine that nothing outside has answered are one sentence")
    func nothingKnown() {
        var predictor = Predictor()
        var machine = Report.strict
        machine.kind.ipv4.passesUDP = nil
        var report = Report.pathFixture
        report.paths = PathRecord.toClasses(from: machine, &predictor)
        let text = Self.text(report)
        #expect(text.contains("no path is certain: each depends on whether IPv4 UDP gets out"))
        #expect(!text.contains("carrier-grade"))
    }

    @Test("Of a mesh are its kinds, a matrix and what a call costs", arguments: [40, 80, 120])
    func mesh(width: Int) {
        let text = Self.text(.meshFixture, width: width)
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("Kinds of machine (3 among 4)"))
        #expect(words.contains("6 pairs: 1 direct, 2 relayed, 3 without a path; 4 may be better"))
        #expect(words.contains("A call of 3 at 500 kbit/s"))
        #expect(words.contains("4 of 4 machines reach it directly"))
        #expect(text.contains("   1  -  -  r\n") || text.contains("  1 - - r\n"))
    }
}
