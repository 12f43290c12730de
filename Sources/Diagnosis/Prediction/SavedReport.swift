import Engines
import NetTypes

/// Reads of a saved report what a prediction needs, and skips the rest.
struct SavedReport {
    /// Why it is no report to predict from.
    enum Objection: Error {
        case noSchema
        case otherSchema(String)
        case nothingMeasured
    }

    private typealias Fault = JSONScanner.Fault

    private(set) var facts = MachineFacts()
    private var schema: Range<Int>?
    private var isCheck = false
    private var isMeasured = false
    private var listsRelays = false
    /// The texts of the machine's addresses, with their prefix lengths.
    private var prefixes: [(text: Range<Int>, length: Int)] = []

    /// Reads one object.
    init(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
        try scanner.forEachMember { scanner, key throws(JSONScanner.Fault) in
            if scanner.isEqual(key, "schema") {
                schema = try scanner.stringIfAny()
            } else if scanner.isEqual(key, "command") {
                guard let command = try scanner.stringIfAny() else { return }
                isCheck = scanner.text(command).hasPrefix("icecheck check")
            } else if scanner.isEqual(key, "interfaces") {
                try each(&scanner) { report, scanner throws(Fault) in try report.takeInterface(&scanner) }
                facts.listsAddresses = true
            } else if scanner.isEqual(key, "candidates") {
                try each(&scanner) { report, scanner throws(Fault) in try report.takeCandidate(&scanner) }
                facts.listsAddresses = true
            } else if scanner.isEqual(key, "stun") {
                try each(&scanner) { report, scanner throws(Fault) in try report.takeContact(&scanner, isTURN: false) }
            } else if scanner.isEqual(key, "turn") {
                try each(&scanner) { report, scanner throws(Fault) in try report.takeContact(&scanner, isTURN: true) }
            } else if scanner.isEqual(key, "nat") {
                try each(&scanner) { report, scanner throws(Fault) in try report.takeNAT(&scanner) }
            } else {
                try scanner.skip()
            }
        }
        facts.listsRelays = listsRelays || isCheck
    }

    /// The machine, where this is a report of one.
    func model(_ scanner: JSONScanner) throws(Objection) -> MachineModel {
        guard let schema else { throw .noSchema }
        guard scanner.isEqual(schema, "icecheck/report/1") else { throw .otherSchema(scanner.text(schema)) }
        guard isMeasured || facts.listsAddresses else { throw .nothingMeasured }
        return facts.model
    }

    /// Each element of a list; anything else than a list is passed over.
    private mutating func each(
        _ scanner: inout JSONScanner, _ take: (inout SavedReport, inout JSONScanner) throws(JSONScanner.Fault) -> Void
    ) throws(JSONScanner.Fault) {
        guard try scanner.peek() == UInt8(ascii: "[") else { return try scanner.skip() }
        try scanner.forEachElement { scanner throws(Fault) in
            guard try scanner.peek() == UInt8(ascii: "{") else { return try scanner.skip() }
            try take(&self, &scanner)
        }
    }

    // MARK: Parts

    private mutating func takeInterface(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
        try scanner.forEachMember { scanner, key throws(JSONScanner.Fault) in
            guard scanner.isEqual(key, "addresses") else { return try scanner.skip() }
            try each(&scanner) { report, scanner throws(Fault) in
                var text: Range<Int>?
                var length: Int?
                try scanner.forEachMember { scanner, key throws(Fault) in
                    if scanner.isEqual(key, "address") {
                        text = try scanner.stringIfAny()
                    } else if scanner.isEqual(key, "prefixLength") {
                        length = try scanner.number()
                    } else {
                        try scanner.skip()
                    }
                }
                if let text, let length { report.prefixes.append((text, length)) }
            }
        }
    }

    private mutating func takeCandidate(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
        var address: Range<Int>?
        var (isHost, isUDP, isOffered) = (false, false, true)
        try scanner.forEachMember { scanner, key throws(JSONScanner.Fault) in
            if scanner.isEqual(key, "type") {
                isHost = try scanner.stringIfAny().map { scanner.isEqual($0, "host") } ?? false
            } else if scanner.isEqual(key, "transport") {
                isUDP = try scanner.stringIfAny().map { scanner.isEqual($0, "udp") } ?? false
            } else if scanner.isEqual(key, "address") {
                address = try scanner.stringIfAny()
            } else if scanner.isEqual(key, "offered") {
                isOffered = try scanner.boolean() ?? true
            } else {
                try scanner.skip()
            }
        }
        guard isHost, isUDP, isOffered, let address, let host = scanner.address(address) else { return }
        facts.addHost(host)
        let text = scanner.bytes[address]
        if let prefix = prefixes.first(where: { scanner.bytes[$0.text].elementsEqual(text) }) {
            facts.prefixes[host] = prefix.length
        }
    }

