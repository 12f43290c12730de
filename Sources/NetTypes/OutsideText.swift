/// Text from the network: as bytes, since they may be anything.
///
/// A renderer shows ``cleaned(limit:)``; JSON keeps the bytes beside it as hex where they are not the same.
package struct OutsideText: Hashable, Sendable, Codable {
    package var bytes: [UInt8]
    package init(bytes: [UInt8]) { self.bytes = bytes }
    package init(_ text: String) { bytes = Array(text.utf8) }
}
