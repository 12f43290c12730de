/// Text from the network: as bytes, since they may be anything.
///
/// A renderer shows ``cleaned(limit:)``; JSON keeps the bytes beside it as hex where they are not the same.
package struct OutsideText: Hashable, Sendable {
    package var bytes: [UInt8]
    package init(bytes: [UInt8]) { self.bytes = bytes }
    package init(_ text: String) { bytes = Array(text.utf8) }
}

/// As a string where it is UTF-8 that can be shown, else as its bytes.
extension OutsideText: Codable {
    private enum CodingKeys: CodingKey { case bytes }

    package init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self.init(text)
        } else {
            self.init(bytes: try decoder.container(keyedBy: CodingKeys.self).decode([UInt8].self, forKey: .bytes))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        if let text = String(validating: bytes, as: UTF8.self), text.unicodeScalars.allSatisfy(\.isShowable) {
            var container = encoder.singleValueContainer()
            try container.encode(text)
        } else {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(bytes, forKey: .bytes)
        }
    }
}
