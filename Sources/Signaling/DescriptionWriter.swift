import Engines
import NetTypes

/// The bytes of an ``ICEDescription`` in icecheck's own line.
struct DescriptionWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ description: ICEDescription, mostCandidates: Int) {
        var flags: UInt8 = 0
        if description.isLite { flags |= 1 }
        if description.trickles { flags |= 2 }
        if description.isComplete { flags |= 4 }
        if let setup = description.setup, let place = DescriptionCode.setups.firstIndex(of: setup) {
            flags |= UInt8(place + 1) << 3
        }
        if description.tieBreaker != nil { flags |= 0x40 }
        if description.pacing != nil { flags |= 0x80 }
        bytes.append(flags)
        if let pacing = description.pacing { number(UInt64(pacing.wholeMilliseconds)) }
        if let tieBreaker = description.tieBreaker { fixed(tieBreaker, 8) }
        iceText(description.credentials.usernameFragment)
        iceText(description.credentials.password)
        write(description.fingerprints)
        write(description.nat)
        write(DescriptionCode.kept(description.candidates, mostCandidates))
    }

    // MARK: Parts

    private mutating func write(_ fingerprints: [CertificateFingerprint]) {
        let fingerprints = fingerprints.prefix(DescriptionCode.mostFingerprints)
        number(UInt64(fingerprints.count))
        for fingerprint in fingerprints {
            if let code = DescriptionCode.algorithms.firstIndex(of: fingerprint.algorithm),
                CertificateFingerprint.lengths[fingerprint.algorithm] == fingerprint.bytes.count
            {
                number(UInt64(code + 1))
            } else {
                number(0)
                text(Array(fingerprint.algorithm.utf8))
                number(UInt64(fingerprint.bytes.count))
            }
            bytes += fingerprint.bytes
        }
    }

    private mutating func write(_ nat: [IPAddress.Family: ICEDescription.NAT]) {
        var families: UInt8 = 0
        for (bit, family) in DescriptionCode.families.enumerated() where nat[family] != nil { families |= 1 << bit }
        bytes.append(families)
        for family in DescriptionCode.families {
            guard let nat = nat[family] else { continue }
            var bits: UInt64 = 0
            for (value, width) in [
                (DescriptionCode.code(nat.mapping), 3), (DescriptionCode.code(nat.filtering), 3),
                (DescriptionCode.code(nat.hairpins), 2), (DescriptionCode.code(nat.preservesPorts), 2),
                (DescriptionCode.code(nat.passesUDP), 2),
            ] { bits = bits << width | value }
            fixed(bits, 2)
        }
    }

    private mutating func write(_ candidates: [Candidate]) {
        number(UInt64(candidates.count))
        for (place, candidate) in candidates.enumerated() { write(candidate, before: candidates[..<place]) }
    }

    private mutating func write(_ candidate: Candidate, before: ArraySlice<Candidate>) {
        let related = DescriptionCode.Related(candidate, before)
        bytes.append(
            UInt8(DescriptionCode.kinds.firstIndex(of: candidate.kind) ?? 0) << 6
                | UInt8(DescriptionCode.tcpTypes.firstIndex(of: candidate.tcpType) ?? 0) << 4
                | DescriptionCode.form(candidate.address) << 2 | related.form)
        let foundation = UInt8(candidate.foundation).flatMap {
            $0 < DescriptionCode.textFoundation && "\($0)" == candidate.foundation ? $0 : nil
        }
        let isUsual = DescriptionCode.isUsual(candidate)
        bytes.append((foundation ?? DescriptionCode.textFoundation) | (isUsual ? 0 : 0x80))
        if foundation == nil { text(Array(candidate.foundation.utf8)) }
        if isUsual {
            fixed(UInt64(candidate.priority >> 8 & 0xFFFF), 2)
        } else {
            number(UInt64(candidate.component))
            fixed(UInt64(candidate.priority), 4)
        }
        address(candidate.address)
        fixed(UInt64(candidate.port), 2)
        switch related {
        case .none: break
        case .earlier(let place): number(UInt64(place))
        case .endpoint(let address, let port):
            bytes.append(DescriptionCode.form(address))
            self.address(address)
            fixed(UInt64(port), 2)
        case .part(let address, let port):
            bytes.append(address.map { DescriptionCode.form($0) } ?? DescriptionCode.noForm)
            if let address { self.address(address) }
            if let port { fixed(UInt64(port), 2) }
        }
    }

    private mutating func address(_ address: Candidate.Address) {
        switch address {
        case .address(let address): bytes += address.bytes
        case .name(let name): text(Array(name.utf8))
        }
    }

    // MARK: Numbers and texts

    /// Big-endian.
    private mutating func fixed(_ value: UInt64, _ count: Int) {
        for index in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }

    /// Seven bits a byte, the low ones first; the top bit says that more follow.
    private mutating func number(_ value: UInt64) {
        var value = value
        while value > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    private mutating func text(_ text: [UInt8]) {
        number(UInt64(text.count))
        bytes += text
    }

    /// Six bits a character, of `ice-char`.
    private mutating func iceText(_ text: String) {
        number(UInt64(text.utf8.count))
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for character in text.utf8 {
            bits = bits << 6 | UInt32(DescriptionCode.iceCharacters.firstIndex(of: character) ?? 0)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        if count > 0 { bytes.append(UInt8(truncatingIfNeeded: bits << (8 - count))) }
    }
}
