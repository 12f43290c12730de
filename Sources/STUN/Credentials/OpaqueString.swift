@_spi(_Unicode) import Swift

/// The preparation of user names, realms and passwords: the OpaqueString profile (RFC 8265 s4.2).
package enum OpaqueString {
    /// The prepared text: other spaces than U+0020 become U+0020, then NFC.
    ///
    /// - Throws: ``OpaqueStringError`` where the text is empty, or at the first character that is not of the
    ///   FreeformClass (RFC 8264 s4.3).
    package static func prepare(_ text: some StringProtocol) throws(OpaqueStringError) -> String {
        guard !text.isEmpty else { throw .empty }
        let scalars = Array(text.unicodeScalars)
        var mapped = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            if let reason = FreeformClass.refusal(of: scalars, at: index) {
                throw .disallowed(reason, index: index)
            }
            mapped.append(scalar.properties.generalCategory == .spaceSeparator ? " " : scalar)
        }
        return String(String.UnicodeScalarView(String(mapped)._nfc))
    }
}

/// Why a text cannot be a credential. It names no character of the text, which may be a password.
package enum OpaqueStringError: Error, Hashable, Sendable, Codable {
    package enum Reason: String, Hashable, Sendable, Codable, CaseIterable {
        case control = "a control character"
        case unassigned = "a code point that Unicode has not assigned"
        case ignorable = "a character that does not show, such as a soft hyphen or a variation selector"
        case oldHangulJamo = "a Hangul letter that is not part of a whole syllable"
        case retired = "a character that identifiers and passwords may not have (RFC 8264 s9.6)"
        case notText = "a private-use, format or line-separating code point"
        case context = "a character that is only allowed beside certain others (RFC 5892 appendix A)"
    }

    case empty
    /// `index` counts Unicode scalars from the start of the text.
    case disallowed(Reason, index: Int)
}

extension OpaqueStringError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "it is empty"
        case .disallowed(let reason, let index): "character \(index + 1) is \(reason.rawValue)"
        }
    }
}
