/// The characters of PRECIS's FreeformClass (RFC 8264 s4.3), asked in the order of RFC 8264 s8.
enum FreeformClass {
    /// Why the character at `index` may not stand there, nil where it may.
    static func refusal(of text: [Unicode.Scalar], at index: Int) -> OpaqueStringError.Reason? {
        let scalar = text[index]
        switch scalar.value {
        case 0x20...0x7E: return nil
        // RFC 8264 s9.6, the exceptions: letters that stay, and marks that are disallowed.
        case 0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007: return nil
        case 0x640, 0x7FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: return .retired
        default: break
        }
        if let isPermitted = isPermittedByContext(text, index) { return isPermitted ? nil : .context }
        let properties = scalar.properties
        // Noncharacters are unassigned by category, and ignorable by RFC 8264 s9.13; both are refused.
        if properties.generalCategory == .unassigned { return .unassigned }
        if isConjoiningJamo(scalar.value) { return .oldHangulJamo }
        if properties.isDefaultIgnorableCodePoint { return .ignorable }
        switch properties.generalCategory {
        case .control: return .control
        case .format, .surrogate, .privateUse, .lineSeparator, .paragraphSeparator: return .notText
        default: return nil
        }
    }

    /// Hangul_Syllable_Type L, V or T (RFC 8264 s9.9): whole syllables are other code points.
    private static func isConjoiningJamo(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x11FF, 0xA960...0xA97C, 0xD7B0...0xD7C6, 0xD7CB...0xD7FB: true
        default: false
        }
    }

    // MARK: Context (RFC 5892 appendix A)

    /// Whether the rule of a character that has one is kept, nil where it has none.
    private static func isPermittedByContext(_ text: [Unicode.Scalar], _ index: Int) -> Bool? {
        let previous = index > 0 ? text[index - 1] : nil
        let next = index + 1 < text.count ? text[index + 1] : nil
        switch text[index].value {
        // A.1, A.2: joiners. The standard library has no Joining_Type, so that of A.1's second form, a non-joiner
        // between letters of a joining script, only the script is asked.
        case 0x200C:
            if isVirama(previous) { return true }
            guard let previous, let next else { return false }
            return isOfJoiningScript(previous) && isOfJoiningScript(next)
        case 0x200D: return isVirama(previous)
        // A.3: the middle dot of Catalan.
        case 0xB7: return previous == "l" && next == "l"
        // A.4: the Greek numeral sign.
        case 0x375: return next.map(isGreek) ?? false
        // A.5, A.6: Hebrew punctuation.
        case 0x5F3, 0x5F4: return previous.map(isHebrew) ?? false
        // A.7: the Katakana middle dot.
        case 0x30FB: return text.contains(where: isJapanese)
        // A.8, A.9: the two sets of Arabic digits are not mixed.
        case 0x660...0x669: return !text.contains { (0x6F0...0x6F9).contains($0.value) }
        case 0x6F0...0x6F9: return !text.contains { (0x660...0x669).contains($0.value) }
        default: return nil
        }
    }

    private static func isVirama(_ scalar: Unicode.Scalar?) -> Bool {
        scalar?.properties.canonicalCombiningClass == .virama
    }

    private static func isOfJoiningScript(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x620...0x8FF, 0x1807...0x18AA, 0xA840...0xA871, 0xFB50...0xFDFF, 0xFE70...0xFEFC: true
        default: false
        }
    }

    private static func isGreek(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x370...0x3FF, 0x1F00...0x1FFE: scalar.properties.isAlphabetic
        default: false
        }
    }

    private static func isHebrew(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x591...0x5F4, 0xFB1D...0xFB4F: true
        default: false
        }
    }

    private static func isJapanese(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2E80...0x2FD5, 0x3005, 0x3007, 0x3021...0x3029, 0x3038...0x303A, 0x3041...0x3096, 0x309D...0x309F,
            0x30A1...0x30FA, 0x30FD...0x30FF, 0x31F0...0x31FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF,
            0xFF66...0xFF9D, 0x20000...0x323AF:
            true
        default: false
        }
    }
}
