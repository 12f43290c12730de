import Diagnosis
import JSON
import NetTypes
import Session

extension TLSEvidence {
    var jsonValue: JSONValue {
        [
            "ok": .bool(failures.isEmpty),
            "verified": .bool(failures.isEmpty && facts.faults.isEmpty),
            "version": facts.version.isEmpty ? nil : .string(facts.version),
            "cipher": facts.cipher.isEmpty ? nil : .string(facts.cipher),
            "alpn": facts.applicationProtocol.map { .string($0.cleaned()) },
            "handshakeMs": .milliseconds(handshake),
            "handshakesBegun": handshakesBegun > 1 ? .integer(handshakesBegun) : nil,
            "daysToExpiry": facts.daysToExpiry.map { .integer(Int(clamping: $0)) },
            "chain": facts.chain.jsonArrayUnlessEmpty(\.jsonValue),
            "inspectedBy": facts.inspectionProduct.map(JSONValue.string),
            "withoutServerName": failuresWithoutServerName.map { failures in
                ["ok": .bool(failures.isEmpty), "faults": failures.jsonArrayUnlessEmpty(\.jsonValue)]
            },
            "faults": (failures.isEmpty ? facts.faults : failures).jsonArrayUnlessEmpty(\.jsonValue),
        ]
    }
}

extension SecureFailure {
    fileprivate var jsonValue: JSONValue {
        [
            "kind": .string(kind.reportName),
            "detail": detail.bytes.isEmpty ? nil : .string(detail.cleaned()),
            "certificate": certificate.map(JSONValue.integer),
            "alert": alert.map { .integer(Int($0)) },
        ]
    }
}

extension CertificateFacts {
    fileprivate var jsonValue: JSONValue {
        [
            "subject": .string(subject.cleaned()),
            "issuer": .string(issuer.cleaned()),
            "names": names.prefix(50).jsonArrayUnlessEmpty {
                switch $0 {
                case .dns(let name): .string(name.cleaned())
                case .address(let address): .address(address)
                }
            },
            "notBefore": .string(CalendarDate.text(notBefore)),
            "notAfter": .string(CalendarDate.text(notAfter)),
            "key": .string("\(keyKind) \(keyBits)"),
            "signature": .string(signatureAlgorithm),
            "sha256": .string(fingerprint.hexText),
        ]
    }
}

extension SecureFailure.Kind {
    /// As scripts compare it.
    var reportName: String {
        switch self {
        case .interceptionSuspected: "interception-suspected"
        case .revoked: "revoked"
        case .expired: "expired"
        case .notYetValid: "not-yet-valid"
        case .wrongName: "wrong-name"
        case .weakKey: "weak-key"
        case .weakHash: "weak-hash"
        case .chainTooLong: "chain-too-long"
        case .missingIntermediate: "missing-intermediate"
        case .selfSigned: "self-signed"
        case .unknownRoot: "unknown-root"
        case .certificateRefused: "certificate-refused"
        case .notTLS: "not-tls"
        case .protocolVersion: "protocol-version"
        case .noCommonCipher: "no-common-cipher"
        case .alpnMismatch: "alpn-mismatch"
        case .alert: "alert"
        case .closedDuringHandshake: "closed-during-handshake"
        case .stalled: "stalled"
        case .flightLost: "flight-lost"
        case .malformed: "malformed"
        case .unusableConfiguration: "unusable-configuration"
        }
    }
}
