/// An error of a path: an ICMP message, or the system's own refusal.
package struct PathError: Hashable, Sendable {
    package enum Kind: Hashable, Sendable, Codable {
        case portUnreachable
        case hostUnreachable
        case networkUnreachable
        /// A firewall rejected it (ICMP type 3 code 9, 10, 13; ICMPv6 type 1 code 1, 5, 6).
        case administrativelyProhibited
        case timeToLiveExceeded
        /// A datagram over the path's MTU; the next hop's MTU in bytes where it was told.
        case messageTooBig(mtu: UInt32?)
        case protocolUnreachable
        /// TCP: RST in answer to SYN.
        case connectionRefused
        /// TCP: RST later.
        case connectionReset
        case connectionTimedOut
        /// EADDRNOTAVAIL: the local address is not this machine's (any more).
        case addressNotAvailable
        case addressInUse
        /// EAFNOSUPPORT: the machine has no such family.
        case familyNotSupported
        /// EPERM, EACCES: a local firewall or missing privilege.
        case notPermitted
        /// EMFILE, ENFILE, ENOBUFS, ENOMEM: the machine is out of something.
        case outOfResources
        case noSuchInterface
        case otherICMP(type: UInt8, code: UInt8)
        /// Any other errno.
        case system(errno: Int32)
    }

    package enum Origin: Hashable, Sendable, Codable {
        /// An ICMP message, from the router or host that sent it where it is known.
        case icmp(from: IPAddress?)
        /// This machine, when it was asked to open, bind, connect or send.
        case local
        /// The peer's TCP.
        case peer
    }

    package var path: PathID
    package var kind: Kind
    package var origin: Origin
    /// Where the datagram that caused it was sent to.
    package var destination: Endpoint?
    /// The start of the datagram that caused it, as the ICMP message quoted it: its transaction id tells whose it is.
    package var quoted: [UInt8]
    /// The errno that the system gave with it, 0 where there is none.
    package var errno: Int32
    /// Whether the path was never opened, or is closed by this.
    package var isFatal: Bool

    package init(
        path: PathID, kind: Kind, origin: Origin, destination: Endpoint? = nil, quoted: [UInt8] = [],
        errno: Int32 = 0, isFatal: Bool = false
    ) {
        self.path = path
        self.kind = kind
        self.origin = origin
        self.destination = destination
        self.quoted = quoted
        self.errno = errno
        self.isFatal = isFatal
    }
}
