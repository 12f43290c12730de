import Facts
import FoundationEssentials
import NetTypes
import SimNet
import Testing

@testable import Reporting

/// Records of runs are read and reported, whatever has become of them.
@Suite struct RecordedRunTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Recordings")

    private static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path()).filter { $0.hasSuffix(".json") }.sorted()
    }

    private static func bytes(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: folder.appending(path: name)))
    }

    private static let style = RenderingStyle(width: 100, isColoured: false, isUnicode: true)

    private func fault(_ text: String) -> String? {
        do throws(RecordedRun.Fault) {
            _ = try RecordedRun(parsing: Array(text.utf8))
            return nil
        } catch { return error.description }
    }

    @Test func whatIsNoRecordIsToldInOneLine() throws {
        let good = String(decoding: try Self.bytes("stun-tcp.json"), as: UTF8.self)
        #expect(fault(good) == nil)
        #expect(fault("")?.contains("the file is empty, or its end is missing") == true)
        #expect(fault(String(good.prefix(700)))?.contains("its end is missing") == true)
        #expect(fault("v=0")?.hasPrefix("line 1, column 1: ") == true)
        #expect(fault("{}")?.contains("it has no schema") == true)
        #expect(fault("{\"schema\":\"icecheck-report\"}")?.contains("its schema is \"icecheck-report\"") == true)
        #expect(fault(good.replacing("\"version\":1", with: "\"version\":2"))?.contains("version 1 only") == true)
        #expect(
            fault(good.replacing("\"timeout\":5", with: "\"timeout\":\"5\""))?
                .contains("plan.timeout: a number is expected, and not a string") == true)
        #expect(fault(good.replacing("\"finished\":{}", with: "\"interrupted\":{\"signal\":-128}")) != nil)
        #expect(fault(good.replacing("\"maximumTransmissions\":7", with: "\"maximumTransmissions\":0")) != nil)
    }

    @Test func aConnectionIsReportedWithWhatWasPredictedOfIt() throws {
        let run = try RecordedRun(parsing: Self.bytes("connect-homes.a.json"))
        #expect(Report(run).connect?.prediction?.outcome == "direct")
    }

    /// No bytes trap, and none of a record reach a terminal as they are.
    @Test func threeThousandBrokenRecordsAreReadOrRefused() throws {
        // The report of a check runs the model of many paths: few of them are enough.
        let names = try Self.names().filter {
            try Self.bytes($0).count < 12_000 && (!$0.hasPrefix("check-") || $0 == "check-wrong-password.json")
        }
        let records = try names.map(Self.bytes)
        let seed = ProcessInfo.processInfo.environment["ICECHECK_OWN_SEED"].flatMap(UInt64.init) ?? 1
        var random = SeededGenerator(seed: seed)
        var reported = 0
        for number in 0..<3000 {
            let bytes = Self.broken(records[number % records.count], &random)
            guard let run = try? RecordedRun(parsing: bytes) else { continue }
            reported += 1
            let report = Report(run)
            let text = report.rendered(as: .text, style: Self.style) + report.rendered(as: .sdp, style: Self.style)
            #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.isShowable }, "\(names[number % names.count])")
            _ = report.rendered(as: .json, style: Self.style)
        }
        #expect(reported > 500, "too few were whole enough to be reported: \(reported)")
    }

    private static let numbers = [
        "-1", "0", "1", "2", "7", "255", "65535", "65536", "4294967295", "4294967296", "999999999999",
        "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e15", "-1e15", "1e400", "0.5", "-0",
        "999999999", "-999999999.999999999999999999",
    ]

    /// The record with a few of its bytes changed, or of its numbers, or lines of it gone or doubled.
    private static func broken(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0...2, using: &random) where bytes.count > 40 {
            let place = Int.random(in: 20..<bytes.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1:
                let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
                let line = Int.random(in: 1..<lines.count, using: &random)
                bytes = Array((lines[..<line] + lines[(line + 1)...]).joined(separator: [0x0A]))
            case 2:
                let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
                let line = Int.random(in: 1..<lines.count, using: &random)
                bytes = Array((lines[...line] + lines[line...]).joined(separator: [0x0A]))
            default:
                // The next number that is the value of a member.
                guard let colon = bytes[place...].firstIndex(of: UInt8(ascii: ":")) else { continue }
                let digits = bytes[(colon + 1)...].prefix { (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D }
                guard !digits.isEmpty, let number = numbers.randomElement(using: &random) else { continue }
                bytes.replaceSubrange(digits.startIndex..<digits.endIndex, with: Array(number.utf8))
            }
        }
        return bytes
    }
}
