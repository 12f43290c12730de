/// A user name as it is sent: prepared, and not too long (RFC 8489 s14.3).
///
/// A colon may stand in it, although keys are made of parts between colons: the names of TURN's REST API are a time, a
/// colon and a name, and ICE's are two fragments with a colon between them.
package struct Username: Hashable, Sendable {
    /// Fewer than 509 bytes.
    package static let byteLimit = 508

    package let text: String

    /// - Throws: ``CredentialError`` where the text cannot be prepared or is too long.
    package init(_ text: some StringProtocol) throws(CredentialError) {
        do {
            self.text = try OpaqueString.prepare(text)
        } catch {
            throw .unprepared(.username, error)
        }
        let count = self.text.utf8.count
        guard count <= Self.byteLimit else { throw .tooLong(.username, bytes: count, limit: Self.byteLimit) }
    }

    package var bytes: [UInt8] { Array(text.utf8) }
}
