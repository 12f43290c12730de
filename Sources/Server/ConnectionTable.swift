import NetTypes
import STUN

/// The TCP connections of a STUN server, bounded in number, in time and in what they may ask.
struct ConnectionTable {
    struct Connection {
        let role: ListeningPaths.Role
        let local: Endpoint
        let remote: Endpoint
        fileprivate var framer = StreamFramer()
        fileprivate var answers = 0
        /// When it is closed unless something whole comes before.
        fileprivate var deadline: Instant
        fileprivate(set) var isAmidMessage = false
    }

    private let limits: STUNServerConfiguration.ConnectionLimits
    private var connections: [PathID: Connection] = [:]
    private var perSource: [IPAddress: Int] = [:]
    /// No connection is overdue before this. It may be early, where the connection that set it has gone on since.
    private(set) var nextDeadline: Instant?

    init(limits: STUNServerConfiguration.ConnectionLimits) { self.limits = limits }

    subscript(path: PathID) -> Connection? { connections[path] }
    func contains(_ path: PathID) -> Bool { connections[path] != nil }

    /// Takes a new connection; false where there are enough, of all or from this source.
    mutating func add(
        _ path: PathID, role: ListeningPaths.Role, local: Endpoint, remote: Endpoint, at now: Instant
    ) -> Bool {
        let already = perSource[remote.address, default: 0]
        guard connections[path] == nil, connections.count < limits.total, already < limits.perSource else {
            return false
        }
        perSource[remote.address] = already + 1
        let deadline = now + limits.idle
        connections[path] = Connection(role: role, local: local, remote: remote, deadline: deadline)
        wake(at: deadline)
        return true
    }

    mutating func remove(_ path: PathID) {
        guard let connection = connections.removeValue(forKey: path) else { return }
        let left = perSource[connection.remote.address, default: 1] - 1
        perSource[connection.remote.address] = left > 0 ? left : nil
        if connections.isEmpty { nextDeadline = nil }
    }

    /// Takes bytes of a connection and gives the frames that they complete, and why nothing more can be read of it
    /// where that is so.
    ///
    /// - Parameter permitsChannels: whether the connection has an allocation: without one there are no channels, and
    ///   what begins as ChannelData is the G of a GET, or worse.
    mutating func append(
        _ bytes: [UInt8], to path: PathID, permitsChannels: Bool, at now: Instant
    ) -> (frames: [StreamFramer.Frame], fault: String?) {
        guard var connection = connections.removeValue(forKey: path) else { return ([], nil) }
        defer { connections[path] = connection }
        if !connection.isAmidMessage, !permitsChannels, let first = bytes.first, first & 0xC0 != 0 {
            return ([], "no STUN message begins with this byte")
        }
        connection.framer.append(bytes)
        var frames: [StreamFramer.Frame] = []
        do {
            while let frame = try connection.framer.next() {
                if case .channelData = frame, !permitsChannels { return (frames, "ChannelData without an allocation") }
                frames.append(frame)
                connection.isAmidMessage = false
            }
        } catch {
            return (frames, error.description)
        }
        if connection.framer.pending.have > 0 {
            // From the first byte on, and not from the latest: a message that drips in has no more time.
            if !connection.isAmidMessage { connection.deadline = now + limits.partialMessage }
            connection.isAmidMessage = true
        } else {
            connection.deadline = now + limits.idle
        }
        wake(at: connection.deadline)
        return (frames, nil)
    }

    /// Lets a connection be silent for as long again.
    mutating func extend(_ path: PathID, at now: Instant) {
        connections[path]?.deadline = now + limits.idle
        wake(at: now + limits.idle)
    }

    mutating func countAnswer(on path: PathID) { connections[path]?.answers += 1 }

    /// Whether it has had all the answers that a connection gets.
    func isUsedUp(_ path: PathID) -> Bool { connections[path].map { $0.answers >= limits.answers } ?? false }

    /// The connections whose time is over; sets ``nextDeadline`` anew for the others.
    mutating func overdue(at now: Instant) -> [PathID] {
        nextDeadline = connections.values.map(\.deadline).filter { $0 > now }.min()
        return connections.filter { $0.value.deadline <= now }.map(\.key).sorted { $0.number < $1.number }
    }

    private mutating func wake(at deadline: Instant) {
        nextDeadline = nextDeadline.map { min($0, deadline) } ?? deadline
    }
}
