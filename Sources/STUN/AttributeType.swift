/// The number of an attribute (RFC 8489 s18.3).
package struct AttributeType: RawRepresentable, Hashable, Sendable, Codable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Whether a receiver that does not know it must not go on (0x0000 to 0x7FFF).
    package var isComprehensionRequired: Bool { rawValue < 0x8000 }
    /// Its name in IANA's registry, or in the RFC that retired it; nil where it has none.
    package var name: String? { Self.names.first { $0.key == rawValue }?.value }
}

extension AttributeType: CustomStringConvertible {
    /// `XOR-MAPPED-ADDRESS`, or the number where it has no name.
    package var description: String { name ?? Hex.number(rawValue) }
}

extension AttributeType {
    // RFC 8489 and its predecessors.
    package static let mappedAddress = AttributeType(rawValue: 0x0001)
    package static let responseAddress = AttributeType(rawValue: 0x0002)
    package static let changeRequest = AttributeType(rawValue: 0x0003)
    package static let sourceAddress = AttributeType(rawValue: 0x0004)
    package static let changedAddress = AttributeType(rawValue: 0x0005)
    package static let username = AttributeType(rawValue: 0x0006)
    package static let password = AttributeType(rawValue: 0x0007)
    package static let messageIntegrity = AttributeType(rawValue: 0x0008)
    package static let errorCode = AttributeType(rawValue: 0x0009)
    package static let unknownAttributes = AttributeType(rawValue: 0x000A)
    package static let reflectedFrom = AttributeType(rawValue: 0x000B)
    package static let realm = AttributeType(rawValue: 0x0014)
    package static let nonce = AttributeType(rawValue: 0x0015)
    package static let messageIntegritySHA256 = AttributeType(rawValue: 0x001C)
    package static let passwordAlgorithm = AttributeType(rawValue: 0x001D)
    package static let userhash = AttributeType(rawValue: 0x001E)
    package static let xorMappedAddress = AttributeType(rawValue: 0x0020)
    package static let passwordAlgorithms = AttributeType(rawValue: 0x8002)
    package static let alternateDomain = AttributeType(rawValue: 0x8003)
    package static let software = AttributeType(rawValue: 0x8022)
    package static let alternateServer = AttributeType(rawValue: 0x8023)
    package static let fingerprint = AttributeType(rawValue: 0x8028)
    // TURN: RFC 8656, 6062, 8016, 7635.
    package static let channelNumber = AttributeType(rawValue: 0x000C)
    package static let lifetime = AttributeType(rawValue: 0x000D)
    package static let bandwidth = AttributeType(rawValue: 0x0010)
    package static let xorPeerAddress = AttributeType(rawValue: 0x0012)
    package static let data = AttributeType(rawValue: 0x0013)
    package static let xorRelayedAddress = AttributeType(rawValue: 0x0016)
    package static let requestedAddressFamily = AttributeType(rawValue: 0x0017)
    package static let evenPort = AttributeType(rawValue: 0x0018)
    package static let requestedTransport = AttributeType(rawValue: 0x0019)
    package static let dontFragment = AttributeType(rawValue: 0x001A)
    package static let accessToken = AttributeType(rawValue: 0x001B)
    package static let reservationToken = AttributeType(rawValue: 0x0022)
    package static let connectionID = AttributeType(rawValue: 0x002A)
    package static let additionalAddressFamily = AttributeType(rawValue: 0x8000)
    package static let addressErrorCode = AttributeType(rawValue: 0x8001)
    package static let icmp = AttributeType(rawValue: 0x8004)
    package static let thirdPartyAuthorization = AttributeType(rawValue: 0x802E)
    package static let mobilityTicket = AttributeType(rawValue: 0x8030)
    // ICE: RFC 8445.
    package static let priority = AttributeType(rawValue: 0x0024)
    package static let useCandidate = AttributeType(rawValue: 0x0025)
    package static let iceControlled = AttributeType(rawValue: 0x8029)
    package static let iceControlling = AttributeType(rawValue: 0x802A)
    // NAT discovery: RFC 5780.
    package static let padding = AttributeType(rawValue: 0x0026)
    package static let responsePort = AttributeType(rawValue: 0x0027)
    package static let cacheTimeout = AttributeType(rawValue: 0x8027)
    package static let responseOrigin = AttributeType(rawValue: 0x802B)
    package static let otherAddress = AttributeType(rawValue: 0x802C)

