import CSystem
import Glibc
import NetTypes

/// A UDP socket that stays unconnected, with its error queue.
final class DatagramSocket {
    let path: PathID
    let local: Endpoint
    let descriptor: Descriptor

    init(path: PathID, _ specification: PathSpecification) throws(SystemError) {
        let wanted = specification.local ?? Endpoint(.unspecified(specification.family), 0)
        var flat = wanted.flat
        self.path = path
        descriptor = try Descriptor(csys_open_datagram(&flat, specification.interface), "open a UDP socket")
        _ = try SystemError.check(csys_local_endpoint(descriptor.number, &flat), "read a socket's address")
        local = Endpoint(flat) ?? wanted
    }

    /// The next datagram, or nil where none waits. An error that the system reports here instead is an echo of what
    /// the error queue holds, and not this call's.
    func receive(into buffer: ReceiveBuffer) -> Datagram? {
        var flat = csys_datagram()
        for _ in 0..<4 {
            let result = csys_receive(descriptor.number, buffer.bytes.baseAddress, buffer.bytes.count, &flat)
            if result == -EAGAIN { return nil }
            guard result == 0, let source = Endpoint(flat.source) else { continue }
            let stamp = MonotonicClock.instant(ofRealtime: flat.stamp)
            return Datagram(
                path: path, source: source, destination: IPAddress(flat.destination),
                bytes: buffer.prefix(Int(flat.length)), arrivedAt: stamp ?? MonotonicClock.now,
                isKernelTimed: stamp != nil, timeToLive: UInt8(exactly: flat.time_to_live))
        }
        return nil
    }

    /// Everything in the error queue: an undrained error would fail the next send, whomever that is for.
    func drainErrors(into buffer: ReceiveBuffer) -> Errors {
        var errors = Errors()
        var entry = csys_queued_error()
        // The kernel holds the queue to the receive buffer; the bound is for an error flood that outruns us.
        while errors.icmp.count < 256,
            csys_receive_error(descriptor.number, buffer.bytes.baseAddress, buffer.bytes.count, &entry) == 0
        {
            if let error = PathError(entry, on: path, quoted: buffer.prefix(Int(entry.length))) {
                errors.icmp.append(error)
            } else if entry.error == EMSGSIZE, entry.info > 0 {
                errors.linkMTU = entry.info
            }
        }
        return errors
    }

    struct Errors {
        var icmp: [PathError] = []
        /// The MTU that one of our own datagrams was too big for.
        var linkMTU: UInt32?
    }

    /// Sends, and gives every error that came to light: those of earlier datagrams, and this one's own refusal.
    func send(_ transmit: Transmit, buffer: ReceiveBuffer) -> [PathError] {
        var errors = drainErrors(into: buffer)
        var errno = sendOnce(transmit)
        guard errno != 0 else { return errors.icmp }
        if Self.mayBeAnothers(errno) {
            // An ICMP message came between the drain and the send, and the send took its errno: once more.
            errors.icmp += drainErrors(into: buffer).icmp
            errno = sendOnce(transmit)
            guard errno != 0 else { return errors.icmp }
        }
        let late = drainErrors(into: buffer)
        errors.icmp += late.icmp
        // Twice in a row: the datagram counts as lost, and the errno still as another's.
        if late.icmp.contains(where: { $0.errno == errno }) || errno == ECONNREFUSED { return errors.icmp }
        var kind = PathError.Kind(errno: errno)
        if case .messageTooBig = kind { kind = .messageTooBig(mtu: late.linkMTU) }
        return errors.icmp + [
            PathError(
                path: path, kind: kind, origin: .local, destination: transmit.destination, quoted: transmit.bytes,
                errno: errno)
        ]
    }

    private func sendOnce(_ transmit: Transmit) -> Int32 {
        var destination = transmit.destination.flat
        return transmit.bytes.withUnsafeBytes { bytes in
            -csys_send_datagram(descriptor.number, bytes.baseAddress, bytes.count, &destination)
        }
    }

    /// Whether Linux turns some ICMP message into this errno. EPERM is none of them: a retry of what the local
    /// firewall refused would be a second datagram.
    private static func mayBeAnothers(_ errno: Int32) -> Bool {
        switch errno {
        case ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENONET, ENOPROTOOPT, EOPNOTSUPP, EMSGSIZE, EACCES,
            EPROTO:
            true
        default: false
        }
    }
}
