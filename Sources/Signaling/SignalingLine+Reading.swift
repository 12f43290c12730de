import Engines
import NetTypes
package import STUN

extension SignalingLine {
    /// Why a text is no line of the other side's.
    package enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
        case empty
        case notALine(QuotedInput)
        case sessionDescription
        case newerVersion(QuotedInput)
        /// It ends too soon: the rest may be on the next line, where a mail program has wrapped it.
        case cut(characters: Int, of: Int?)
        case tooLong(characters: Int, of: Int)
        case pastedTwice
        case wrongCharacter(QuotedInput, at: Int)
        /// The checksum of the length, or of all of it, is another.
        case damaged
        /// The checksum is right, and what it says is not known here.
        case notUnderstood
        case ownLine

        package var description: String {
            switch self {
            case .empty: "there is nothing to read: paste the other side's line, which begins with \(prefix)"
            case .notALine(let text): "'\(text)' is not the other side's line: it begins with \(prefix)"
            case .sessionDescription: "this is SDP, not icecheck's line: give --sdp to connect to something else"
            case .newerVersion(let version):
                "a line that begins with \(version) is of another version of icecheck: use the same on both sides"
            case .cut(let characters, let count?):
                "the line ends after \(characters) of \(count) characters: copy it whole"
            case .cut(let characters, nil): "the line ends after \(characters) characters: copy it whole"
            case .tooLong(let characters, let count):
                "the line has \(characters) characters and not \(count): something was added to it; copy it again"
            case .pastedTwice: "two lines stand here, or one twice: paste the other side's line once"
            case .wrongCharacter(let character, let place):
                "'\(character)' at character \(place) is none of such a line: copy it again"
            case .damaged: "the line was changed on its way, its checksum is another: copy it again"
            case .notUnderstood:
                "the line is whole, but says what this version of icecheck does not know: use the same "
                    + "version on both sides"
            case .ownLine: "this is your own line: paste the other side's"
            }
        }
    }

    /// Longer than any line, with what pasting adds.
    static let characterLimit = 1 << 18

    /// Reads a line.
    ///
    /// White space within it is ignored, and so are the quote marks of mail, back-ticks and quotes around it.
    ///
    /// - Parameter own: this side's description, whose line is refused.
    package static func read(_ text: String, own: ICEDescription? = nil) throws(Problem) -> ICEDescription {
        guard text.utf8.count <= characterLimit else {
            throw .tooLong(characters: text.utf8.count, of: characters(Int(UInt16.max)))
        }
        let scalars = text.unicodeScalars.filter { !isIgnored($0) }
        guard let first = scalars.first else { throw .empty }
        let plain = String(String.UnicodeScalarView(scalars))
        guard plain.hasPrefix(family) else {
            let isSDP = plain.hasPrefix("v=") || plain.hasPrefix("a=") || plain.hasPrefix("candidate:") || first == "{"
            if isSDP { throw .sessionDescription }
            if prefix.hasPrefix(plain) { throw .cut(characters: plain.utf8.count, of: nil) }
            throw .notALine(QuotedInput(text.drop { $0.isWhitespace }.prefix(40)))
        }
        try checkVersion(plain)
        let description = try decode(Array(plain.unicodeScalars.dropFirst(prefix.unicodeScalars.count)))
        if let own, description.credentials == own.credentials { throw .ownLine }
        return description
    }

    private static func isIgnored(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ">", "\"", "'", "`", "\u{FEFF}", "\u{200B}": true
        default: scalar.properties.isWhitespace
        }
    }

    private static func checkVersion(_ text: String) throws(Problem) {
        if text.hasPrefix(prefix) { return }
        let version = text.dropFirst(family.count)
        let digits = version.prefix { $0.isASCII && $0.isNumber }
        if version.count == digits.count { throw .cut(characters: text.utf8.count, of: nil) }
        guard !digits.isEmpty, version.dropFirst(digits.count).first == ":" else {
            throw .notALine(QuotedInput(text.prefix(40)))
        }
        throw .newerVersion(QuotedInput(text.prefix(family.count + digits.prefix(8).count)))
    }

    private static func decode(_ scalars: [Unicode.Scalar]) throws(Problem) -> ICEDescription {
        let have = prefix.utf8.count + scalars.count
        let again = String(String.UnicodeScalarView(scalars)).contains(family)
        // `icecheck` may stand within base64, if rarely: the colon of the prefix may not.
        if again, scalars.contains(":") { throw .pastedTwice }
        if let bad = scalars.firstIndex(where: { !isBase64($0) }) {
            throw .wrongCharacter(QuotedInput(String(scalars[bad])), at: prefix.utf8.count + bad + 1)
        }
        guard scalars.count >= headerCharacters,
            let header = Base64.decode(String(String.UnicodeScalarView(scalars.prefix(headerCharacters))))
        else { throw .cut(characters: have, of: nil) }
        guard headerCheck(Array(header.prefix(2))) == header[2] else { throw .damaged }
        let count = Int(header[0]) << 8 | Int(header[1])
        let due = characters(count)
        guard have >= due else { throw .cut(characters: have, of: due) }
        guard have == due else { throw .tooLong(characters: have, of: due) }
        guard let bytes = Base64.decode(String(String.UnicodeScalarView(scalars))), bytes.count == count,
            count > headerCount + checksumCount
        else { throw .damaged }
        let checksum = bytes.suffix(checksumCount).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard Fingerprint.crc32(bytes.dropLast(checksumCount)) == checksum else { throw .damaged }
        var reader = DescriptionReader(bytes[headerCount...].dropLast(checksumCount))
        guard let description = reader.description() else { throw .notUnderstood }
        return description
    }

    private static func isBase64(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "A"..."Z", "a"..."z", "0"..."9", "-", "_": true
        default: false
        }
    }
}
