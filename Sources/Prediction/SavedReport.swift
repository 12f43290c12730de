import Diagnosis
import Engines
import JSON
import NetTypes
import Planning
import STUN

/// Reads of a saved report what a prediction needs, and skips the rest.
struct SavedReport {
    /// Why it is no report to predict from, in one sentence.
    struct Objection: Error {
        let message: String
    }

    private typealias Fault = JSONReader.Fault

    private var facts = MachineFacts()
    private var schema: String?
    private var subject: String?
    private var command: String?
    private var isMeasured = false
    /// The texts of the machine's addresses, with their prefix lengths.
    private var prefixes: [(text: JSONReader.Token, length: Int)] = []

    /// Reads one object.
    init(_ reader: inout JSONReader) throws(JSONReader.Fault) {
        try reader.forEachMember { reader, key throws(Fault) in
            switch key {
            case "schema": schema = try reader.stringIfAny().map { reader.text($0) }
            case "command": command = try reader.stringIfAny().map { reader.text($0) }
            case "subject": subject = try reader.stringIfAny().map { reader.text($0) }
            case "interfaces":
                try each(&reader) { report, reader throws(Fault) in try report.takeInterface(&reader) }
                facts.listsAddresses = true
            case "candidates":
                try each(&reader) { report, reader throws(Fault) in try report.takeCandidate(&reader) }
                facts.listsAddresses = true
            case "stun":
                try each(&reader) { report, reader throws(Fault) in try report.takeContact(&reader, isTURN: false) }
            case "turn":
                try each(&reader) { report, reader throws(Fault) in try report.takeContact(&reader, isTURN: true) }
            case "nat": try each(&reader) { report, reader throws(Fault) in try report.takeNAT(&reader) }
            default: try reader.skip()
            }
        }
        if isCheck { facts.listsRelays = true }
    }

    /// Whether the whole diagnosis was run, which tries the relays that there are.
    private var isCheck: Bool {
        // Reports of the first versions name what they are about in the text of their command alone.
        if let subject {
            subject == Options.Command.check.rawValue
        } else {
            command?.hasPrefix("icecheck check") == true
        }
    }

    /// The machine, where this is a report of one.
    func model() throws(Objection) -> MachineModel {
        guard let schema else { throw Objection(message: "it is no report: it has no schema") }
        guard schema == "icecheck/report/1" else {
            throw Objection(message: "its schema is \(QuotedInput(schema)), not icecheck/report/1")
        }
        guard isMeasured || facts.listsAddresses else {
            throw Objection(message: "it measures nothing of a machine")
        }
        return facts.model
    }

    /// Each object of a list; anything else is passed over.
    private mutating func each(
        _ reader: inout JSONReader, _ take: (inout SavedReport, inout JSONReader) throws(Fault) -> Void
    ) throws(Fault) {
        guard try reader.peek() == UInt8(ascii: "[") else { return try reader.skip() }
        try reader.forEachElement { reader throws(Fault) in
            guard try reader.peek() == UInt8(ascii: "{") else { return try reader.skip() }
            try take(&self, &reader)
        }
    }

    // MARK: Parts

    private mutating func takeInterface(_ reader: inout JSONReader) throws(Fault) {
        try reader.forEachMember { reader, key throws(Fault) in
            guard case "addresses" = key else { return try reader.skip() }
            try each(&reader) { report, reader throws(Fault) in
                var text: JSONReader.Token?
                var length: Int?
                try reader.forEachMember { reader, key throws(Fault) in
                    switch key {
                    case "address": text = try reader.stringIfAny()
                    case "prefixLength": length = try reader.wholeNumberIfAny()
                    default: try reader.skip()
                    }
                }
                if let text, let length { report.prefixes.append((text, length)) }
            }
        }
    }

    private mutating func takeCandidate(_ reader: inout JSONReader) throws(Fault) {
        var address: JSONReader.Token?
        var (isHost, isUDP, isOffered) = (false, false, true)
        try reader.forEachMember { reader, key throws(Fault) in
            switch key {
            case "type": isHost = try reader.stringIfAny().map { reader.text($0) == "host" } ?? false
            case "transport": isUDP = try reader.stringIfAny().map { reader.text($0) == "udp" } ?? false
            case "address": address = try reader.stringIfAny()
            case "offered": isOffered = try reader.booleanIfAny() ?? true
            default: try reader.skip()
            }
        }
        guard isHost, isUDP, isOffered, let address, let host = reader.address(address) else { return }
        facts.addHost(host)
        if let prefix = prefixes.first(where: { reader.isSame($0.text, address) }) {
            facts.prefixes[host] = prefix.length
        }
    }

