@_spi(_Unicode) import Swift

/// One label of an internationalised name: mapping, checks and both forms (RFC 5891, mapping as UTS 46 has it).
///
/// The standard library has no compatibility decomposition. What it would map and this does not (all but case,
/// full-width ASCII and what is ignored) is refused, so that no name is read as another than the one that a browser
/// would ask for.
enum InternationalLabel {
    /// Both forms of a label that has letters outside ASCII or begins with `xn--`.
    static func read(_ label: String) throws(DomainName.Problem) -> (ascii: String, display: String) {
        let mapped = map(label)
        let text = String(String.UnicodeScalarView(mapped))
        if text.hasPrefix("xn--") {
            guard let decoded = Punycode.decode(text.dropFirst(4)), decoded.contains(where: { !$0.isASCII }) else {
                throw refusal("'xn--' is followed by Punycode, and this is not (RFC 3492)")
            }
            let display = String(String.UnicodeScalarView(decoded))
            // A second spelling of the same name would make two names of one (RFC 5891 s5.4).
            guard map(display) == decoded, Punycode.encode(decoded).map({ "xn--" + $0 }) == text else {
                throw refusal("this 'xn--' part stands for letters that a name does not keep (RFC 5891 s5.4)")
            }
            try check(decoded)
            return (text, display)
        }
        if mapped.allSatisfy(\.isASCII) { return (text, text) }
        try check(mapped)
        guard let encoded = Punycode.encode(mapped) else {
            throw refusal("a part of a host name has at most 63 bytes in its ASCII form (RFC 1035 s2.3.4)")
        }
        return ("xn--" + encoded, text)
    }

    static func isDot(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ".", "\u{3002}", "\u{FF0E}", "\u{FF61}": true
        default: false
        }
    }

    /// Lower case, full-width ASCII made plain, ignored characters dropped, then NFC.
    private static func map(_ label: String) -> [Unicode.Scalar] {
        var lower = String.UnicodeScalarView()
        for scalar in label.unicodeScalars where !isIgnored(scalar) {
            var scalar = scalar
            if (0xFF01...0xFF5E).contains(scalar.value), let plain = Unicode.Scalar(scalar.value - 0xFEE0) {
                scalar = plain
            }
            lower.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        }
        return Array(String(lower)._nfc)
    }

    private static func isIgnored(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xAD, 0x200B, 0x2060, 0xFEFF, 0xFE00...0xFE0F: true
        default: false
        }
    }

    private static func check(_ label: [Unicode.Scalar]) throws(DomainName.Problem) {
        if let first = label.first, isMark(first) {
            throw refusal("a part of a host name does not begin with a combining mark (RFC 5891 s4.2.3.2)")
        }
        if label.first == "-" || label.last == "-" {
            throw refusal("no part of a host name begins or ends with '-' (RFC 5891 s4.2.3.1)")
        }
        for (index, scalar) in label.enumerated() where !scalar.isASCII {
            guard isPermitted(scalar, after: index > 0 ? label[index - 1] : nil) else {
                throw refusal("\(name(scalar)) has no place in a host name (RFC 5892)")
            }
        }
    }

    private static func isPermitted(_ scalar: Unicode.Scalar, after previous: Unicode.Scalar?) -> Bool {
        switch scalar.value {
        // The two joiners stand after a virama only (RFC 5892 appendix A.1, A.2).
        case 0x200C, 0x200D: return previous?.properties.canonicalCombiningClass == .virama
        // Letters that a compatibility mapping would take away and names keep (RFC 5892 s2.6, appendix A).
        case 0xDF, 0x3C2, 0xB7, 0x30FB: return true
        // What stands for something that could not be shown or read, as bytes that are no UTF-8 become.
        case 0xFFFC, 0xFFFD: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber,
            .enclosingMark, .otherSymbol:
            return !scalar.properties.changesWhenNFKCCaseFolded
        default:
            return false
        }
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }

    private static func name(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func refusal(_ message: String) -> DomainName.Problem {
        DomainName.Problem(offset: 0, message: message)
    }
}
