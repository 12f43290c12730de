import Diagnosis
import Facts
import Foundation
import NetTypes
import Reporting
import Testing

@Suite("Hostile text in every field")
struct HostileTextTests {
    private static let styles = [
        RenderingStyle(width: 80), RenderingStyle(width: 200), RenderingStyle(width: 40, isUnicode: false),
    ]

    @Test(
        "Text holds no control character but LF, nothing that turns or hides text, no trailing space",
        arguments: 0..<150)
    func text(seed: Int) {
        for style in Self.styles {
            let text = Report.hostile(seed: seed).rendered(as: .text, style: style)
            let unsafe = text.unicodeScalars.filter { !$0.isShowable && $0 != "\n" }
            #expect(unsafe.isEmpty, "seed \(seed), width \(style.width)")
            #expect(!text.unicodeScalars.contains { Self.isForbidden($0.value) }, "seed \(seed)")
            #expect(!text.contains(" \n"), "seed \(seed), width \(style.width)")
            #expect(style.isUnicode || text.utf8.allSatisfy { $0 < 0x7F }, "seed \(seed)")
        }
    }

    /// The list of the fault catalogue, apart from the categories that the code goes by.
    private static func isForbidden(_ value: UInt32) -> Bool {
        switch value {
        case 0x0A: false
        case ..<0x20, 0x7F...0x9F, 0x61C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF: true
        default: false
        }
    }

    private struct Parsed: Decodable {
        struct STUN: Decodable {
            struct Failure: Decodable {
                var message: String
                var reason: String?
            }
            var server: String
            var software: String?
            var softwareHex: String?
            var error: Failure?
        }
        struct TURN: Decodable {
            struct TLS: Decodable {
                struct Certificate: Decodable {
                    var subject: String
                    var names: [String]?
                }
                struct Fault: Decodable { var detail: String? }
                var chain: [Certificate]?
                var faults: [Fault]?
            }
            var server: String
            var realm: String?
            var software: String?
            var username: String?
            var tls: TLS?
            var error: STUN.Failure?
        }
        var command: String
        var stun: [STUN]
        var turn: [TURN]
    }

    @Test("JSON parses, gives our own text back as it was and text from outside cleaned", arguments: 0..<150)
    func json(seed: Int) throws {
        let report = Report.hostile(seed: seed)
        let json = report.json(pretty: seed.isMultiple(of: 2))
        let parsed = try JSONDecoder().decode(Parsed.self, from: Data(json.utf8))
        #expect(parsed.command == report.command, "seed \(seed)")
        for (written, result) in zip(parsed.stun, try #require(report.stun)) {
            #expect(written.server == result.server, "seed \(seed)")
            #expect(written.software == result.answer?.software?.cleaned(), "seed \(seed)")
            if case .failed(let error) = result.outcome {
                #expect(written.error?.message == error.message, "seed \(seed)")
                #expect(written.error?.reason == error.reason?.cleaned(), "seed \(seed)")
            }
            if let software = result.answer?.software,
                software.cleaned() != String(decoding: software.bytes, as: UTF8.self)
            {
                let hex = software.bytes.prefix(1024).map { String(format: "%02x", $0) }.joined()
                #expect(written.softwareHex == hex, "seed \(seed)")
            }
        }
        for (written, result) in zip(parsed.turn, try #require(report.turn)) {
            #expect(written.server == result.server, "seed \(seed)")
            #expect(written.realm == result.evidence?.realm?.cleaned(), "seed \(seed)")
            #expect(written.software == result.evidence?.software?.cleaned(), "seed \(seed)")
            #expect(written.username == result.evidence?.username.cleaned(), "seed \(seed)")
            let tls = result.evidence?.tls
            #expect(written.tls?.chain?.map(\.subject) == tls?.facts.chain.map { $0.subject.cleaned() })
            let faults = written.tls?.faults?.map(\.detail) ?? []
            #expect(faults == (tls?.failures ?? []).map { $0.detail.cleaned() }, "seed \(seed)")
            if case .failed(let error) = result.outcome {
                #expect(written.error?.reason == error.reason?.cleaned(), "seed \(seed)")
            }
        }
        #expect(!json.unicodeScalars.contains { Self.isForbidden($0.value) }, "seed \(seed)")
    }

    @Test("A candidate stays on its line", arguments: 0..<50)
    func candidateLines(seed: Int) {
        let lines = Report.hostile(seed: seed).rendered(as: .sdp, style: RenderingStyle()).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.hasPrefix("a=candidate:") && $0.unicodeScalars.allSatisfy { $0.isShowable } })
    }

    @Test("A server's 65,400 bytes do not swell the report")
    func floods() throws {
        var report = Report.fixture
        let result = try #require(report.stun?.first)
        report.stun = (0..<100).map { _ in
            var result = result
            result.answer?.software = OutsideText(bytes: Array(repeating: 0xFF, count: 65_400))
            return result
        }
        #expect(report.json(pretty: true).utf8.count < 400_000)
        #expect(report.rendered(as: .text, style: RenderingStyle()).utf8.count < 100_000)
    }
}
