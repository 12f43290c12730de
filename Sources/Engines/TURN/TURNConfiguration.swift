package import NetTypes
import STUN

/// What a TURN allocation is to be, and how its client behaves.
package struct TURNConfiguration: Sendable {
    /// What carries data between relay and peers: REQUESTED-TRANSPORT.
    package enum RelayTransport: UInt8, Hashable, Sendable, Codable {
        case udp = 17
        /// RFC 6062.
        case tcp = 6
    }

    /// The families of the relayed addresses (RFC 8656 s7.1).
    package enum Families: Hashable, Sendable {
        /// No attribute: the server gives IPv4.
        case unspecified
        case only(IPAddress.Family)
        /// ADDITIONAL-ADDRESS-FAMILY: one of each.
        case dual
    }

    /// What is asked of the relayed port.
    package enum Port: Hashable, Sendable {
        case any
        /// EVEN-PORT, with the next higher port kept for another allocation or not.
        case even(reservingNext: Bool)
        /// RESERVATION-TOKEN: the port that an earlier allocation had reserved; its family is settled by that.
        case reserved(token: [UInt8])
    }

    /// How an allocation is kept alive, by the lifetimes of RFC 8656; nil lets that lifetime run out, to see what then
    /// happens.
    package struct Refreshing: Hashable, Sendable {
        /// Whether the allocation is refreshed before its own lifetime ends.
        package var refreshesAllocation = true
        /// A permission lives 300 s (RFC 8656 s9).
        package var permissions: Duration? = .seconds(240)
        /// A channel lives 600 s (RFC 8656 s12), its permission 300 s all the same.
        package var channels: Duration? = .seconds(540)

        package init() {}
    }

    /// The server's address, by which a relayed address that only makes sense inside is told; nil asks nothing.
    package var server: IPAddress?
    package var credential: LongTermCredential?
    package var relayTransport = RelayTransport.udp
    package var families = Families.unspecified
    package var port = Port.any
    /// DONT-FRAGMENT, in the Allocate and in each Send indication.
    package var dontFragment = false
    /// The lifetime to ask for, seconds; nil leaves it to the server.
    package var lifetime: UInt32?
    /// SOFTWARE, cut to 128 bytes; nil says nothing of us.
    package var software: [UInt8]?
    /// Whether the path to the server is TCP or TLS: nothing is sent again, and ChannelData is padded.
    package var isReliable: Bool
    package var schedule: RetransmissionSchedule
    package var refreshing = Refreshing()

    package init(
        credential: LongTermCredential?, isReliable: Bool = false, schedule: RetransmissionSchedule = .standard
    ) {
        self.credential = credential
        self.isReliable = isReliable
        self.schedule = schedule
    }

    /// Deletion is bounded (T06).
    package static let deletionLimit = Duration.milliseconds(1500)

    /// As often as doubled waits fit into the first half of the limit; with 250 ms at 0, 250 and 750 ms.
    static func deletionSchedule(_ timeout: Duration) -> RetransmissionSchedule {
        let first = min(timeout, .milliseconds(250))
        var transmissions = 1
        var spent = Duration.zero
        while spent + first * (1 << (transmissions - 1)) <= deletionLimit / 2 {
            spent += first * (1 << (transmissions - 1))
            transmissions += 1
        }
        let rest = Int((deletionLimit - spent).nanoseconds / max(1, first.nanoseconds))
        return RetransmissionSchedule(
            initialTimeout: first, maximumTransmissions: transmissions, finalMultiplier: max(1, rest))
    }
}

extension RetransmissionSchedule {
    /// From the first transmission to the end of the last wait.
    package var total: Duration {
        (1...maximumTransmissions).reduce(Duration.zero) { $0 + wait(after: $1) }
    }
}