    /// A list: a run looks a few of them up, which takes less time than to make a dictionary of all.
    static let names: KeyValuePairs<UInt16, String> = [
        0x0001: "MAPPED-ADDRESS", 0x0002: "RESPONSE-ADDRESS", 0x0003: "CHANGE-REQUEST", 0x0004: "SOURCE-ADDRESS",
        0x0005: "CHANGED-ADDRESS", 0x0006: "USERNAME", 0x0007: "PASSWORD", 0x0008: "MESSAGE-INTEGRITY",
        0x0009: "ERROR-CODE", 0x000A: "UNKNOWN-ATTRIBUTES", 0x000B: "REFLECTED-FROM", 0x000C: "CHANNEL-NUMBER",
        0x000D: "LIFETIME", 0x0010: "BANDWIDTH", 0x0012: "XOR-PEER-ADDRESS", 0x0013: "DATA", 0x0014: "REALM",
        0x0015: "NONCE", 0x0016: "XOR-RELAYED-ADDRESS", 0x0017: "REQUESTED-ADDRESS-FAMILY", 0x0018: "EVEN-PORT",
        0x0019: "REQUESTED-TRANSPORT", 0x001A: "DONT-FRAGMENT", 0x001B: "ACCESS-TOKEN",
        0x001C: "MESSAGE-INTEGRITY-SHA256", 0x001D: "PASSWORD-ALGORITHM", 0x001E: "USERHASH",
        0x0020: "XOR-MAPPED-ADDRESS", 0x0021: "TIMER-VAL", 0x0022: "RESERVATION-TOKEN", 0x0024: "PRIORITY",
        0x0025: "USE-CANDIDATE", 0x0026: "PADDING", 0x0027: "RESPONSE-PORT", 0x002A: "CONNECTION-ID",
        0x8000: "ADDITIONAL-ADDRESS-FAMILY", 0x8001: "ADDRESS-ERROR-CODE", 0x8002: "PASSWORD-ALGORITHMS",
        0x8003: "ALTERNATE-DOMAIN", 0x8004: "ICMP", 0x8022: "SOFTWARE", 0x8023: "ALTERNATE-SERVER",
        0x8025: "TRANSACTION_TRANSMIT_COUNTER", 0x8027: "CACHE-TIMEOUT", 0x8028: "FINGERPRINT",
        0x8029: "ICE-CONTROLLED", 0x802A: "ICE-CONTROLLING", 0x802B: "RESPONSE-ORIGIN", 0x802C: "OTHER-ADDRESS",
        0x802D: "ECN-CHECK STUN", 0x802E: "THIRD-PARTY-AUTHORIZATION", 0x8030: "MOBILITY-TICKET",
        0xC000: "CISCO-STUN-FLOWDATA", 0xC001: "ENF-FLOW-DESCRIPTION", 0xC002: "ENF-NETWORK-STATUS",
        0xC003: "CISCO-WEBEX-FLOW-INFO", 0xC056: "CITRIX-TRANSACTION-ID", 0xC057: "GOOG-NETWORK-INFO",
        0xC058: "GOOG-LAST-ICE-CHECK-RECEIVED", 0xC059: "GOOG-MISC-INFO", 0xC05A: "GOOG-OBSOLETE-1",
        0xC05B: "GOOG-CONNECTION-ID", 0xC05C: "GOOG-DELTA", 0xC05D: "GOOG-DELTA-ACK", 0xC05E: "GOOG-DELTA-SYNC-REQ",
        0xC060: "GOOG-MESSAGE-INTEGRITY-32", 0xC070: "META-DTLS-IN-STUN", 0xC071: "META-DTLS-IN-STUN-ACKNOWLEDGEMENT",
    ]
}
