/// A host name, in the ASCII form that the DNS is asked for and in the form that people read.
///
/// Names of hosts (RFC 1123), with the underscore that service names use (RFC 2782). Internationalised labels
/// are mapped and checked as in ``InternationalLabel``. A final dot is taken and dropped. Two names are equal where
/// their ASCII forms are.
package struct DomainName: Sendable {
    /// A-labels in lower case, without a final dot; at most 253 bytes.
    package let ascii: String
    /// U-labels.
    package let display: String

    /// Why a text is not a host name.
    package struct Problem: Error, Equatable {
        /// Bytes from the start of the text that was read.
        package var offset: Int
        /// What is wrong, and the rule.
        package var message: String
    }

    /// Reads a host name; it is data whatever it looks like, and never an option or a path.
    package init(_ text: String) throws(Problem) {
        guard text.utf8.count <= 1024 else {
            throw Problem(
                offset: 1024, message: "a host name has at most 253 bytes in its ASCII form (RFC 1035 s2.3.4)")
        }
        var ascii: [String] = []
        var display: [String] = []
        var offset = 0
        var labels = Self.labels(text)
        if labels.count > 1, labels.last?.isEmpty == true { labels.removeLast() }
        for label in labels {
            guard !label.isEmpty else {
                throw Problem(offset: offset, message: "a host name has something between its dots (RFC 1035 s2.3.1)")
            }
            let read: (ascii: String, display: String)
            do { read = try Self.read(label) } catch {
                throw Problem(offset: offset + error.offset, message: error.message)
            }
            ascii.append(read.ascii)
            display.append(read.display)
            offset += label.utf8.count + Self.dotLength(text, at: offset + label.utf8.count)
        }
        self.ascii = ascii.joined(separator: ".")
        self.display = display.joined(separator: ".")
        let count = self.ascii.utf8.count
        guard count <= 253 else {
            throw Problem(offset: 0, message: "a host name has at most 253 bytes, this has \(count) (RFC 1035 s2.3.4)")
        }
        try Self.refuseNumbers(ascii)
    }

    /// The system's resolver reads `127.1`, `010.0.0.1` and `0x7f000001` as addresses, each in a way that few expect.
    private static func refuseNumbers(_ labels: [String]) throws(Problem) {
        guard let last = labels.last else { return }
        let isHex = last.hasPrefix("0x") && last.dropFirst(2).utf8.allSatisfy { Unicode.Scalar($0).isHexDigit }
        guard isHex || last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return }
        throw Problem(
            offset: 0,
            message: "the last part of a host name is not a number, and an IPv4 address is four numbers from 0 to 255 "
                + "without leading zeros, as in 192.0.2.1")
    }

    private static func read(_ label: String) throws(Problem) -> (ascii: String, display: String) {
        let isPlain = label.utf8.allSatisfy { $0 < 0x80 }
        let lower = label.lowercased()
        let (ascii, display) =
            isPlain && !lower.hasPrefix("xn--") ? (lower, lower) : try InternationalLabel.read(label)
        guard !ascii.isEmpty else {
            throw Problem(
                offset: 0, message: "a part of a host name has a letter or digit that is not ignored (UTS 46)")
        }
        if let bad = ascii.utf8.enumerated().first(where: { !isHostByte($0.element) }) {
            throw Problem(
                offset: isPlain ? bad.offset : 0,
                message: "a host name has letters, digits, '-', '_' and dots only (RFC 1123 s2.1)")
        }
        if ascii.hasPrefix("-") || ascii.hasSuffix("-") {
            throw Problem(
                offset: ascii.hasPrefix("-") ? 0 : label.utf8.count - 1,
                message: "no part of a host name begins or ends with '-' (RFC 1123 s2.1)")
        }
        guard ascii.utf8.count <= 63 else {
            throw Problem(
                offset: 0,
                message: "a part of a host name has at most 63 bytes, this has \(ascii.utf8.count) (RFC 1035 s2.3.4)")
        }
        return (ascii, display)
    }

    /// The labels between the dots of UTS 46: the full stop and its three East Asian forms.
    private static func labels(_ text: String) -> [String] {
        text.unicodeScalars.split(omittingEmptySubsequences: false, whereSeparator: InternationalLabel.isDot)
            .map { String($0) }
    }

    private static func dotLength(_ text: String, at offset: Int) -> Int {
        text.utf8.dropFirst(offset).first == UInt8(ascii: ".") ? 1 : 3
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}

extension DomainName: Hashable {
    package static func == (left: DomainName, right: DomainName) -> Bool { left.ascii == right.ascii }
    package func hash(into hasher: inout Hasher) { hasher.combine(ascii) }
}

extension DomainName: CustomStringConvertible {
    package var description: String { ascii }
}

extension Unicode.Scalar {
    fileprivate var isHexDigit: Bool { properties.isASCIIHexDigit }
}
