import CSystem
import NetTypes

/// Waits for descriptors to become readable or writable (epoll).
struct Readiness: ~Copyable {
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let readable = Interest(rawValue: UInt32(CSYS_READABLE))
        static let writable = Interest(rawValue: UInt32(CSYS_WRITABLE))
        /// Comes without being asked for.
        static let failed = Interest(rawValue: UInt32(CSYS_FAILED))
        /// Comes without being asked for.
        static let hungUp = Interest(rawValue: UInt32(CSYS_HUNG_UP))
    }

    struct Event {
        var token: UInt64
        var flags: Interest
    }

    private let descriptor: Descriptor

    init() throws(SystemError) {
        descriptor = try Descriptor(csys_readiness_create(), "create an epoll instance")
    }

    func add(_ number: Int32, token: UInt64, _ interest: Interest) throws(SystemError) {
        _ = try SystemError.check(
            csys_readiness_add(descriptor.number, number, token, interest.rawValue), "watch a descriptor")
    }

    /// Changes what a watched descriptor is watched for; that cannot fail.
    func change(_ number: Int32, token: UInt64, _ interest: Interest) {
        _ = csys_readiness_change(descriptor.number, number, token, interest.rawValue)
    }

    func remove(_ number: Int32) {
        _ = csys_readiness_remove(descriptor.number, number)
    }

    /// What is ready, after at most `limit`; nil waits for ever.
    func wait(atMost limit: Duration?) -> [Event] {
        withUnsafeTemporaryAllocation(of: csys_ready.self, capacity: 64) { ready in
            let nanoseconds = limit.map { max(0, $0.nanoseconds) } ?? -1
            let count = csys_readiness_wait(descriptor.number, ready.baseAddress, Int32(ready.count), nanoseconds)
            precondition(count >= 0, "an epoll instance of our own cannot be waited for: errno \(-count)")
            return ready[..<Int(count)].map { Event(token: $0.token, flags: Interest(rawValue: $0.events)) }
        }
    }
}
