import STUN
import SimNet
import Testing

struct HostileBytesTests {
    /// Asks for everything that can be asked of bytes; only its return is the test.
    private func exercise(_ bytes: [UInt8]) {
        _ = try? ChannelData(decoding: bytes)
        _ = ForeignProtocol.identify(bytes)
        guard let message = try? Message(decoding: bytes) else { return }
        _ = (message.duplicates, message.unauthenticated, message.unknownComprehensionRequired)
        _ = (message.verifyFingerprint(), message.verifyIntegrity(key: [1]), message.verifyIntegritySHA256(key: [1]))
        for attribute in message.attributes {
            _ = try? message.value(.xorMappedAddress, of: attribute)
            _ = try? message.value(.errorCode, of: attribute)
            _ = try? message.value(.unknownAttributes, of: attribute)
            _ = try? message.value(.passwordAlgorithms, of: attribute)
            _ = try? message.value(.icmp, of: attribute)
            _ = try? message.value(.addressErrorCode, of: attribute)
            _ = try? message.value(.changeRequest, of: attribute)
            _ = try? message.value(.evenPort, of: attribute)
        }
    }

    @Test("50,000 strings of random bytes never trap", arguments: [1, 2] as [UInt64])
    func random(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<25_000 {
            var bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Half of them look like STUN, so that their attributes are reached.
            if Bool.random(using: &random), bytes.count >= 20 {
                bytes.removeLast(bytes.count % 4)
                bytes.replaceSubrange(0..<8, with: [1, 1, 0, UInt8(bytes.count - 20), 0x21, 0x12, 0xA4, 0x42])
            }
            exercise(bytes)
        }
    }

    @Test("50,000 mutated messages never trap", arguments: [3, 4] as [UInt64])
    func mutated(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for round in 0..<25_000 {
            var bytes = TestVectors.all[round % TestVectors.all.count]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if round % 5 == 0 { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            exercise(bytes)
        }
    }
}
