import Glibc
import Testing

@testable import HostIO

struct FileTests {
    @Test func aFileIsReadWholeUpToTheLimitAndRefusedAboveIt() throws {
        let path = "/tmp/icecheck-file-test-\(getpid())"
        let file = try #require(fopen(path, "w"))
        defer { unlink(path) }
        fputs(String(repeating: "x", count: 100_000), file)
        fclose(file)
        #expect(try InputFile.read(path, limit: 100_000).count == 100_000)
        #expect(throws: InputFile.ReadError.tooLong(name: "'\(path)'", limit: 99_999)) {
            try InputFile.read(path, limit: 99_999)
        }
    }

    @Test(arguments: [
        ("/no/such/file", "cannot open '/no/such/file': No such file or directory"),
        ("/tmp", "cannot open '/tmp': Is a directory"),
    ])
    func aFileThatCannotBeReadIsNamedWithTheReason(path: String, sentence: String) throws {
        let error = #expect(throws: InputFile.ReadError.self) { try InputFile.read(path) }
        #expect(error?.description == sentence)
    }

    @Test func anEndlessFileIsRefusedAtTheLimit() {
        #expect(throws: InputFile.ReadError.tooLong(name: "'/dev/zero'", limit: InputFile.usualLimit)) {
            try InputFile.read("/dev/zero")
        }
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"),
        (1_709_210_096_789_999_999, "2024-02-29T12:34:56.789Z"),
    ])
    func theTimeOfDayIsWrittenInUTCWithMilliseconds(nanoseconds: Int64, text: String) {
        #expect(WallClock.text(nanoseconds) == text)
    }
}
