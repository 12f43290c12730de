/// Punycode (RFC 3492): Unicode letters written in ASCII, as the part of an A-label after `xn--`.
///
/// Input is one label at a time and comes from outside, so every sum is checked and a bad one gives nil.
enum Punycode {
    private static let base = 36
    private static let minimumThreshold = 1
    private static let maximumThreshold = 26
    private static let initialBias = 72
    private static let initialCodePoint = 128
    private static let delimiter: Unicode.Scalar = "-"

    /// The ASCII form of `label`, or nil where it is longer than any label can be.
    static func encode(_ label: some Collection<Unicode.Scalar>) -> String? {
        // A label has at most 63 bytes in ASCII; the loop below is quadratic, so the length is held before it.
        guard label.count <= 63 else { return nil }
        let basic = label.filter(\.isASCII)
        var output = String(String.UnicodeScalarView(basic))
        if !basic.isEmpty { output.unicodeScalars.append(delimiter) }
        var codePoint = initialCodePoint
        var delta = 0
        var bias = initialBias
        var handled = basic.count
        while handled < label.count {
            guard let next = label.lazy.map({ Int($0.value) }).filter({ $0 >= codePoint }).min() else { return nil }
            delta += (next - codePoint) * (handled + 1)
            codePoint = next
            for scalar in label {
                if Int(scalar.value) < codePoint { delta += 1 }
                guard Int(scalar.value) == codePoint else { continue }
                append(delta, bias: bias, to: &output)
                bias = adapted(delta, count: handled + 1, isFirst: handled == basic.count)
                delta = 0
                handled += 1
            }
            delta += 1
            codePoint += 1
        }
        return output
    }

    /// The letters that `text` stands for, or nil where it stands for none.
    static func decode(_ text: some StringProtocol) -> [Unicode.Scalar]? {
        let input = Array(text.utf8)
        guard input.count <= 63, input.allSatisfy({ $0 < 0x80 }) else { return nil }
        let split = input.lastIndex(of: UInt8(ascii: "-"))
        // The delimiter stands only after basic letters; taken without any, one name would have two spellings.
        guard split != 0 else { return nil }
        var output = input[..<(split ?? 0)].map { Unicode.Scalar($0) }
        var position = split.map { $0 + 1 } ?? 0
        var codePoint = initialCodePoint
        var index = 0
        var bias = initialBias
        while position < input.count {
            guard let delta = readInteger(input, &position, bias: bias) else { return nil }
            let count = output.count + 1
            bias = adapted(delta, count: count, isFirst: index == 0 && codePoint == initialCodePoint)
            index += delta
            codePoint += index / count
            index %= count
            guard codePoint <= 0x10FFFF, let scalar = Unicode.Scalar(UInt32(codePoint)) else { return nil }
            output.insert(scalar, at: index)
            index += 1
        }
        return output
    }

    /// Reads one generalized variable-length integer (RFC 3492 s3.3).
    private static func readInteger(_ input: [UInt8], _ position: inout Int, bias: Int) -> Int? {
        var value = 0
        var weight = 1
        var k = base
        while position < input.count {
            guard let digit = digit(input[position]) else { return nil }
            position += 1
            value += digit * weight
            // Above this no code point can follow; the bound keeps every sum in this file far from overflow.
            guard value <= 0x10FFFF * 64 else { return nil }
            let threshold = threshold(k, bias)
            if digit < threshold { return value }
            weight *= base - threshold
            guard weight <= 0x10FFFF * 64 else { return nil }
            k += base
        }
        return nil
    }

    private static func append(_ delta: Int, bias: Int, to output: inout String) {
        var quotient = delta
        var k = base
        while true {
            let threshold = threshold(k, bias)
            if quotient < threshold { break }
            output.unicodeScalars.append(character(threshold + (quotient - threshold) % (base - threshold)))
            quotient = (quotient - threshold) / (base - threshold)
            k += base
        }
        output.unicodeScalars.append(character(quotient))
    }

    private static func threshold(_ k: Int, _ bias: Int) -> Int {
        min(max(k - bias, minimumThreshold), maximumThreshold)
    }

    /// RFC 3492 s6.1.
    private static func adapted(_ delta: Int, count: Int, isFirst: Bool) -> Int {
        let (damp, skew) = (700, 38)
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var k = 0
        while delta > (base - minimumThreshold) * maximumThreshold / 2 {
            delta /= base - minimumThreshold
            k += base
        }
        return k + (base - minimumThreshold + 1) * delta / (delta + skew)
    }

    private static func character(_ digit: Int) -> Unicode.Scalar {
        Unicode.Scalar(digit < 26 ? UInt8(ascii: "a") + UInt8(digit) : UInt8(ascii: "0") + UInt8(digit - 26))
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte - UInt8(ascii: "a"))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0")) + 26
        default: nil
        }
    }
}
