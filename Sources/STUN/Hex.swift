/// Bytes as hexadecimal text.
package enum Hex {
    /// Lower case, without separators.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes {
            text.append(byte < 16 ? "0" : "")
            text.append(String(byte, radix: 16))
        }
        return text
    }

    /// `0x0020`: a number of a registry.
    package static func number(_ value: UInt16) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
