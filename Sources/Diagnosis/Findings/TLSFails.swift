import Facts
import NetTypes
import Planning

/// A handshake that failed, or that went on in spite of what is wrong with the certificate: by the first fault, which
/// is the most specific.
enum TLSFails: FindingRule {
    static let kinds = [
        interception, revoked, expired, notYetValid, otherName, weak, incomplete, selfSigned, unknownAuthority,
        flightLost, handshake, notVerified, expiresSoon,
    ]
    private static let interception = FindingKind(
        "tls-interception-suspected", .error, "TLS is intercepted (inspecting firewall or virus scanner)",
        meaning: "The certificate is one that an inspecting firewall or a virus scanner makes.",
        causes: [
            "a firewall or virus scanner inspects TLS", "the server has a certificate from a private authority",
        ],
        remedy: "Exempt the server from inspection; TURN does not work through it.")
    private static let revoked = FindingKind(
        "tls-certificate-revoked", .error, "The server's certificate is revoked",
        meaning: "The issuer of the certificate lists it as revoked.", causes: ["the issuer withdrew the certificate"],
        remedy: "Get a new certificate.")
    private static let expired = FindingKind(
        "tls-certificate-expired", .error, "The server's certificate has expired",
        meaning: "A certificate of the server's chain is past its end.",
        causes: [
            "the certificate was not renewed, or the server still has the old one loaded",
            "this machine's clock is ahead",
        ],
        remedy: "Renew the certificate and let the server load it again (coturn: cert=, then SIGUSR2 or a restart).")
    private static let notYetValid = FindingKind(
        "tls-certificate-not-yet-valid", .error, "The server's certificate is not valid yet",
        meaning: "By this machine's clock, a certificate of the server's chain is valid only from a future date.",
        causes: ["this machine's clock is behind", "the certificate was made for later"],
        remedy: "Compare this machine's clock (`timedatectl`) with the date.")
    private static let otherName = FindingKind(
        "tls-name-mismatch", .error, "The server's certificate is for another name",
        meaning: "None of the names in the server's certificate is the one in the URI.",
        causes: [
            "the URI gives a name or an address that the certificate does not have",
            "another server answers at this address",
        ],
        remedy: "Use a name of the certificate in the URI, or get a certificate for this one (subjectAltName).")
    private static let weak = FindingKind(
        "tls-certificate-weak", .error, "The server's certificate is too weak",
        meaning: "A certificate of the server's chain has a short key, or is signed over SHA-1 or MD5.",
        causes: ["an old key, or an old signature algorithm"],
        remedy: "Get a certificate with an EC or RSA-2048 key, signed over SHA-256.")
    private static let incomplete = FindingKind(
        "tls-chain-incomplete", .error,
        "The certificate is not trusted: its issuer is neither known here nor sent by the server",
        meaning: "The server sends only its own certificate: a client that does not know its issuer refuses it.",
        causes: [
            "the server was given only its own certificate instead of the whole chain",
            "the certificate comes from an authority that this machine does not know",
        ],
        remedy: "Give the server the whole chain (coturn: cert=fullchain.pem), or give the authority's root with "
            + "--ca-file.")
    private static let selfSigned = FindingKind(
        "tls-self-signed", .error, "The server's certificate is self-signed",
        meaning: "No authority vouches for the server's certificate: the server signed it itself.",
        causes: ["the certificate was made for tests", "a device on the path answers with a certificate of its own"],
        remedy: "Get a certificate from a public authority, or give this one with --ca-file.")
    private static let unknownAuthority = FindingKind(
        "tls-unknown-authority", .error, "The server's certificate comes from an authority that is not trusted here",
        meaning: "The server's chain ends in a root certificate that this machine does not have.",
        causes: [
            "a private authority, whose root this machine does not have", "this machine's root certificates are old",
        ],
        remedy: "Give the root with --ca-file; browsers also need it in their store.")
    private static let flightLost = FindingKind(
        "dtls-flight-lost", .error, "Part of the DTLS server's answer never arrives",
        meaning: "Small datagrams of the DTLS server arrived, but larger ones of the same answer did not.",
        causes: [
            "larger datagrams are dropped on the path: its MTU is below what the server assumes, or a firewall drops "
                + "fragments",
            "many packets are lost",
        ],
        remedy: "Lower the server's MTU for DTLS, or shorten its certificate chain (EC keys); TLS "
            + "(turns:HOST?transport=tcp) adapts to the path.")
    private static let handshake = FindingKind(
        "tls-handshake-failed", .error, "The TLS handshake fails",
        meaning: "The client and the server did not agree on TLS or DTLS.",
        causes: [
            "the port is not the TLS port", "the server has no certificate or key that it can use",
            "a firewall allows the connection but blocks TLS",
        ],
        remedy: "Try `openssl s_client -connect HOST:PORT`, and look in the server's log.")
    private static let notVerified = FindingKind(
        "tls-not-verified", .warning, "Certificates were not verified (--insecure): anyone may have answered",
        meaning: "With --insecure a connection is used whatever is wrong with the server's certificate.", causes: [],
        remedy: "Fix the certificate, then remove --insecure: browsers refuse a faulty one.")
    private static let expiresSoon = FindingKind(
        "tls-certificate-expires-soon", .warning, "A certificate expires soon",
        meaning: "A certificate of the server's chain expires in less than \(daysOfNotice) days.",
        causes: ["automatic renewal does not work, or the server still has the old certificate loaded"],
        remedy: "Renew the certificate and let the server load it again (coturn: SIGUSR2).")
    /// Automatic renewal comes a month before the end: what nobody renewed by now is news.
    private static let daysOfNotice: Int64 = 14

