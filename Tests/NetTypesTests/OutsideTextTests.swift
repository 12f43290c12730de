import NetTypes
import Testing

@Suite("Text from outside")
struct OutsideTextTests {
    @Test(
        "What a terminal would obey or hide is shown as an escape",
        arguments: [
            ("Coturn-4.6.1 'Gorst'", "Coturn-4.6.1 'Gorst'"),
            ("Grüße, 你好, 🚀", "Grüße, 你好, 🚀"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\r\nb\tc", "a\\u{d}\\u{a}b\\u{9}c"),
            ("\u{7f}\u{80}\u{9b}", "\\u{7f}\\u{80}\\u{9b}"),
            (
                "\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}",
                "\\u{61c}\\u{200e}\\u{200f}\\u{202a}\\u{202e}\\u{2066}\\u{2069}"
            ),
            ("\u{200b}\u{200d}\u{2060}\u{feff}\u{ad}", "\\u{200b}\\u{200d}\\u{2060}\\u{feff}\\u{ad}"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("\u{e0041}\u{fe0f}\u{e000}", "\\u{e0041}\\u{fe0f}\\u{e000}"),
            ("\0padded\0\0", "\\u{0}padded"),
            ("", ""),
        ])
    func escapes(text: String, shown: String) {
        #expect(text.cleaned() == shown)
    }

    @Test(
        "A byte that is no UTF-8 is shown as hex, and costs its neighbours nothing",
        arguments: [
            ([0x61, 0xFF, 0x62], "a\\x{ff}b"),
            ([0xC3], "\\x{c3}"),
            ([0xE2, 0x82, 0x41], "\\x{e2}\\x{82}A"),
            ([0xC0, 0x80], "\\x{c0}\\x{80}"),
            ([0xED, 0xA0, 0x80], "\\x{ed}\\x{a0}\\x{80}"),
            ([0xF4, 0x90, 0x80, 0x80], "\\x{f4}\\x{90}\\x{80}\\x{80}"),
            ([0xC3, 0xA9, 0xC3, 0xA9, 0xC3, 0xA9], "ééé"),
        ] as [([UInt8], String)])
    func invalidBytes(bytes: [UInt8], shown: String) {
        #expect(OutsideText(bytes: bytes).cleaned() == shown)
    }

    @Test("A long text is cut at the limit, never within an escape, and says how long it was")
    func cuts() {
        #expect(String(repeating: "a", count: 256).cleaned() == String(repeating: "a", count: 256))
        #expect(String(repeating: "a", count: 65_400).cleaned(limit: 3) == "aaa… (65400 bytes)")
        #expect("ab\u{1b}c".cleaned(limit: 7) == "ab… (4 bytes)")
        #expect(String(repeating: "\u{301}", count: 9000).cleaned().unicodeScalars.count < 300)
    }

    @Test("Cleaning what is clean changes nothing", arguments: 0..<200)
    func idempotent(seed: Int) {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        let bytes = (0..<64).map { _ -> UInt8 in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
        let once = OutsideText(bytes: bytes).cleaned(limit: 1000)
        #expect(once.cleaned(limit: 1000) == once, "seed \(seed)")
        #expect(once.unicodeScalars.allSatisfy { $0.isShowable }, "seed \(seed)")
    }
}
