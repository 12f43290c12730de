extension IPAddress: CustomStringConvertible, LosslessStringConvertible {
    /// Reads a dotted quad or an RFC 4291 IPv6 address; no zone, no brackets, no leading zeros in a quad.
    package init?(_ text: String) {
        self.init(parsing: text[...])
    }

    package init?(parsing text: Substring) {
        if let value = Self.quad(text.utf8[...]) {
            self.init(v4: value)
        } else if let value = Self.groups(text.utf8[...]) {
            self.init(v6: value)
        } else {
            return nil
        }
    }

    /// The address as RFC 5952 writes it, without its zone.
    package var description: String {
        switch family {
        case .ipv4: Self.quadText(UInt32(truncatingIfNeeded: value))
        case .ipv6: Self.groupsText(value)
        }
    }

    private static func quadText(_ value: UInt32) -> String {
        "\(value >> 24).\(value >> 16 & 0xFF).\(value >> 8 & 0xFF).\(value & 0xFF)"
    }

    private static func groupsText(_ value: UInt128) -> String {
        if value >> 32 == 0xFFFF {
            return "::ffff:" + quadText(UInt32(truncatingIfNeeded: value))
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> UInt128(112 - 16 * $0)) }
        // RFC 5952 s4.2.3: the longest run of zeros is shortened, the first of equal ones, never a single group.
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > longest.count, end - start > 1 { longest = start..<end }
            start = max(end, start + 1)
        }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        if longest.isEmpty { return text(0..<8) }
        return text(0..<longest.lowerBound) + "::" + text(longest.upperBound..<8)
    }

    private static func quad(_ text: Substring.UTF8View) -> UInt32? {
        var (value, octet) = (UInt32(0), UInt32(0))
        var (digits, dots) = (0, 0)
        for byte in text {
            if byte == UInt8(ascii: "."), digits > 0, dots < 3 {
                value = value << 8 | octet
                (octet, digits, dots) = (0, 0, dots + 1)
            } else if (0x30...0x39).contains(byte), digits == 0 || octet > 0 {
                octet = octet * 10 + UInt32(byte - 0x30)
                digits += 1
                guard octet < 256 else { return nil }
            } else {
                return nil
            }
        }
        return dots == 3 && digits > 0 ? value << 8 | octet : nil
    }

    private static func groups(_ text: Substring.UTF8View) -> UInt128? {
        guard text.count >= 2, text.count <= 45 else { return nil }
        let colon = UInt8(ascii: ":")
        let parts = text.split(separator: colon, omittingEmptySubsequences: false)
        guard (3...9).contains(parts.count) else { return nil }
        var words: [UInt16] = []
        var gap: Int?
        for (index, part) in parts.enumerated() {
            if part.isEmpty {
                // An empty part is "::", or the edge of a "::" that opens or closes the text.
                let isEdge = index == 0 ? parts[1].isEmpty : index == parts.count - 1 && parts[index - 1].isEmpty
                if isEdge { continue }
                guard gap == nil, index > 0, index < parts.count - 1 else { return nil }
                gap = words.count
            } else if index == parts.count - 1, let quad = quad(part) {
                words += [UInt16(quad >> 16), UInt16(truncatingIfNeeded: quad)]
            } else {
                guard part.count <= 4, part.allSatisfy(isHexDigit), let word = UInt16(Substring(part), radix: 16)
                else { return nil }
                words.append(word)
            }
        }
        if let gap {
            guard words.count < 8 else { return nil }
            words.insert(contentsOf: repeatElement(0, count: 8 - words.count), at: gap)
        }
        guard words.count == 8 else { return nil }
        return words.reduce(0) { $0 << 16 | UInt128($1) }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }
}

/// As its text in JSON, as every reader of a report expects.
extension IPAddress: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let address = IPAddress(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not an IP address"))
        }
        self = address
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
