import CSystem
import Glibc
import NetTypes

/// A TCP connection: on its way, open, or half closed; with the bytes that the peer has not taken yet.
final class Connection {
    enum State { case connecting, open, ended }

    let path: PathID
    let remote: Endpoint
    let descriptor: Descriptor
    private(set) var state: State
    /// Whether a listener accepted it.
    let isAccepted: Bool
    private var unsent: [UInt8] = []
    private var sentCount = 0

    /// More than this unsent is a peer that does not read: it may not grow us.
    static let mostUnsent = 1 << 20

    /// Starts to connect.
    init(path: PathID, to remote: Endpoint, _ specification: PathSpecification) throws(SystemError) {
        var local = specification.local?.flat ?? csys_endpoint()
        var flat = remote.flat
        descriptor = try Descriptor(
            csys_open_connection(&flat, &local, specification.interface, specification.sharesPort), "connect")
        self.path = path
        self.remote = remote
        state = .connecting
        isAccepted = false
    }

    /// Takes a connection that a listener accepted.
    init(path: PathID, accepted number: Int32, from remote: Endpoint) throws(SystemError) {
        descriptor = try Descriptor(number, "accept a connection")
        self.path = path
        self.remote = remote
        state = .open
        isAccepted = true
    }

    var local: Endpoint {
        var flat = csys_endpoint()
        _ = csys_local_endpoint(descriptor.number, &flat)
        return Endpoint(flat) ?? Endpoint(.unspecified(remote.family), 0)
    }

    var interest: Readiness.Interest {
        switch state {
        case .connecting: .writable
        case .open: unsent.isEmpty ? .readable : [.readable, .writable]
        case .ended: unsent.isEmpty ? [] : .writable
        }
    }

    /// The end of a connection attempt: nil where it succeeded.
    func finishConnecting(buffer: ReceiveBuffer) -> PathError? {
        let errno = csys_pending_error(descriptor.number)
        guard errno != 0 else {
            state = .open
            // An established connection outlives an ICMP message, as TCP wants it (RFC 1122 s4.2.3.9).
            _ = csys_ignore_icmp(descriptor.number)
            return nil
        }
        return failure(errno, buffer: buffer)
    }

    /// The words for an errno of this connection, with the ICMP message behind it where there is one.
    func failure(_ errno: Int32, buffer: ReceiveBuffer? = nil) -> PathError {
        var entry = csys_queued_error()
        if let buffer, state == .connecting,
            csys_receive_error(descriptor.number, buffer.bytes.baseAddress, buffer.bytes.count, &entry) == 0,
            var error = PathError(entry, on: path, quoted: [])
        {
            error.destination = remote
            error.isFatal = true
            return error
        }
        let kind = PathError.Kind(errno: errno)
        let isPeers = kind == .connectionRefused || kind == .connectionReset
        return PathError(
            path: path, kind: kind, origin: isPeers ? .peer : .local, destination: remote, errno: errno, isFatal: true)
    }

    enum Arrival {
        case bytes([UInt8])
        case ended
        case nothing
        case failed(errno: Int32)
    }

    func read(into buffer: ReceiveBuffer) -> Arrival {
        guard state == .open else { return .nothing }
        let count = csys_read_stream(descriptor.number, buffer.bytes.baseAddress, buffer.bytes.count)
        if count == -Int64(EAGAIN) { return .nothing }
        if count < 0 { return .failed(errno: Int32(truncatingIfNeeded: -count)) }
        if count == 0 {
            state = .ended
            return .ended
        }
        return .bytes(buffer.prefix(Int(count)))
    }

    /// Takes bytes to send after those that wait, and sends what the system takes now. Gives an errno, 0 for none.
    func write(_ bytes: [UInt8]) -> Int32 {
        guard unsent.count - sentCount + bytes.count <= Self.mostUnsent else { return ENOBUFS }
        unsent += bytes
        return state == .connecting ? 0 : flush()
    }

    /// Sends what waits, as far as the system takes it. Gives an errno, 0 for none.
    func flush() -> Int32 {
        while sentCount < unsent.count {
            let count = unsent[sentCount...].withUnsafeBytes { bytes in
                csys_write_stream(descriptor.number, bytes.baseAddress, bytes.count)
            }
            if count == -Int64(EAGAIN) {
                unsent.removeFirst(sentCount)
                sentCount = 0
                return 0
            }
            if count < 0 { return Int32(truncatingIfNeeded: -count) }
            sentCount += Int(count)
        }
        unsent.removeAll()
        sentCount = 0
        return 0
    }
}
