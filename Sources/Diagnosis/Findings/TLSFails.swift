import NetTypes
import Session

/// A handshake that failed, or that went on in spite of what is wrong with the certificate: by the first fault, which
/// is the most specific.
enum TLSFails: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        failed(evidence) + ignored(evidence) + expiring(evidence)
    }

    private static func failed(_ evidence: Evidence) -> [Finding] {
        var seen: [(rule: Rule, evidence: [String])] = []
        for way in evidence.ways {
            guard let tls = way.tls, let first = tls.failures.first, !way.isNoTLS else { continue }
            let rule = rule(first.kind)
            let lines = tls.failures.map { "\(way.place): \(Words.failure($0))" } + way.comparison
            if let index = seen.firstIndex(where: { $0.rule.id == rule.id }) {
                seen[index].evidence += lines
            } else {
                seen.append((rule, lines))
            }
        }
        return seen.map { rule, lines in
            Finding(
                id: rule.id, severity: .error, title: rule.title, evidence: lines, causes: rule.causes,
                remedy: rule.remedy)
        }
    }

    private static func ignored(_ evidence: Evidence) -> [Finding] {
        let isAnyOpen = evidence.ways.contains { $0.tls?.failures.isEmpty ?? false }
        guard evidence.record.plan.trust.isInsecure, isAnyOpen else { return [] }
        let faults = evidence.ways.flatMap { way in
            (way.tls?.facts.faults ?? []).map { "\(way.place): \(Words.failure($0))" }
        }
        return [
            Finding(
                id: "tls-not-verified", severity: .warning,
                title: "Certificates were not verified (--insecure): anyone may have answered",
                evidence: faults.isEmpty ? ["no fault was seen; without --insecure it would have worked"] : faults,
                causes: ["the option --insecure"],
                remedy: faults.isEmpty
                    ? "Leave --insecure out." : "Mend the certificate: browsers refuse the server as it is.")
        ]
    }

    /// Days before its end in which a certificate that nobody renewed is news: automatic ones are renewed a month before.
    private static let soon: Int64 = 14

    private static func expiring(_ evidence: Evidence) -> [Finding] {
        let soon = evidence.ways.compactMap { way -> String? in
            guard let tls = way.tls, tls.failures.isEmpty, tls.facts.faults.isEmpty,
                let days = tls.facts.daysToExpiry, days < Self.soon
            else { return nil }
            return "\(way.place): a certificate of its chain expires in \(Words.count(Int(days), "day"))"
        }
        guard !soon.isEmpty else { return [] }
        return [
            Finding(
                id: "tls-certificate-expires-soon", severity: .warning, title: "A certificate expires soon",
                evidence: soon,
                causes: ["its automatic renewal does not work, or the server still has the old one loaded"],
                remedy: "Renew it, and let the server load it again (coturn: SIGUSR2).")
        ]
    }

    private struct Rule {
        var id: String
        var title: String
        var causes: [String]
        var remedy: String
    }

    private static func rule(_ kind: SecureFailure.Kind) -> Rule {
        switch kind {
        case .interceptionSuspected:
            Rule(
                id: "tls-interception-suspected", title: "Something on the way opens TLS",
                causes: [
                    "a firewall or a virus scanner that inspects TLS", "the server has a certificate of a private root",
                ],
                remedy: "Exempt the server from inspection; TURN does not survive it.")
        case .revoked:
            Rule(
                id: "tls-certificate-revoked", title: "The server's certificate is revoked",
                causes: ["its issuer withdrew it"], remedy: "Get a new certificate.")
        case .expired:
            Rule(
                id: "tls-certificate-expired", title: "The server's certificate has expired",
                causes: [
                    "it was not renewed, or the server still has the old one loaded", "this machine's clock is ahead",
                ],
                remedy: "Renew it, and let the server load it again (coturn: cert=, then SIGUSR2 or a restart).")
        case .notYetValid:
            Rule(
                id: "tls-certificate-not-yet-valid", title: "The server's certificate is not valid yet",
                causes: ["this machine's clock is behind", "the certificate was made for later"],
                remedy: "Compare this machine's clock (`timedatectl`) with the date.")
        case .wrongName:
            Rule(
                id: "tls-name-mismatch", title: "The server's certificate is for another name",
                causes: [
                    "the URI names the server by a name or an address that its certificate does not have",
                    "another server answers at this address",
                ],
                remedy: "Use a name of the certificate in the URI, or get a certificate for this one (subjectAltName).")
        case .weakKey, .weakHash:
            Rule(
                id: "tls-certificate-weak", title: "The server's certificate is too weak",
                causes: ["an old key, or an old way of signing"],
                remedy: "Get a certificate with an EC or RSA-2048 key, signed over SHA-256.")
        case .missingIntermediate:
            Rule(
                id: "tls-chain-incomplete", title: "The server does not send its intermediate certificate",
                causes: [
                    "the server was given its own certificate in place of the whole chain",
                    "the certificate is of an authority that this machine does not know",
                ],
                remedy: "Give the server the whole chain (coturn: cert=fullchain.pem).")
        case .selfSigned:
            Rule(
                id: "tls-self-signed", title: "The server's certificate is self-signed",
                causes: ["a certificate for tests", "a device on the way answers with its own"],
                remedy: "Get a certificate of a public authority, or give its root with --ca-file.")
        case .unknownRoot:
            Rule(
                id: "tls-unknown-authority",
                title: "The server's certificate is of an authority that is not trusted here",
                causes: ["a private authority, whose root this machine does not have", "this machine's roots are old"],
                remedy: "Give the root with --ca-file; browsers need it in their store as well.")
        case .protocolVersion, .noCommonCipher:
            Rule(
                id: "tls-handshake-failed", title: "The server and this client have no way of TLS in common",
                causes: [
                    "the server speaks TLS 1.0 or 1.1 only, or old ciphers", "no certificate is configured there",
                ],
                remedy: "Allow TLS 1.2 or later at the server, and give it a certificate and key.")
        case .alpnMismatch:
            Rule(
                id: "tls-handshake-failed", title: "The server takes no application protocol of TURN",
                causes: ["a web server or proxy answers in the TURN server's place"],
                remedy: "Give the port of the TURN server, or let the proxy pass ALPN stun.turn on.")
        case .flightLost:
            Rule(
                id: "dtls-flight-lost", title: "Part of the DTLS server's answer never comes",
                causes: [
                    "larger datagrams than those that came are dropped on the way: the path's MTU is below what the server "
                        + "assumes, or a firewall drops fragments",
                    "many packets are lost",
                ],
                remedy: "Lower the server's MTU for DTLS, or shorten its chain of certificates (EC keys); "
                    + "TLS (turns:HOST?transport=tcp) adapts by itself.")
        case .alert, .closedDuringHandshake, .malformed, .stalled, .chainTooLong, .certificateRefused, .notTLS,
            .unusableConfiguration:
            Rule(
                id: "tls-handshake-failed", title: "The TLS handshake fails",
                causes: [
                    "the port is not the TLS port", "the server has no certificate or key that it can use",
                    "a firewall lets the connection through and stops TLS",
                ],
                remedy: "Try `openssl s_client -connect HOST:PORT`, and look into the server's log.")
        }
    }
}

/// One way to a server that TLS or DTLS was tried on.
struct SecuredWay {
    var place: String
    var tls: TLSEvidence?
    /// Whether what answers is another protocol: that is a wrong service's finding.
    var isNoTLS: Bool { tls?.failures.first?.kind == .notTLS }
    /// What the server showed to a client that gives no name.
    var comparison: [String] {
        guard let tls, let others = tls.failuresWithoutServerName else { return [] }
        let words =
            if others.isEmpty {
                "it shows another certificate, which is fine: it has the wrong one for the name that clients give (SNI)"
            } else if others == tls.failures {
                "it does the same"
            } else {
                others.map(Words.failure).joined(separator: "; ")
            }
        return ["\(place), without SNI: \(words)"]
    }
}

extension Evidence {
    /// Each address and transport once, however many asked over it.
    var ways: [SecuredWay] {
        var ways: [SecuredWay] = []
        for (place, tls) in stun.map({ ($0.place, $0.tls) }) + turn.map({ ($0.place, $0.evidence?.tls) })
        where tls != nil && !ways.contains(where: { $0.place == place }) {
            ways.append(SecuredWay(place: place, tls: tls))
        }
        return ways
    }
}
