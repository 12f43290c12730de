import COpenSSL
package import NetTypes

/// What the handshake brought to light.
extension SecureChannel {
    package var facts: SecureFacts {
        let alpn = bytes { copenssl_channel_text(handle, Int32(COPENSSL_TEXT_PROTOCOL.rawValue), $0, $1) }
        let cipher = text { copenssl_channel_text(handle, Int32(COPENSSL_TEXT_CIPHER.rawValue), $0, $1) }
        var facts = SecureFacts(
            // Before a cipher is chosen OpenSSL gives the version that it hopes for.
            version: cipher.isEmpty
                ? "" : text { copenssl_channel_text(handle, Int32(COPENSSL_TEXT_VERSION.rawValue), $0, $1) },
            cipher: cipher, applicationProtocol: alpn.isEmpty ? nil : OutsideText(bytes: alpn),
            chain: (0..<copenssl_channel_certificate_count(handle)).map(certificate),
            trustAnchor: copenssl_channel_has_anchor(handle) != 0 ? certificate(-1) : nil, judgedAt: wallClock)
        facts.faults = certificateFailures(facts)
        return facts
    }

    private func certificate(_ index: Int32) -> CertificateFacts {
        func field(_ which: copenssl_certificate_field) -> [UInt8] {
            bytes { copenssl_certificate_text(handle, index, Int32(which.rawValue), $0, $1) }
        }
        func number(_ which: copenssl_certificate_quantity) -> Int64 {
            copenssl_certificate_number(handle, index, Int32(which.rawValue))
        }
        return CertificateFacts(
            subject: Self.shortened(field(COPENSSL_CERTIFICATE_SUBJECT)),
            issuer: Self.shortened(field(COPENSSL_CERTIFICATE_ISSUER)),
            commonName: Self.shortened(field(COPENSSL_CERTIFICATE_COMMON_NAME)),
            names: Self.names(field(COPENSSL_CERTIFICATE_NAMES)),
            notBefore: number(COPENSSL_CERTIFICATE_NOT_BEFORE), notAfter: number(COPENSSL_CERTIFICATE_NOT_AFTER),
            keyKind: OutsideText(bytes: field(COPENSSL_CERTIFICATE_KEY)).cleaned(),
            keyBits: Int(number(COPENSSL_CERTIFICATE_KEY_BITS)),
            signatureAlgorithm: OutsideText(bytes: field(COPENSSL_CERTIFICATE_SIGNATURE)).cleaned(),
            fingerprint: field(COPENSSL_CERTIFICATE_FINGERPRINT),
            isSelfSigned: number(COPENSSL_CERTIFICATE_IS_SELF_SIGNED) != 0)
    }

    /// A name of a certificate may be as long as its maker likes; a report may not.
    private static func shortened(_ bytes: [UInt8]) -> OutsideText { OutsideText(bytes: Array(bytes.prefix(1024))) }

    /// Reads what `COPENSSL_CERTIFICATE_NAMES` packs.
    private static func names(_ packed: [UInt8]) -> [CertificateFacts.Name] {
        var names: [CertificateFacts.Name] = []
        var rest = packed[...]
        while let kind = rest.popFirst(), let count = rest.popFirst(), rest.count >= Int(count) {
            let value = Array(rest.prefix(Int(count)))
            rest.removeFirst(Int(count))
            if kind == UInt8(ascii: "D") {
                names.append(.dns(OutsideText(bytes: value)))
            } else if let address = IPAddress(bytes: value) {
                names.append(.address(address))
            }
        }
        return names
    }

    func text(_ body: (UnsafeMutablePointer<UInt8>?, Int) -> Int) -> String {
        OutsideText(bytes: bytes(body)).cleaned()
    }

    private func bytes(_ body: (UnsafeMutablePointer<UInt8>?, Int) -> Int) -> [UInt8] {
        let count = body(context.buffer.baseAddress, context.buffer.count)
        return Array(context.buffer.prefix(count))
    }
}
