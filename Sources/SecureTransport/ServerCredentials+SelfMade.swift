import COpenSSL
package import NetTypes

/// A certificate to make, for a server that has none.
package struct CertificateRequest: Hashable, Sendable {
    package var commonName: String
    package var organization: String?
    package var names: [String] = []
    package var addresses: [IPAddress] = []
    /// Seconds since 1970.
    package var notBefore: Int64
    package var notAfter: Int64
    /// Whether it may issue others.
    package var isAuthority = false
    /// Who signs; nil for a self-signed certificate.
    package var issuer: ServerCredentials?
    /// nil for an ECDSA key on P-256.
    package var rsaBits: Int?
    package var usesSHA1 = false

    package init(commonName: String, notBefore: Int64, notAfter: Int64) {
        self.commonName = commonName
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}

extension ServerCredentials {
    /// Makes a key and its certificate: ECDSA on P-256, signed with SHA-256, unless asked otherwise.
    package static func make(_ request: CertificateRequest) throws(SecureFailure) -> ServerCredentials {
        var names: [String] = []
        for name in request.names {
            // OpenSSL reads a list with commas.
            let isName = name.utf8.allSatisfy {
                ("a"..."z").contains(UnicodeScalar($0)) || ("A"..."Z").contains(UnicodeScalar($0))
                    || ("0"..."9").contains(UnicodeScalar($0)) || "-._*".utf8.contains($0)
            }
            guard !name.isEmpty, isName else { throw SecureFailure(.unusableConfiguration, "\(name) is no DNS name") }
            names.append("DNS:\(name)")
        }
        names += request.addresses.map { "IP:\($0.withoutZone)" }
        var certificate = [UInt8](repeating: 0, count: 16_384)
        var key = [UInt8](repeating: 0, count: 16_384)
        var certificateSize = certificate.count
        var keySize = key.count
        let issuer = request.issuer
        let isMade = request.commonName.withCString { commonName in
            withOptionalCString(request.organization) { organization in
                withOptionalCString(names.isEmpty ? nil : names.joined(separator: ",")) { names in
                    (issuer?.chainPEM ?? []).withUnsafeBufferPointer { issuerChain in
                        (issuer?.keyPEM ?? []).withUnsafeBufferPointer { issuerKey in
                            var flat = copenssl_certificate_request()
                            flat.common_name = commonName
                            flat.organization = organization
                            flat.names = names
                            flat.not_before = request.notBefore
                            flat.not_after = request.notAfter
                            flat.is_authority = request.isAuthority ? 1 : 0
                            flat.rsa_bits = Int32(clamping: request.rsaBits ?? 0)
                            flat.uses_sha1 = request.usesSHA1 ? 1 : 0
                            if issuer != nil {
                                flat.issuer = issuerChain.baseAddress
                                flat.issuer_size = issuerChain.count
                                flat.issuer_key = issuerKey.baseAddress
                                flat.issuer_key_size = issuerKey.count
                            }
                            return copenssl_certificate_make(
                                &flat, &certificate, &certificateSize, &key, &keySize)
                        }
                    }
                }
            }
        }
        guard isMade != 0 else { throw SecureFailure(.unusableConfiguration, "the certificate cannot be made") }
        return ServerCredentials(
            chainPEM: Array(certificate.prefix(certificateSize)), keyPEM: Array(key.prefix(keySize)))
    }
}
