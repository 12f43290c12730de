import CSystem
import Glibc
import NetTypes

/// A UDP socket that stays unconnected, with its error queue.
final class DatagramSocket {
    let path: PathID
    let local: Endpoint
    let descriptor: Descriptor
    private var sent = SentDatagrams()

    init(path: PathID, _ specification: PathSpecification) throws(SystemError) {
        let wanted = specification.local ?? Endpoint(.unspecified(specification.family), 0)
        var flat = wanted.flat
        self.path = path
        if let group = specification.group {
            var membership = Endpoint(group, wanted.port).flat
            descriptor = try Descriptor(
                csys_open_group(&membership, &flat, specification.interface), "join a multicast group")
        } else {
            descriptor = try Descriptor(csys_open_datagram(&flat, specification.interface), "open a UDP socket")
        }
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
            if entry.is_transmit_stamp {
                if let transmitted = sent.transmitted(entry.sequence, stamp: entry.stamp) {
                    errors.transmitted.append(transmitted)
                }
            } else if let error = PathError(entry, on: path, quoted: buffer.prefix(Int(entry.length))) {
                errors.icmp.append(error)
            } else if entry.error == EMSGSIZE, entry.info > 0 {
                errors.linkMTU = entry.info
            }
        }
        return errors
    }

    struct Errors {
        /// No errors, but the kernel's stamps of what was sent: they come through the same queue.
        var transmitted: [Input] = []
        var icmp: [PathError] = []
        /// The MTU that one of our own datagrams was too big for.
        var linkMTU: UInt32?

        var inputs: [Input] { transmitted + icmp.map(Input.pathError) }
    }

    /// Sends, and gives what came to light: the kernel's stamp, errors of earlier datagrams, this one's own refusal.
    ///
    /// The queue is drained behind each send and whenever the loop wakes, so that nothing stands between the reading
    /// of the clock and the system call: a drain here would be counted in every round-trip time.
    func send(_ transmit: Transmit, buffer: ReceiveBuffer) -> [Input] {
        var errno = sendOnce(transmit)
        var errors = drainErrors(into: buffer)
        guard errno != 0 else { return errors.inputs }
        if Self.mayBeAnothers(errno) {
            // An ICMP message came after the last drain, and the send took its errno: once more.
            errno = sendOnce(transmit)
            guard errno != 0 else { return errors.inputs + drainErrors(into: buffer).inputs }
        }
        let late = drainErrors(into: buffer)
        errors.icmp += late.icmp
        errors.transmitted += late.transmitted
        errors.linkMTU = late.linkMTU ?? errors.linkMTU
        // Twice in a row: the datagram counts as lost, and the errno still as another's.
        if late.icmp.contains(where: { $0.errno == errno }) || errno == ECONNREFUSED { return errors.inputs }
        var kind = PathError.Kind(errno: errno)
        if case .messageTooBig = kind { kind = .messageTooBig(mtu: errors.linkMTU) }
        let refusal = PathError(
            path: path, kind: kind, origin: .local, destination: transmit.destination, quoted: transmit.bytes,
            errno: errno)
        return errors.inputs + [.pathError(refusal)]
    }

    private func sendOnce(_ transmit: Transmit) -> Int32 {
        var destination = transmit.destination.flat
        sent.append(transmit)
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
