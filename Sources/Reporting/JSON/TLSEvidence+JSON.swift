package import Facts
package import JSON
package import NetTypes

extension TLSEvidence: JSONRecord {
    package static let shape = Shape<TLSEvidence>("tls", "What a TLS or DTLS handshake showed.") {
        Field("ok", \.failures.isEmpty, "Whether it was completed.")
        Field(
            "verified", { $0.failures.isEmpty && $0.facts.faults.isEmpty },
            "Whether the certificate is fine as well; with --insecure a handshake is completed even if it is not.")
        Field("version", \.facts.version.unlessEmpty)
        Field("cipher", \.facts.cipher.unlessEmpty)
        Field("alpn", \.facts.applicationProtocol, "The application protocol that the server chose.")
        Field("handshakeMs", \.handshake, "Beyond the connection.")
        Field(
            "handshakesBegun", { $0.handshakesBegun > 1 ? $0.handshakesBegun : nil },
            "DTLS: how many were begun, each from its own port, until one was complete; 1 where absent.",
            ["minimum": 2])
        Field(
            "daysToExpiry", { $0.facts.daysToExpiry.map { Signed(Int(clamping: $0)) } },
            "Of the first certificate of the chain to expire; negative once it has.")
        Field("chain", \.facts.chain.unlessEmpty, "As the server sent it, its own certificate first.")
        Field("inspectedBy", \.facts.inspectionProduct, "A product that intercepts TLS and made this certificate.")
        Field.object(
            "withoutServerName", \.failuresWithoutServerName,
            "Where the certificate is for other names: what a handshake without SNI led to."
        ) {
            Field("ok", \.isEmpty, "Whether it was completed, with a certificate that is fine.")
            Field("faults", \.unlessEmpty)
        }
        Field(
            "faults", { ($0.failures.isEmpty ? $0.facts.faults : $0.failures).unlessEmpty },
            "What failed, or was ignored with --insecure; the most specific first.")
    }
}

extension String {
    /// Nil where there is nothing: the key is left out.
    var unlessEmpty: String? { isEmpty ? nil : self }
}

extension SecureFailure: JSONRecord {
    package static let shape = Shape<SecureFailure>("tlsFault") {
        Field("kind", \.kind)
        Field("detail", { $0.detail.bytes.isEmpty ? nil : $0.detail })
        Field("certificate", \.certificate, "Its place in the chain, 0 for the server's own.")
        Field("alert", \.alert)
    }
}

extension CertificateFacts: JSONRecord {
    package static let shape = Shape<CertificateFacts> {
        Field("subject", \.subject)
        Field("issuer", \.issuer)
        Field("names", { $0.names.prefix(50).unlessEmpty })
        Field("notBefore", { CalendarDate.text($0.notBefore) })
        Field("notAfter", { CalendarDate.text($0.notAfter) })
        Field("key", { "\($0.keyKind) \($0.keyBits)" })
        Field("signature", \.signatureAlgorithm)
        Field("sha256", { HexBytes($0.fingerprint) }, "", ["minLength": 64, "maxLength": 64])
    }
}

extension CertificateFacts.Name: JSONShaped {
    package var jsonValue: JSONValue {
        switch self {
        case .dns(let name): name.jsonValue
        case .address(let address): address.jsonValue
        }
    }
    package static func schema(_ book: inout SchemaBook) -> JSONValue { OutsideText.schema(&book) }
}

extension SecureFailure.Kind: JSONWord {
    /// `not-tls` for `notTLS`.
    package var jsonWord: String {
        let words = rawValue.reduce(into: "") { text, letter in
            text += letter.isUppercase && text.last?.isLowercase ?? false ? "-\(letter)" : "\(letter)"
        }
        return words.lowercased()
    }
}
