import COpenSSL

/// The digests that STUN's keys are made with.
package enum Digest {
    package static func md5(_ bytes: [UInt8]) -> [UInt8] { digest(Int32(COPENSSL_MD5), 16, bytes) }
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] { digest(Int32(COPENSSL_SHA256), 32, bytes) }

    private static func digest(_ algorithm: Int32, _ size: Int, _ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: size)
        let isDone = copenssl_digest(algorithm, bytes, bytes.count, &digest)
        precondition(isDone == 1, "libcrypto refuses a digest that STUN needs; is it in FIPS mode?")
        return digest
    }
}

/// The keyed digests of MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256.
package enum HMAC {
    package static let sha1Size = 20
    package static let sha256Size = 32

    package static func sha1(_ bytes: ArraySlice<UInt8>, key: [UInt8]) -> [UInt8] {
        hmac(Int32(COPENSSL_SHA1), sha1Size, bytes, key)
    }

    package static func sha256(_ bytes: ArraySlice<UInt8>, key: [UInt8]) -> [UInt8] {
        hmac(Int32(COPENSSL_SHA256), sha256Size, bytes, key)
    }

    private static func hmac(_ algorithm: Int32, _ size: Int, _ bytes: ArraySlice<UInt8>, _ key: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: size)
        let isDone = bytes.withUnsafeBufferPointer {
            copenssl_hmac(algorithm, key, key.count, $0.baseAddress, $0.count, &digest)
        }
        precondition(isDone == 1, "libcrypto refuses an HMAC that STUN needs; is it in FIPS mode?")
        return digest
    }

    /// Compares without telling by its time where the first difference is.
    static func areEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
