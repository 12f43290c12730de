import Facts
import FoundationEssentials
import Planning
import Reporting
import SimNet
import Testing

/// What the runs of ``SeededRun`` and ``SeededConnection`` observe is held to the byte by the records in
/// `Tests/Recordings`. A change of them is a change of what icecheck does, to be told where it is made;
/// `ICECHECK_RECORD=1` in the environment writes the files anew.
@Suite struct RunSnapshotTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Recordings")

    @Test(arguments: SeededRun.all.map(\.name)) func aRunIsWhatWasRecorded(_ name: String) throws {
        let run = try #require(SeededRun.all.first { $0.name == name })
        try Self.compare(try run.record(own: Self.ownSeed), name)
    }

    @Test(arguments: SeededConnection.all.map(\.name)) func aConnectionIsWhatWasRecorded(_ name: String) throws {
        let connection = try #require(SeededConnection.all.first { $0.name == name })
        for (side, record) in zip(["a", "b"], try connection.records(own: Self.ownSeed)) {
            try Self.compare(record, "\(name).\(side)")
        }
    }

    @Test func eachRunHasANameOfItsOwnAndEachFileARun() throws {
        let names = SeededRun.all.map(\.name) + SeededConnection.all.flatMap { ["\($0.name).a", "\($0.name).b"] }
        #expect(Set(names).count == names.count)
        guard !Self.records else { return }
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path())
        #expect(Set(files).symmetricDifference(names.map { "\($0).json" }).sorted() == [])
    }

    private static let environment = ProcessInfo.processInfo.environment
    /// Of the session's random numbers, which are in no record.
    private static let ownSeed = environment["ICECHECK_OWN_SEED"].flatMap(UInt64.init) ?? 1

    private static let style = RenderingStyle(width: 100, isColoured: false, isUnicode: true)
    private static let records = environment["ICECHECK_RECORD"] == "1"

    static func compare(_ record: RecordedRun, _ name: String) throws {
        let text = try record.text()
        #expect(!text.contains("pencil"), "the password is in the record")
        let again = try RecordedRun(parsing: Array(text.utf8))
        #expect(try again.text() == text)
        // Two reports of checks are enough: each runs the model of many paths.
        guard record.plan.command != .check || name.hasPrefix("check-d") || name.hasPrefix("check-w") else {
            return try compare(text, name)
        }
        let (report, replayed) = (Report(record), Report(again))
        for format in [OutputFormat.text, .json, .sdp] {
            #expect(replayed.rendered(as: format, style: style) == report.rendered(as: format, style: style))
        }
        try compare(text, name)
    }

    private static func compare(_ text: String, _ name: String) throws {
        let file = folder.appending(path: "\(name).json")
        if records { return try Data(text.utf8).write(to: file) }
        let recorded = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        guard recorded != text else { return }
        let (old, new) = (recorded.split(separator: "\n"), text.split(separator: "\n"))
        let kind =
            withoutPorts(recorded) == withoutPorts(text)
            ? "in port numbers alone" : old.sorted() == new.sorted() ? "in the order of its lines alone" : ""
        let same = zip(old, new).prefix { $0 == $1 }.count
        let context = old[max(0, same - 3)..<same].map { "    \($0)" }
        let change = ["  - \(same < old.count ? old[same] : "(end)")", "  + \(same < new.count ? new[same] : "(end)")"]
        let lines = "\(name).json differs \(kind) from line \(same + 1) of \(old.count) (now \(new.count)) on:"
        Issue.record(Comment(rawValue: ([lines] + context + change).joined(separator: "\n")))
    }

    /// The text with its port numbers counted through in the order in which they first stand: another order of opening
    /// sockets then makes no difference.
    private static func withoutPorts(_ text: String) -> [Substring] {
        var places: [Substring: Int] = [:]
        return text.split(separator: "\"port\":").map { part in
            let port = part.prefix { $0.isNumber }
            let place = places[port] ?? places.count
            places[port] = place
            return "\(place)" + part.dropFirst(port.count)
        }
    }
}