    static func findings(in evidence: Evidence) -> [Finding] {
        failed(evidence) + ignored(evidence) + expiring(evidence)
    }

    private static func failed(_ evidence: Evidence) -> [Finding] {
        let failed = evidence.ways.filter { !$0.failures.isEmpty && !$0.isNotTLS }
        let groups = Dictionary(grouping: failed) { kind($0.failures[0].kind) }
        return kinds.compactMap { kind in
            guard let ways = groups[kind], let first = ways.first?.failures.first else { return nil }
            var finding = Finding(kind, about: ways, evidence: ways.flatMap(\.complaints))
            finding.sharpen(by: first)
            return finding
        }
    }

    private static func ignored(_ evidence: Evidence) -> [Finding] {
        let open = evidence.ways.filter { $0.failures.isEmpty }
        guard evidence.record.plan.trust.isInsecure, !open.isEmpty else { return [] }
        let faults = evidence.ways.flatMap { way in way.tls.facts.faults.map { "\(way.place): \(Words.failure($0))" } }
        return notVerified.finding(
            about: open,
            seen: faults.isEmpty ? ["no fault was seen; it would have worked without --insecure"] : faults,
            remedy: faults.isEmpty ? "Remove --insecure." : "Fix the certificate: browsers will refuse it.")
    }

    private static func expiring(_ evidence: Evidence) -> [Finding] {
        let soon = evidence.ways.filter { way in
            way.failures.isEmpty && way.tls.facts.faults.isEmpty
                && way.tls.facts.daysToExpiry.map { $0 < daysOfNotice } ?? false
        }
        return expiresSoon.findings(about: soon) { way in
            let days = way.tls.facts.daysToExpiry.map { Words.count(Int($0), "day") } ?? ""
            return "\(way.place): a certificate of the chain expires in \(days)"
        }
    }

    private static func kind(_ kind: SecureFailure.Kind) -> FindingKind {
        switch kind {
        case .interceptionSuspected: interception
        case .revoked: revoked
        case .expired: expired
        case .notYetValid: notYetValid
        case .wrongName: otherName
        case .weakKey, .weakHash: weak
        case .missingIntermediate: incomplete
        case .selfSigned: selfSigned
        case .unknownRoot: unknownAuthority
        case .flightLost: flightLost
        case .protocolVersion, .noCommonCipher, .alpnMismatch, .alert, .closedDuringHandshake, .malformed, .stalled,
            .chainTooLong, .certificateRefused, .notTLS, .unusableConfiguration:
            handshake
        }
    }
}

extension Finding {
    /// What this fault says more exactly than its kind.
    fileprivate mutating func sharpen(by failure: SecureFailure) {
        switch failure.kind {
        case .missingIntermediate where !failure.detail.bytes.isEmpty:
            title =
                "The certificate is not trusted: its issuer '\(failure.detail.cleaned(limit: 100))' is neither known "
                + "here nor sent by the server"
        case .protocolVersion, .noCommonCipher:
            title = "The server and this client have no TLS version or cipher in common"
            causes = [
                "the server supports only TLS 1.0 or 1.1, or only old ciphers",
                "the server has no certificate configured",
            ]
            remedy = "Allow TLS 1.2 or later at the server, and give it a certificate and key."
        case .alpnMismatch:
            title = "The server accepts none of TURN's application protocols (ALPN)"
            causes = ["a web server or proxy answers instead of the TURN server"]
            remedy = "Give the port of the TURN server, or let the proxy pass ALPN stun.turn on."
        default: break
        }
    }
}

/// One way to a server that TLS or DTLS was tried on.
struct SecuredWay: FindingSubject {
    var place: String
    var scope: FindingScope
    var tls: TLSEvidence

    var failures: [SecureFailure] { tls.failures }
    /// Whether what answers is another protocol: that is a wrong service's finding.
    var isNotTLS: Bool { failures.first?.kind == .notTLS }

    /// Each fault, and what the server showed to a client that gives no name.
    var complaints: [String] {
        var complaints = failures.map { "\(place): \(Words.failure($0))" }
        if let others = tls.failuresWithoutServerName {
            let words =
                if others.isEmpty {
                    "the server shows another certificate, which is fine: it has the wrong one for the name that clients "
                        + "send (SNI)"
                } else if others == failures {
                    "the server does the same"
                } else {
                    others.map(Words.failure).joined(separator: "; ")
                }
            complaints.append("\(place), without SNI: \(words)")
        }
        return complaints
    }
}

extension Evidence {
    /// Each address and transport once, however many asked over it.
    var ways: [SecuredWay] {
        var ways: [SecuredWay] = []
        let all =
            stun.map { ($0.place, $0.scope, $0.tls) } + turn.map { ($0.place, $0.scope, $0.evidence?.tls) }
        for (place, scope, tls) in all where !ways.contains(where: { $0.place == place }) {
            if let tls { ways.append(SecuredWay(place: place, scope: scope, tls: tls)) }
        }
        return ways
    }
}
