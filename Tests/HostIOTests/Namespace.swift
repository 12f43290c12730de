import Glibc
import Testing

/// A network and mount namespace of a test's own, which ends with the thread that runs in it.
enum Namespace {
    /// Whether this process may make one; where not, the tests that need it are skipped by name.
    static let isPermitted = (try? inside { () }) != nil

    struct Refused: Error { var errno: Int32 }

    private final class Job {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    /// Runs `body` on a thread of its own in new namespaces with `lo` up: unshare(2) concerns one thread alone.
    static func inside<Value>(_ body: @escaping () throws -> Value) throws -> Value {
        var result: Result<Value, any Error> = .failure(Refused(errno: 0))
        let job = Job {
            result = Result {
                try leave()
                shell("mount --make-rprivate / && ip link set lo up")
                return try body()
            }
        }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Job>.fromOpaque(argument).takeUnretainedValue().run() }
                return nil
            }, Unmanaged.passUnretained(job).toOpaque())
        guard code == 0 else { throw Refused(errno: code) }
        pthread_join(thread, nil)
        return try result.get()
    }

    /// unshare(CLONE_NEWNET | CLONE_NEWNS), which Swift's view of the C library leaves out.
    private static func leave() throws {
        typealias Unshare = @convention(c) (Int32) -> Int32
        guard let symbol = dlsym(nil, "unshare") else { throw Refused(errno: ENOSYS) }
        guard unsafeBitCast(symbol, to: Unshare.self)(0x4000_0000 | 0x0002_0000) == 0 else {
            throw Refused(errno: errno)
        }
    }

    /// Runs commands in the namespace of this thread; a failure is an issue of the test.
    static func shell(_ commands: String) {
        var child = pid_t()
        let arguments: [String] = ["/bin/sh", "-ec", "exec >&2; " + commands]
        let words = arguments.map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        let code = posix_spawn(&child, "/bin/sh", nil, nil, words, environ)
        var status: Int32 = 0
        if code == 0 { waitpid(child, &status, 0) }
        #expect(code == 0 && status == 0, "\(commands)")
    }
}
