import NetTypes
import STUN

/// icecheck's own form of an ``ICEDescription``: one line that people copy and paste.
///
/// `icecheck1:` and base64url (RFC 4648 s5, without padding) of: the number of all these bytes in 16 bits; the low 8
/// bits of their CRC-32, so that a broken length is known as one; the description; the CRC-32 of all before. A reader
/// ignores what stands after the part of the description that it knows, so that later versions can add to it.
package enum SignalingLine {
    /// What a line of any version begins with.
    static let family = "icecheck"
    static let prefix = "icecheck1:"
    /// Of the length and its check, in bytes; and in characters.
    static let headerCount = 3
    static let headerCharacters = 4
    static let checksumCount = 4
    /// Candidates that a line carries: those of the highest priority.
    package static let mostCandidates = 64

    /// The line, without a line end. It holds the ICE password.
    ///
    /// Extension attributes of candidates are left out.
    package static func text(_ description: ICEDescription) -> String {
        var body = DescriptionWriter()
        body.write(description, mostCandidates: mostCandidates)
        var candidates = mostCandidates
        // Names and foundations as long as they may be fill a line.
        while headerCount + body.bytes.count + checksumCount > Int(UInt16.max), candidates > 0 {
            candidates /= 2
            body = DescriptionWriter()
            body.write(description, mostCandidates: candidates)
        }
        let count = UInt16(truncatingIfNeeded: headerCount + body.bytes.count + checksumCount)
        var bytes = [UInt8(count >> 8), UInt8(truncatingIfNeeded: count)]
        bytes.append(headerCheck(bytes))
        bytes += body.bytes
        let checksum = Fingerprint.crc32(bytes[...])
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: checksum >> shift)) }
        return prefix + Base64.encodeForURL(bytes)
    }

    static func headerCheck(_ count: [UInt8]) -> UInt8 { UInt8(truncatingIfNeeded: Fingerprint.crc32(count[...])) }

    /// Characters of a line of so many bytes.
    static func characters(_ byteCount: Int) -> Int { prefix.utf8.count + (byteCount * 8 + 5) / 6 }
}
