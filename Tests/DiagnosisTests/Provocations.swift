import Engines
import Facts
import NetTypes
import Planning
import STUN

@testable import Diagnosis

typealias Provocation = FindingKindTests.Provocation

extension Provocation {
    private static func stun(
        _ id: String, _ uris: [String] = ["stun:9.9.9.9"], after: [NetworkInterface]? = nil,
        _ record: @escaping @Sendable (inout Recording) -> Void
    ) -> Provocation {
        Provocation(id) {
            var recording = try Recording(uris, command: .check)
            record(&recording)
            return Diagnosis(recording.plan, recording.observations, interfacesAfter: after)
        }
    }

    static let ofServers = [
        stun("udp-blocked") { recording in
            recording.failed(.noAnswer)
            recording.answered(over: .tcp, role: .fallback)
        },
        stun("tcp-blocked") { recording in
            recording.answered()
            recording.failed(.path(PathTrouble(kind: .connectionTimedOut, origin: .local)), over: .tcp)
        },
        stun("udp-port-closed") { recording in
            recording.failed(.portUnreachable, .icmp(from: Recording.server.address))
            recording.answered(over: .tcp, role: .fallback)
        },
        stun("tcp-port-closed") { recording in
            recording.answered()
            recording.failed(.connectionRefused, .local, over: .tcp)
        },
        stun("connection-cut") { $0.failed(.connectionReset, .local, over: .tcp) },
        stun("firewall-rejects") { $0.failed(.administrativelyProhibited, .icmp(from: IPAddress(10, 0, 0, 1))) },
        stun("machine-refuses") { $0.failed(.outOfResources, .local) },
        stun("name-not-resolved", ["stun:a.example"]) {
            $0.note(.notResolved(0, family: .ipv4, .init(step: "A a.example", message: "no such name")))
        },
        stun("wrong-service") { $0.failed(.closedWithoutAnswer, over: .tcp) },
        stun("server-silent") { $0.failed(.noAnswer) },
        stun("server-answers-badly") { $0.failed(.unusableAddress("0.0.0.0:0"), requests: 1, after: 9) },
        stun("server-address-not-global", ["stun:a.example"]) {
            $0.note(.resolved(0, [Endpoint(IPAddress(10, 0, 0, 2), 3478)]))
        },
        stun("address-rewritten") { $0.answered { $0.rewrittenAddress = Recording.server } },
        stun("mapped-address-not-global") { $0.answered(seenAs: Endpoint(IPAddress(100, 64, 0, 9), 4000)) },
        stun("other-address-not-global") { $0.answered { $0.otherAddress = Endpoint(IPAddress(10, 0, 0, 2), 3479) } },
        stun("answers-lost") { $0.answered(requests: 3) },
        stun("network-changed", after: []) { $0.answered() },
        Provocation("address-leads-nowhere") { try FindingTests.besideADeadBase() },
    ]

    // MARK: TLS

    private static func tls(_ id: String, _ kind: SecureFailure.Kind) -> Provocation {
        tls(id, .failed(kind, "detail"))
    }

    private static func tls(_ id: String, _ tls: TLSEvidence, isInsecure: Bool = false) -> Provocation {
        let address = TLSFindingTests.address
        return Provocation(id) {
            var recording = try Recording.relays(["turns:9.9.9.9"], isInsecure: isInsecure)
            if tls.failures.isEmpty {
                recording.relay(at: address, over: .tls) { $0.tls = tls }
            } else {
                recording.refused(.init(.tls, .notSecured), at: address, over: .tls) { $0.tls = tls }
            }
            return Diagnosis(recording.plan, recording.observations)
        }
    }

    static let ofTLS = [
        tls("tls-interception-suspected", .interceptionSuspected), tls("tls-certificate-revoked", .revoked),
        tls("tls-certificate-expired", .expired), tls("tls-certificate-not-yet-valid", .notYetValid),
        tls("tls-name-mismatch", .wrongName), tls("tls-certificate-weak", .weakHash),
        tls("tls-chain-incomplete", .missingIntermediate), tls("tls-self-signed", .selfSigned),
        tls("tls-unknown-authority", .unknownRoot), tls("dtls-flight-lost", .flightLost),
        tls("tls-handshake-failed", .alpnMismatch), tls("tls-not-verified", .fine(), isInsecure: true),
        tls("tls-certificate-expires-soon", .fine(days: 3)),
    ]
}
