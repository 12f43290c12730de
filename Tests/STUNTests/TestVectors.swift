/// Messages that RFCs print, in hexadecimal.
enum TestVectors {
    /// RFC 5769 s2.1; the user name is padded with spaces.
    static let request = bytes(
        "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff"
            + "80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249"
            + "c1b571a280280004e57a3bcf")
    /// RFC 5769 s2.2.
    static let responseIPv4 = bytes(
        "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
            + "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96")
    /// RFC 5769 s2.3.
    static let responseIPv6 = bytes(
        "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9fa"
            + "a5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c")
    /// The password of the three before.
    static let password = "VOkJxbRl1RmTxUk/WvJxBt"

    /// RFC 5769 s2.4.
    static let longTermRequest = bytes(
        "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c"
            + "662f2f3439396b39353464364f4c33346f4c39465354767936347341" + "0014000b6578616d706c652e6f726700"
            + "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666")
    /// RFC 8489 B.1 as erratum 6268 has it.
    static let longTermRequestSHA256 = bytes(
        "000100902112a44278ad3433c6ad72c029da412e001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b2"
            + "05c46e41407f1704001500296f624d61744a6f7332414141" + "43662f2f3439396b39353464364f4c33346f4c3946"
            + "53547679363473410000000014000b6578616d706c652e6f726700001d000400020000001c0020b5c7bf005b6c52a2"
            + "1c51c5e892f81924136296cb927c43149309278cc6518e65")

    static let all = [request, responseIPv4, responseIPv6, longTermRequest, longTermRequestSHA256]

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