    /// What a STUN or TURN server said.
    private mutating func takeContact(_ reader: inout JSONReader, isTURN: Bool) throws(Fault) {
        var (server, mapped, local, relayed): (Endpoint?, Endpoint?, Endpoint?, Endpoint?)
        var (isStream, isOK, isMissing, isSilent) = (false, false, false, false)
        try reader.forEachMember { reader, key throws(Fault) in
            switch key {
            case "serverAddress": server = try reader.endpointIfAny()
            case "transport":
                let transport = try reader.stringIfAny().map { reader.text($0) }
                isStream = transport == "tcp" || transport == "tls"
            case "ok": isOK = try reader.booleanIfAny() ?? false
            case "mappedAddress": mapped = try reader.endpointIfAny()
            case "localAddress": local = try reader.endpointIfAny()
            case "relayedAddress": relayed = try reader.endpointIfAny()
            case "notMeasured":
                isMissing = true
                try reader.skip()
            case "error": isSilent = try Self.isWithoutAnswer(&reader)
            default: try reader.skip()
            }
        }
        isMeasured = true
        if isTURN { facts.listsRelays = true }
        guard !isMissing, let server else { return }
        facts.addContact(
            server: server.address, isStream: isStream, isAnswered: isOK || isTURN && !isSilent, mapped: mapped,
            local: local)
        guard isTURN, let relayed else { return }
        if isOK {
            facts.relays.append((isStream, relayed.family))
        } else {
            facts.unprovenRelays.append((isStream, relayed.family))
        }
    }

    /// Whether an error is one that no answer of the server came with.
    private static func isWithoutAnswer(_ reader: inout JSONReader) throws(Fault) -> Bool {
        var kind: ProbeError.Kind?
        try members(&reader) { reader, key throws(Fault) in
            guard case "kind" = key else { return try reader.skip() }
            kind = try reader.stringIfAny().flatMap { ProbeError.Kind(rawValue: reader.text($0)) }
        }
        return kind.map(ProbeError.Kind.withoutAnswer.contains) ?? false
    }

    private mutating func takeNAT(_ reader: inout JSONReader) throws(Fault) {
        var family = IPAddress.Family.ipv4
        var isUDP = true
        var mapped: Endpoint?
        var answers = 0
        var (mapping, filtering): (NATDependences?, NATDependences?)
        var hairpins: Bool?
        try reader.forEachMember { reader, key throws(Fault) in
            switch key {
            case "family":
                family = try reader.stringIfAny().flatMap { IPAddress.Family(rawValue: reader.text($0)) } ?? .ipv4
            case "transport": isUDP = try reader.stringIfAny().map { reader.text($0) == "udp" } ?? true
            case "mappedAddress": mapped = try reader.endpointIfAny()
            case "mapping": mapping = try Self.dependences(&reader)
            case "filtering": filtering = try Self.dependences(&reader)
            case "hairpin": hairpins = try Self.hairpins(&reader)
            case "answers": answers = try reader.wholeNumberIfAny() ?? 0
            default: try reader.skip()
            }
        }
        isMeasured = true
        guard isUDP else { return }
        facts[family].mapping = mapping
        facts[family].filtering = filtering
        facts[family].hairpins = hairpins
        if let mapped { facts[family].mappedAddress = mapped.address }
        if answers > 0 { facts[family].isAnsweredOverUDP = true }
    }

    /// A finding of NAT behaviour: its value, or what is possible; nil where it is unknown.
    private static func dependences(_ reader: inout JSONReader) throws(Fault) -> NATDependences? {
        var found: NATDependences = []
        func take(_ reader: inout JSONReader) throws(Fault) {
            if let word = try reader.stringIfAny(), let one = NATDependence(rawValue: reader.text(word)) {
                found.insert(NATDependences(one))
            }
        }
        try members(&reader) { reader, key throws(Fault) in
            switch key {
            case "value": try take(&reader)
            case "possible" where try reader.peek() == UInt8(ascii: "["):
                try reader.forEachElement { reader throws(Fault) in try take(&reader) }
            default: try reader.skip()
            }
        }
        return found.isEmpty ? nil : found
    }

    private static func hairpins(_ reader: inout JSONReader) throws(Fault) -> Bool? {
        var value: NATHairpinning?
        try members(&reader) { reader, key throws(Fault) in
            guard case "value" = key else { return try reader.skip() }
            value = try reader.stringIfAny().flatMap { NATHairpinning(rawValue: reader.text($0)) }
        }
        return value.map { $0 != .none }
    }

    /// Each member of an object; anything else is passed over.
    private static func members(
        _ reader: inout JSONReader, _ take: (inout JSONReader, JSONReader.Key) throws(Fault) -> Void
    ) throws(Fault) {
        guard try reader.peek() == UInt8(ascii: "{") else { return try reader.skip() }
        try reader.forEachMember(take)
    }
}

extension JSONReader {
    fileprivate func isSame(_ one: Token, _ other: Token) -> Bool { text(one) == text(other) }

    fileprivate func address(_ token: Token) -> IPAddress? { IPAddress(text(token)) }

    /// `192.0.2.1:3478` or `[2001:db8::1]:3478`; nil where there is neither.
    fileprivate mutating func endpointIfAny() throws(Fault) -> Endpoint? {
        try stringIfAny().flatMap { Endpoint(text($0)) }
    }
}
