import SimNet
import Testing

@testable import STUN

struct URIPunycodeTests {
    @Test(
        "the samples of RFC 3492 s7.1 come out both ways",
        arguments: [
            ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"),
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("Pročprostěnemluvíčesky", "Proprostnemluvesky-uyb24dma41a"),
            ("3年B組金八先生", "3B-ww4c5e180e575a65lsy2b"),
            ("安室奈美恵-with-SUPER-MONKEYS", "-with-SUPER-MONKEYS-pc58ag80a8qai00g7n9n"),
            ("ひとつ屋根の下2", "2-u9tlzr9756bt3uc0v"),
            ("パフィーdeルンバ", "de-jg4avhby1noc0d"),
            ("そのスピードで", "d9juau41awczczp"),
            ("-> $1.00 <-", "-> $1.00 <--"),
        ])
    func samples(_ text: String, _ ascii: String) {
        // RFC 3492 gives the Arabic sample as its letters; the question mark is part of ours in U+061F.
        #expect(Punycode.encode(Array(text.unicodeScalars)) == ascii)
        #expect(Punycode.decode(ascii) == Array(text.unicodeScalars))
    }

    @Test(
        "a text that no letters have gives nil",
        arguments: ["99999999", "a-9", "\u{FC}", "é-", "!!", "z9z9z9z9z9z9z9z9"])
    func garbage(_ text: String) {
        #expect(Punycode.decode(text) == nil)
    }

    @Test("random bytes never trap, and what decodes encodes to itself")
    func random() {
        var generator = SeededGenerator(seed: 1)
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789-".unicodeScalars)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...20, using: &generator)
            var text = ""
            for _ in 0..<count { text.unicodeScalars.append(alphabet[Int.random(in: 0..<37, using: &generator)]) }
            guard let decoded = Punycode.decode(text), decoded.contains(where: { !$0.isASCII }) else { continue }
            #expect(Punycode.encode(decoded) == text)
        }
    }
}
