import Engines
import NetTypes
import STUN

/// Reads what ``DescriptionWriter`` wrote: nil where the bytes are something else.
struct DescriptionReader {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    mutating func description() -> ICEDescription? {
        guard let flags = bytes.popFirst() else { return nil }
        var pacing: Duration?
        if flags & 0x80 != 0 {
            // Ten digits of milliseconds are the most that SDP has.
            guard let milliseconds = number(), milliseconds <= 9_999_999_999 else { return nil }
            pacing = .milliseconds(Int64(milliseconds))
        }
        var tieBreaker: UInt64?
        if flags & 0x40 != 0 {
            guard let value = fixed(8) else { return nil }
            tieBreaker = value
        }
        guard let fragment = iceText(), let password = iceText(),
            let credentials = ICECredentials(usernameFragment: fragment, password: password),
            let fingerprints = fingerprints(), let nat = nat(), let candidates = candidates()
        else { return nil }
        let setup = Int(flags >> 3 & 7)
        return ICEDescription(
            credentials: credentials, candidates: candidates, isLite: flags & 1 != 0, pacing: pacing,
            trickles: flags & 2 != 0, isComplete: flags & 4 != 0, fingerprints: fingerprints,
            setup: (1...DescriptionCode.setups.count).contains(setup) ? DescriptionCode.setups[setup - 1] : nil,
            tieBreaker: tieBreaker, nat: nat)
    }

    // MARK: Parts

    private mutating func fingerprints() -> [CertificateFingerprint]? {
        guard let count = number(), count <= UInt64(DescriptionCode.mostFingerprints) else { return nil }
        var fingerprints: [CertificateFingerprint] = []
        for _ in 0..<count {
            guard let code = number(), code <= UInt64(DescriptionCode.algorithms.count) else { return nil }
            var algorithm = ""
            var length: UInt64?
            if code > 0 {
                algorithm = DescriptionCode.algorithms[Int(code) - 1]
                length = CertificateFingerprint.lengths[algorithm].map { UInt64($0) }
            } else {
                guard let name = text(), name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
                algorithm = name
                length = number()
            }
            guard let length, let value = take(length) else { return nil }
            fingerprints.append(CertificateFingerprint(algorithm: algorithm, bytes: value))
        }
        return fingerprints
    }

    private mutating func nat() -> [IPAddress.Family: ICEDescription.NAT]? {
        guard let families = bytes.popFirst() else { return nil }
        var nat: [IPAddress.Family: ICEDescription.NAT] = [:]
        for (bit, family) in DescriptionCode.families.enumerated() where families >> bit & 1 == 1 {
            guard let bits = fixed(2) else { return nil }
            nat[family] = ICEDescription.NAT(
                mapping: DescriptionCode.dependence(bits >> 9 & 7),
                filtering: DescriptionCode.dependence(bits >> 6 & 7),
                hairpins: DescriptionCode.truth(bits >> 4 & 3), preservesPorts: DescriptionCode.truth(bits >> 2 & 3),
                passesUDP: DescriptionCode.truth(bits & 3))
        }
        return nat
    }

    private mutating func candidates() -> [Candidate]? {
        guard let count = number(), count <= UInt64(ICEConfiguration.mostRemoteCandidates) else { return nil }
        var candidates: [Candidate] = []
        for _ in 0..<count {
            guard let candidate = candidate(candidates) else { return nil }
            candidates.append(candidate)
        }
        return candidates
    }

    /// What is not a candidate by the grammar of SDP is none here, either.
    private mutating func candidate(_ before: [Candidate]) -> Candidate? {
        guard let head = bytes.popFirst(), let second = bytes.popFirst() else { return nil }
        let kind = DescriptionCode.kinds[Int(head >> 6)]
        let tcpType = DescriptionCode.tcpTypes[Int(head >> 4 & 3)]
        let transport: Candidate.Transport = tcpType == nil ? .udp : .tcp
        var foundation = "\(second & 0x7F)"
        if second & 0x7F == DescriptionCode.textFoundation {
            guard let text = text() else { return nil }
            foundation = text
        }
        var component: UInt64 = 1
        var priority: UInt32 = 0
        if second & 0x80 == 0 {
            guard let preference = fixed(2) else { return nil }
            priority = DescriptionCode.priority(kind, transport, UInt32(preference))
        } else {
            guard let number = number(), (1...256).contains(number), let value = fixed(4) else { return nil }
            component = number
            priority = UInt32(value)
        }
        guard let address = address(head >> 2 & 3), let port = fixed(2) else { return nil }
        var candidate = Candidate(
            kind, transport: transport, tcpType: tcpType, component: Int(component), foundation: foundation,
            priority: priority, address: address, port: UInt16(port))
        guard relate(&candidate, head & 3, before) else { return nil }
        // Foundation, names and ports are held to the same rules as in a line of SDP.
        return try? Candidate(parsingAttribute: candidate.description)
    }

    private mutating func relate(_ candidate: inout Candidate, _ form: UInt8, _ before: [Candidate]) -> Bool {
        switch form {
        case 1:
            guard let place = number(), place < UInt64(before.count) else { return false }
            candidate.relatedAddress = before[Int(place)].address
            candidate.relatedPort = before[Int(place)].port
        case 2:
            guard let form = bytes.popFirst(), let address = address(form), let port = fixed(2) else { return false }
            candidate.relatedAddress = address
            candidate.relatedPort = UInt16(port)
        case 3:
            guard let form = bytes.popFirst() else { return false }
            if form == DescriptionCode.noForm {
                guard let port = fixed(2) else { return false }
                candidate.relatedPort = UInt16(port)
            } else {
                guard let address = address(form) else { return false }
                candidate.relatedAddress = address
            }
        default: break
        }
        return true
    }

    private mutating func address(_ form: UInt8) -> Candidate.Address? {
        switch form {
        case 0: take(4).flatMap { IPAddress(bytes: $0) }.map { .address($0) }
        case 1: take(16).flatMap { IPAddress(bytes: $0) }.map { .address($0) }
        case 2: text().map { .name($0) }
        default: nil
        }
    }

    // MARK: Numbers and texts

    private mutating func take(_ count: UInt64) -> [UInt8]? {
        guard count <= UInt64(bytes.count) else { return nil }
        defer { bytes = bytes.dropFirst(Int(count)) }
        return Array(bytes.prefix(Int(count)))
    }

    private mutating func fixed(_ count: Int) -> UInt64? {
        take(UInt64(count)).map { $0.reduce(0) { $0 << 8 | UInt64($1) } }
    }

    /// At most 63 bits.
    private mutating func number() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private mutating func text() -> String? {
        guard let count = number(), count <= 255, let text = take(count) else { return nil }
        return String(validating: text, as: UTF8.self)
    }

    private mutating func iceText() -> String? {
        guard let count = number(), count <= 256, let packed = take((count * 6 + 7) / 8) else { return nil }
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var left: UInt32 = 0
        for byte in packed {
            bits = bits << 8 | UInt32(byte)
            left += 8
            while left >= 6, text.count < Int(count) {
                left -= 6
                text.append(DescriptionCode.iceCharacters[Int(bits >> left & 0x3F)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
