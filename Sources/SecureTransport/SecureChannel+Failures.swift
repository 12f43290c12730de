import COpenSSL
import NetTypes

/// The words for what went wrong.
extension SecureChannel {
    /// Why the handshake, or what came after it, failed.
    var handshakeFailures: [SecureFailure] {
        let facts = facts
        let reason = copenssl_channel_reason(handle)
        if reason == Int32(COPENSSL_REASON_VERIFY.rawValue), !facts.faults.isEmpty { return facts.faults }
        let alert = copenssl_channel_alert(handle)
        if alert >= 0 { return [failure(alert: UInt8(truncatingIfNeeded: alert), facts)] }
        let words = text { copenssl_channel_text(handle, Int32(COPENSSL_TEXT_REASON.rawValue), $0, $1) }
        return [SecureFailure(Self.kind(ofReason: reason), words)]
    }

    /// OpenSSL's reasons (`sslerr.h`) that have a kind of their own.
    private static func kind(ofReason reason: Int32) -> SecureFailure.Kind {
        switch reason {
        // Unsupported protocol, no protocols available, version too low or high, wrong SSL version.
        case Int32(COPENSSL_REASON_UNSUPPORTED_VERSION.rawValue), 191, 396, 166, 266: .protocolVersion
        // No shared cipher, no suitable groups, signature algorithm or key share.
        case Int32(COPENSSL_REASON_NO_SHARED_CIPHER.rawValue), 295, 118, 101, 410: .noCommonCipher
        case Int32(COPENSSL_REASON_NO_PROTOCOL.rawValue): .alpnMismatch
        case Int32(COPENSSL_REASON_EXCESSIVE_SIZE.rawValue): .chainTooLong
        case Int32(COPENSSL_REASON_TOO_MANY_TIMEOUTS.rawValue): .stalled
        default: .malformed
        }
    }

    private func failure(alert: UInt8, _ facts: SecureFacts) -> SecureFailure {
        let name = String(cString: copenssl_alert_name(Int32(alert)))
        let kind: SecureFailure.Kind =
            switch alert {
            case 70: .protocolVersion
            case 120: .alpnMismatch
            // A server that finds nothing to its liking says so before it shows a certificate.
            case 40, 71: !context.isServer && facts.chain.isEmpty ? .noCommonCipher : .alert
            default: .alert
            }
        return SecureFailure(kind, name, alert: alert)
    }

    /// Every fault of the certificates, the most specific first.
    func certificateFailures(_ facts: SecureFacts) -> [SecureFailure] {
        var failures: [SecureFailure] = []
        for index in 0..<copenssl_channel_fault_count(handle) {
            var depth: Int32 = 0
            var words: UnsafePointer<CChar>?
            let fault = copenssl_channel_fault(handle, index, &depth, &words)
            let failure = failure(fault: UInt32(fault), Int(depth), words.map { String(cString: $0) } ?? "", facts)
            let isKnown = failures.contains { $0.kind == failure.kind && $0.certificate == failure.certificate }
            if !isKnown { failures.append(failure) }
        }
        let isUntrusted = failures.contains {
            $0.kind == .unknownRoot || $0.kind == .selfSigned || $0.kind == .missingIntermediate
        }
        let order = SecureFailure.Kind.allCases
        let ranks = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($0.element, $0.offset) })
        failures.sort { (ranks[$0.kind] ?? 0, $0.certificate ?? 0) < (ranks[$1.kind] ?? 0, $1.certificate ?? 0) }
        guard isUntrusted else { return failures }
        if let product = facts.inspectionProduct {
            failures.insert(SecureFailure(.interceptionSuspected, product), at: 0)
        } else if hasPublicName, facts.chain.count > 1, facts.chain.last?.isSelfSigned == true {
            // Middleboxes send their own root along; so do careless operators, and so it comes last.
            failures.append(SecureFailure(.interceptionSuspected, "a public name with a private root"))
        }
        return failures
    }

    private func failure(fault: UInt32, _ depth: Int, _ words: String, _ facts: SecureFacts) -> SecureFailure {
        let certificate = facts.chain.indices.contains(depth) ? facts.chain[depth] : nil
        switch copenssl_fault(rawValue: fault) {
        case COPENSSL_FAULT_EXPIRED:
            let date = certificate ?? facts.trustAnchor
            return SecureFailure(.expired, date.map { CalendarDate.text($0.notAfter) } ?? "", certificate: depth)
        case COPENSSL_FAULT_NOT_YET_VALID:
            let date = certificate ?? facts.trustAnchor
            return SecureFailure(.notYetValid, date.map { CalendarDate.text($0.notBefore) } ?? "", certificate: depth)
        case COPENSSL_FAULT_WRONG_NAME:
            return SecureFailure(.wrongName, certificate.map(Self.nameList) ?? OutsideText(""), certificate: depth)
        case COPENSSL_FAULT_NO_ISSUER:
            return SecureFailure(.missingIntermediate, certificate?.issuer ?? OutsideText(""), certificate: depth)
        case COPENSSL_FAULT_SELF_SIGNED:
            return SecureFailure(.selfSigned, certificate?.subject ?? OutsideText(""), certificate: depth)
        case COPENSSL_FAULT_UNKNOWN_ROOT:
            let last = facts.chain.last
            return SecureFailure(.unknownRoot, last?.issuer ?? OutsideText(""), certificate: depth)
        case COPENSSL_FAULT_WEAK_KEY:
            let key = certificate.map { "\($0.keyKind) \($0.keyBits) bits" } ?? ""
            return SecureFailure(.weakKey, key, certificate: depth)
        case COPENSSL_FAULT_WEAK_HASH:
            return SecureFailure(.weakHash, certificate?.signatureAlgorithm ?? "", certificate: depth)
        case COPENSSL_FAULT_REVOKED: return SecureFailure(.revoked, "", certificate: depth)
        case COPENSSL_FAULT_CHAIN_TOO_LONG: return SecureFailure(.chainTooLong, "", certificate: depth)
        default: return SecureFailure(.certificateRefused, words, certificate: depth)
        }
    }

    /// The names that a certificate has, or the common name where it has no others: browsers do not look at that one.
    private static func nameList(_ certificate: CertificateFacts) -> OutsideText {
        guard !certificate.names.isEmpty else {
            return OutsideText(bytes: certificate.commonName.bytes + Array(" (common name only)".utf8))
        }
        var bytes: [UInt8] = []
        for name in certificate.names.prefix(20) {
            if !bytes.isEmpty { bytes += Array(", ".utf8) }
            switch name {
            case .dns(let text): bytes += text.bytes
            case .address(let address): bytes += Array("\(address)".utf8)
            }
        }
        return OutsideText(bytes: bytes)
    }

    /// Whether the server goes by a name that anybody could have a certificate for.
    private var hasPublicName: Bool {
        guard case .name(let name) = identity else { return false }
        let labels = name.lowercased().split(separator: ".")
        guard labels.count > 1, let last = labels.last else { return false }
        let closed = [
            "local", "internal", "lan", "home", "corp", "private", "intranet", "test", "example", "invalid",
            "localhost", "localdomain", "arpa", "onion", "alt",
        ]
        return !closed.contains(String(last))
    }
}
