import CSystem
import Glibc
import NetTypes

extension PathError.Kind {
    /// What an errno of socket, bind, connect or send means. An errno is ambiguous where an ICMP message may stand
    /// behind it: ask the error queue first.
    init(errno: Int32) {
        self =
            switch errno {
            case ECONNREFUSED: .connectionRefused
            case ECONNRESET, EPIPE, ECONNABORTED: .connectionReset
            case ETIMEDOUT: .connectionTimedOut
            case EHOSTUNREACH, EHOSTDOWN: .hostUnreachable
            case ENETUNREACH, ENETDOWN: .networkUnreachable
            case EMSGSIZE: .messageTooBig(mtu: nil)
            case EADDRNOTAVAIL: .addressNotAvailable
            case EADDRINUSE: .addressInUse
            case EAFNOSUPPORT, EPFNOSUPPORT: .familyNotSupported
            case EPERM, EACCES: .notPermitted
            case EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN: .outOfResources
            case ENODEV, ENXIO: .noSuchInterface
            default: .system(errno: errno)
            }
    }

    /// What an ICMP error means (RFC 792, RFC 1122 s3.2.2.1, RFC 1812 s5.2.7.1).
    static func icmp(type: UInt8, code: UInt8, nextHopMTU: UInt32) -> Self {
        switch (type, code) {
        case (3, 0), (3, 6), (3, 11): .networkUnreachable
        case (3, 1), (3, 5), (3, 7), (3, 8), (3, 12): .hostUnreachable
        case (3, 2): .protocolUnreachable
        case (3, 3): .portUnreachable
        case (3, 4): .messageTooBig(mtu: nextHopMTU == 0 ? nil : nextHopMTU)
        case (3, 9), (3, 10), (3, 13): .administrativelyProhibited
        case (11, 0): .timeToLiveExceeded
        default: .otherICMP(type: type, code: code)
        }
    }

    /// What an ICMPv6 error means (RFC 4443 s3).
    static func icmpv6(type: UInt8, code: UInt8, nextHopMTU: UInt32) -> Self {
        switch (type, code) {
        case (1, 0): .networkUnreachable
        case (1, 1), (1, 5), (1, 6): .administrativelyProhibited
        case (1, 2), (1, 3): .hostUnreachable
        case (1, 4): .portUnreachable
        case (2, _): .messageTooBig(mtu: nextHopMTU == 0 ? nil : nextHopMTU)
        case (3, 0): .timeToLiveExceeded
        // An unrecognized next header (RFC 4443 s3.4).
        case (4, 1): .protocolUnreachable
        default: .otherICMP(type: type, code: code)
        }
    }
}

extension PathError {
    /// The ICMP message in an entry of the error queue, or nil where the entry is this machine's own.
    init?(_ entry: csys_queued_error, on path: PathID, quoted: [UInt8]) {
        let kind: Kind
        switch entry.origin {
        case 4: kind = .icmp(type: entry.type, code: entry.code, nextHopMTU: entry.info)
        case 6: kind = .icmpv6(type: entry.type, code: entry.code, nextHopMTU: entry.info)
        default: return nil
        }
        self.init(
            path: path, kind: kind, origin: .icmp(from: IPAddress(entry.offender)),
            destination: Endpoint(entry.destination), quoted: quoted, errno: entry.error)
    }
}