    /// What a STUN or TURN server said.
    private mutating func takeContact(_ scanner: inout JSONScanner, isTURN: Bool) throws(JSONScanner.Fault) {
        var (server, mapped, local, relayed): (Range<Int>?, Range<Int>?, Range<Int>?, Range<Int>?)
        var (isStream, isOK, isMissing, isSilent) = (false, false, false, false)
        try scanner.forEachMember { scanner, key throws(JSONScanner.Fault) in
            if scanner.isEqual(key, "serverAddress") {
                server = try scanner.stringIfAny()
            } else if scanner.isEqual(key, "transport") {
                let transport = try scanner.stringIfAny()
                isStream = transport.map { scanner.isEqual($0, "tcp") || scanner.isEqual($0, "tls") } ?? false
            } else if scanner.isEqual(key, "ok") {
                isOK = try scanner.boolean() ?? false
            } else if scanner.isEqual(key, "mappedAddress") {
                mapped = try scanner.stringIfAny()
            } else if scanner.isEqual(key, "localAddress") {
                local = try scanner.stringIfAny()
            } else if scanner.isEqual(key, "relayedAddress") {
                relayed = try scanner.stringIfAny()
            } else if scanner.isEqual(key, "notMeasured") {
                isMissing = true
                try scanner.skip()
            } else if scanner.isEqual(key, "error") {
                isSilent = try Self.isWithoutAnswer(&scanner)
            } else {
                try scanner.skip()
            }
        }
        isMeasured = true
        if isTURN { listsRelays = true }
        guard !isMissing, let server = server.flatMap({ scanner.endpoint($0) }) else { return }
        facts.addContact(
            server: server.address, isStream: isStream, isAnswered: isOK || isTURN && !isSilent,
            mapped: mapped.flatMap { scanner.endpoint($0) }, local: local.flatMap { scanner.endpoint($0) })
        if isTURN, let relayed = relayed.flatMap({ scanner.endpoint($0) }) {
            if isOK {
                facts.relays.append((isStream, relayed.family))
            } else {
                facts.unprovenRelays.append((isStream, relayed.family))
            }
        }
    }

    /// Whether an error is one that no answer of the server came with.
    private static func isWithoutAnswer(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> Bool {
        guard try scanner.peek() == UInt8(ascii: "{") else {
            try scanner.skip()
            return false
        }
        var isWithout = false
        try scanner.forEachMember { scanner, key throws(JSONScanner.Fault) in
            guard scanner.isEqual(key, "kind"), let kind = try scanner.stringIfAny() else {
                return try scanner.skip()
            }
            isWithout =
                ProbeError.Kind(rawValue: scanner.text(kind)).map(ProbeError.Kind.withoutAnswer.contains) ?? false
        }
        return isWithout
    }

    private mutating func takeNAT(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
        var (isIPv6, isUDP) = (false, true)
        var mapped: Range<Int>?
        var answers = 0
        var (mapping, filtering): (NATDependences?, NATDependences?)
        var hairpins: Bool?
        try scanner.forEachMember { scanner, key throws(JSONScanner.Fault) in
            if scanner.isEqual(key, "family") {
                isIPv6 = try scanner.stringIfAny().map { scanner.isEqual($0, "ipv6") } ?? false
            } else if scanner.isEqual(key, "transport") {
                isUDP = try scanner.stringIfAny().map { scanner.isEqual($0, "udp") } ?? true
            } else if scanner.isEqual(key, "mappedAddress") {
                mapped = try scanner.stringIfAny()
            } else if scanner.isEqual(key, "mapping") {
                mapping = try Self.dependences(&scanner)
            } else if scanner.isEqual(key, "filtering") {
                filtering = try Self.dependences(&scanner)
            } else if scanner.isEqual(key, "hairpin") {
                hairpins = try Self.hairpins(&scanner)
            } else if scanner.isEqual(key, "answers") {
                answers = try scanner.number() ?? 0
            } else {
                try scanner.skip()
            }
        }
        isMeasured = true
        guard isUDP else { return }
        let family = isIPv6 ? IPAddress.Family.ipv6 : .ipv4
        var facts = facts[family]
        facts.mapping = mapping
        facts.filtering = filtering
        facts.hairpins = hairpins
        if let mapped = mapped.flatMap({ scanner.endpoint($0) }) { facts.mappedAddress = mapped.address }
        if answers > 0 { facts.isAnsweredOverUDP = true }
        self.facts[family] = facts
    }

    /// A finding of NAT behaviour: its value, or what is possible; nil where it is unknown.
    private static func dependences(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> NATDependences? {
        var found: NATDependences = []
        func add(_ word: Range<Int>, _ scanner: JSONScanner) {
            for dependence in NATDependence.allCases where scanner.text(word) == dependence.rawValue {
                found.insert(NATDependences(dependence))
            }
        }
        guard try scanner.peek() == UInt8(ascii: "{") else {
            try scanner.skip()
            return nil
        }
        try scanner.forEachMember { scanner, key throws(JSONScanner.Fault) in
            if scanner.isEqual(key, "value") {
                if let word = try scanner.stringIfAny() { add(word, scanner) }
            } else if scanner.isEqual(key, "possible"), try scanner.peek() == UInt8(ascii: "[") {
                try scanner.forEachElement { scanner throws(Fault) in
                    if let word = try scanner.stringIfAny() { add(word, scanner) }
                }
            } else {
                try scanner.skip()
            }
        }
        return found.isEmpty ? nil : found
    }

    private static func hairpins(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> Bool? {
        guard try scanner.peek() == UInt8(ascii: "{") else {
            try scanner.skip()
            return nil
        }
        var turnsBack: Bool?
        try scanner.forEachMember { scanner, key throws(JSONScanner.Fault) in
            guard scanner.isEqual(key, "value"), let word = try scanner.stringIfAny() else {
                return try scanner.skip()
            }
            if let value = NATHairpinning(rawValue: scanner.text(word)) { turnsBack = value != .none }
        }
        return turnsBack
    }
}
