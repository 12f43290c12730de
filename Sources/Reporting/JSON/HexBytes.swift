package import JSON
import STUN

/// Bytes as lower-case hex.
package struct HexBytes: JSONShaped {
    private let bytes: [UInt8]

    init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    package var jsonValue: JSONValue { .string(Hex.text(bytes)) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        ["type": "string", "pattern": "^([0-9a-f]{2})*$"]
    }
}
