package import NetTypes

/// Asks the link for the address behind a `.local` name of a candidate (RFC 6762 s5.1,
/// draft-ietf-mmusic-mdns-ice-candidates s3.2).
///
/// Like ``ClientTransaction`` it decides when to send and when to give up: its owner sends ``datagrams``, from one
/// socket for each family, and hands what comes back to ``take(_:from:)``. Questions are sent at 0 and 1 s, and
/// are given up at 2 s.
package struct MDNSQuery: Sendable {
    /// How the socket that asks is bound, which decides what an answer looks like.
    package enum Binding: Hashable, Sendable {
        /// To a port of its own: a legacy query, which is answered by unicast with its own id (RFC 6762 s6.7).
        case ephemeral(id: UInt16)
        /// To port 5353, and in the group: answers come by multicast, and their ids mean nothing (RFC 6762 s18.1). So
        /// are browsers heard that do not answer legacy queries.
        case group
    }

    package static let port: UInt16 = 5353
    /// Between two transmissions, and after the last (RFC 6762 s5.2).
    static let interval = Duration.seconds(1)
    static let mostTransmissions = 2
    /// Records of one message that are looked at.
    static let mostExamined = 64

    /// In lower case.
    package let name: String
    package let binding: Binding
    /// What to send each time: to `224.0.0.251:5353` and `[ff02::fb]:5353`, an A and an AAAA question each by itself, since
    /// not every responder reads two in one message.
    package let datagrams: [Transmission]
    package private(set) var transmissions: [Instant] = []

    package struct Transmission: Hashable, Sendable {
        package var destination: Endpoint
        package var bytes: [UInt8]
    }

    private enum State: Hashable {
        case due(Instant)
        case waiting(until: Instant)
        case over
    }
    private var state: State

    /// Nil where the name is none that is asked for on the link; see ``isAsked(_:)``.
    ///
    /// - Parameter families: both those that are asked for and those that the questions go over.
    package init?(_ name: String, binding: Binding, families: Set<IPAddress.Family>, from start: Instant) {
        guard Self.isAsked(name), !families.isEmpty else { return nil }
        self.name = name.lowercased()
        self.binding = binding
        let families = IPAddress.Family.allCases.filter(families.contains)
        var datagrams: [Transmission] = []
        for group in families {
            for family in families {
                datagrams.append(
                    Transmission(
                        destination: Endpoint(Self.group(group), Self.port),
                        bytes: Self.question(self.name, family, binding)))
            }
        }
        self.datagrams = datagrams
        state = .due(start)
    }

    /// Whether a name is one that stands for a host address: one label before `.local`, which is a UUID.
    ///
    /// The draft's s3.2.1 asks for no name with more labels; that others are not asked for keeps a peer from having
    /// this machine ask the link for names of its choice, such as `printer.local`.
    package static func isAsked(_ name: String) -> Bool {
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count == 2, labels[1].count == 5, labels[0].count <= 63,
            String(Substring(labels[1])).lowercased() == "local"
        else { return false }
        let digits = labels[0].filter { $0 != UInt8(ascii: "-") }
        return digits.count == 32 && digits.allSatisfy { Unicode.Scalar($0).properties.isASCIIHexDigit }
    }

    package static func group(_ family: IPAddress.Family) -> IPAddress {
        family == .ipv4 ? IPAddress(224, 0, 0, 251) : IPAddress(v6: 0xFF02 << 112 | 0xFB)
    }

    private static func question(_ name: String, _ family: IPAddress.Family, _ binding: Binding) -> [UInt8] {
        var id: UInt16 = 0
        if case .ephemeral(let own) = binding { id = own }
        // One question and nothing else; no recursion is desired.
        var bytes: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xFF), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for label in name.utf8.split(separator: UInt8(ascii: ".")) {
            bytes.append(UInt8(label.count))
            bytes += label
        }
        return bytes + [0, 0, UInt8(type(family)), 0, 1]
    }

    /// A and AAAA.
    private static func type(_ family: IPAddress.Family) -> UInt16 { family == .ipv4 ? 1 : 28 }

    // MARK: Time

    /// Whether ``datagrams`` are to be sent at `now`.
    package func isDue(at now: Instant) -> Bool {
        if case .due(let instant) = state { return instant <= now }
        return false
    }

    /// Books a transmission of all ``datagrams`` that the driver is about to make.
    package mutating func transmitted(at now: Instant) {
        transmissions.append(now)
        state = .waiting(until: now + Self.interval)
    }

    /// Moves on at a wake-up; returns true where the last wait is over and nobody has answered.
    package mutating func handleTimeout(at now: Instant) -> Bool {
        guard case .waiting(let until) = state, until <= now else { return false }
        if transmissions.count < Self.mostTransmissions {
            state = .due(until)
            return false
        }
        state = .over
        return true
    }

    package var nextWake: Instant? {
        switch state {
        case .due(let instant): instant
        case .waiting(let until): until
        case .over: nil
        }
    }

    // MARK: Answers

    /// Takes a datagram; returns the first usable address where it is the answer, and ends the query by it. All else is
    /// ignored.
    package mutating func take(_ bytes: [UInt8], from source: Endpoint) -> IPAddress? {
        // RFC 6762 s6: what does not come from port 5353 is ignored.
        guard state != .over, !transmissions.isEmpty, source.port == Self.port,
            let found = addressRecord(in: bytes, from: source.address)
        else { return nil }
        state = .over
        return found
    }

    private func addressRecord(in bytes: [UInt8], from source: IPAddress) -> IPAddress? {
        var reader = DNSReader(bytes)
        guard let header = reader.header() else { return nil }
        // A response (QR) of a standard query without an error (RFC 6762 s18.2, s18.3, s18.11).
        guard header.flags & 0xF80F == 0x8000 else { return nil }
        if case .ephemeral(let id) = binding, header.id != id { return nil }
        guard header.questions <= Self.mostExamined, reader.skipQuestions(header.questions) else { return nil }
        let count = header.answers + header.authorities + header.additionals
        for _ in 0..<min(count, Self.mostExamined) {
            guard let record = reader.record() else { return nil }
            // The top bit of the class says that caches are flushed (RFC 6762 s10.2); 0 s is a goodbye (s10.1).
            if record.name.lowercased() == name, record.class & 0x7FFF == 1, record.timeToLive > 0,
                let address = address(of: record, bytes, source)
            {
                return address
            }
            reader.skip(to: record.data.upperBound)
        }
        return nil
    }

    /// The address of an A or AAAA record, where it is one that another host of this link can have.
    private func address(of record: DNSReader.Record, _ bytes: [UInt8], _ source: IPAddress) -> IPAddress? {
        guard let family = IPAddress.Family.allCases.first(where: { Self.type($0) == record.type }),
            var address = IPAddress(bytes: bytes[record.data]), address.family == family, !address.isIPv4Mapped
        else { return nil }
        switch address.realm {
        case .unspecified, .loopback, .multicast, .broadcast, .reserved: return nil
        case .linkLocal where family == .ipv6:
            // It is of the link that the answer came over.
            guard source.zone != 0 else { return nil }
            address.zone = source.zone
        default: break
        }
        return address
    }
}
