/// FINGERPRINT: a CRC-32 that tells STUN from other traffic (RFC 8489 s14.7).
package enum Fingerprint {
    /// The value that belongs after `bytes`, whose length field counts the FINGERPRINT already.
    static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 { crc32(bytes) ^ 0x5354_554E }

    /// CRC-32 of ITU-T V.42, reflected, as in Ethernet and zip.
    package static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }
}
