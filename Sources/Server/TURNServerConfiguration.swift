package import NetTypes
import STUN

/// Whom a TURN server relays for, from where, to whom, and how much.
package struct TURNServerConfiguration: Sendable {
    /// A user and the password. It shows no password when it is printed.
    package struct Account: Hashable, Sendable, HiddenSecret {
        package let username: String
        let password: String

        package init(username: String, password: String) {
            self.username = username
            self.password = password
        }
    }

    package var accounts: [Account]
    /// The shared secret of the TURN REST API; nil takes no temporary credentials.
    package var secret: HiddenText?
    /// Seconds since 1970 when the server starts, by which temporary credentials expire.
    package var wallClock: Int64
    package var realm = "icecheck"
    /// The addresses to relay from, at most one of a family counts.
    package var relayAddresses: [IPAddress]
    package var relayPorts: ClosedRange<UInt16> = 49152...65535
    /// Whether peers may have any unicast address, not only one of this machine or of a private network.
    package var allowsAnyPeer = false
    /// Whether the challenge offers SHA-256 beside MD5, and USERHASH (RFC 8489 s9.2).
    package var offersSHA256 = true
    /// How long a nonce is good.
    package var nonceLifetime: Duration = .seconds(600)
    /// Seconds (RFC 8656 s7.2).
    package var defaultLifetime: UInt32 = 600
    package var longestLifetime: UInt32 = 3600
    /// RFC 8656 s9 and s12: those of the RFC are not for choice, those of a test are.
    package var permissionLifetime: Duration = .seconds(300)
    package var channelLifetime: Duration = .seconds(600)
    package var mostAllocations = 1000
    package var mostAllocationsOfAUser = 100
    /// Of one allocation.
    package var mostPermissions = 64
    package var mostChannels = 64

    package init(accounts: [Account], secret: HiddenText? = nil, wallClock: Int64, relayAddresses: [IPAddress]) {
        self.accounts = accounts
        self.secret = secret
        self.wallClock = wallClock
        self.relayAddresses = relayAddresses
    }

    /// Whether this peer is one to relay to.
    func permits(_ peer: IPAddress) -> Bool {
        switch peer.canonical.realm {
        case .loopback, .linkLocal, .privateUse, .sharedAddressSpace, .uniqueLocal, .documentation: true
        case .unspecified, .multicast, .broadcast: false
        case .reserved, .global: allowsAnyPeer
        }
    }
}

/// A text that no output shows.
package struct HiddenText: Hashable, Sendable, HiddenSecret {
    let text: String
    package init(_ text: String) { self.text = text }
}
