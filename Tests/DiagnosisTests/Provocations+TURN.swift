import Engines
import NetTypes
import Planning
import STUN

@testable import Diagnosis
@testable import Facts

extension Provocation {
    typealias Trouble = TURNEvidence.Trouble

    private static func turn(
        _ id: String, _ command: Options.Command = .turn, user: String = "user", realm: String? = nil,
        wallClock: Int64? = nil, _ record: @escaping @Sendable (inout Recording) -> Void
    ) -> Provocation {
        Provocation(id) {
            var recording = try Recording.relays(command: command, user: user, realm: realm)
            record(&recording)
            return Diagnosis(recording.plan, recording.observations, wallClock: wallClock)
        }
    }

    private static func refused(_ id: String, _ kind: Trouble.Kind) -> Provocation {
        turn(id) { $0.refused(Trouble(.allocate, kind, detail: "4")) }
    }

    private static func refused(_ id: String, _ code: Int) -> Provocation {
        turn(id) { $0.refused(.error(code)) }
    }

    private static func token(
        _ id: String, wallClock: Int64 = 0, _ change: @escaping @Sendable (inout Recording) -> Void
    ) -> Provocation {
        Provocation(id) {
            var options = Options(
                command: .turn, servers: [ICEServers.Entry(uri: try ServerURI(parsing: "turn:9.9.9.9"))])
            options.turn.credentials = ICEServers.Credentials(
                username: "kid", type: .oauth, credential: Secret(Base64.encode([UInt8](repeating: 1, count: 20))),
                accessToken: Secret(Base64.encode([UInt8](repeating: 7, count: 60))), expiry: 1000)
            var recording = try Recording(options)
            change(&recording)
            return Diagnosis(recording.plan, recording.observations, wallClock: wallClock)
        }
    }

    static let ofTURN = [
        turn("tls-handshake-stalls") { $0.refused(Trouble(.tls, .noAnswer), over: .tls) },
        turn("turn-signed-request-silent") {
            $0.refused(Trouble(.allocate, .noAnswer, detail: "4")) { $0.realm = OutsideText("north") }
        },
        turn("turn-allocate-silent", .check) {
            $0.answered()
            $0.refused(Trouble(.allocate, .noAnswer, detail: "4")) { $0.realm = nil }
        },
        turn("binding-silent", .check) {
            $0.failed(.noAnswer)
            $0.relay()
        },
        turn("binding-needs-credential", .check) {
            $0.failed(.errorResponse(code: 401, reason: OutsideText("Unauthorized")))
            $0.relay()
        },
        refused("turn-credentials-needed", .credentialsNeeded),
        refused("turn-nonce-never-accepted", .nonceNeverAccepted),
        refused("turn-realm-keeps-changing", .realmKeepsChanging), refused("turn-challenge-broken", .brokenChallenge),
        refused("turn-possible-downgrade", .possibleDowngrade),
        refused("turn-no-common-algorithm", .noCommonAlgorithm),
        refused("turn-answer-not-authenticated", .notAuthenticated),
        refused("turn-credentials-refused", .credentialsRefused), refused("turn-token-not-taken", .tokenNotTaken),
        refused("turn-redirected", .redirected), refused("turn-relayed-address-unusable", .unusableRelayedAddress),
        refused("turn-forbidden", 403), refused("turn-quota-reached", 486), refused("turn-capacity-reached", 508),
        refused("turn-family-unsupported", 440), refused("turn-transport-unsupported", 442),
        refused("turn-five-tuple-in-use", 437), refused("turn-refused", 500),
        turn("turn-peer-forbidden") { $0.relay { $0.trouble = .error(403, .permission) } },
        turn("turn-credential-expired", user: "1700000000:bob", wallClock: 1_700_000_060) {
            $0.refused(Trouble(.allocate, .credentialsRefused))
        },
        turn("turn-realm-differs", realm: "old.example") { $0.refused(Trouble(.allocate, .credentialsRefused)) },
        token("turn-token-refused") { $0.refused(Trouble(.allocate, .credentialsRefused)) },
        token("turn-token-expired", wallClock: 2000) { $0.refused(Trouble(.allocate, .credentialsRefused)) },
        token("turn-token-key-cut") { $0.relay { $0.token = .init(serverName: nil, truncatesKey: true) } },
        turn("turn-redirect-followed") { $0.relay { $0.redirects = [Recording.server] } },
        turn("turn-allocation-left") { $0.relay { $0.deletion = .unconfirmed(.seconds(100)) } },
        turn("turn-open-relay") { $0.relay { $0.allocation?.isOpenToAll = true } },
        turn("turn-data-altered") { $0.relay { $0.relay?.altered = 1 } },
    ]

    // MARK: Where the data died

    private static func silent(
        _ id: String, arrived: Int = 0, _ change: @escaping @Sendable (inout TURNEvidence.Relay) -> Void
    ) -> Provocation {
        turn(id) { recording in
            recording.relay { evidence in
                evidence.relay?.silence(arrived: arrived)
                if var relay = evidence.relay {
                    change(&relay)
                    evidence.relay = relay
                }
                evidence.trouble = Trouble(.relay, .noData)
            }
        }
    }

    private static func stream(_ id: String, _ step: TURNEvidence.TCPLane.Step) -> Provocation {
        silent(id) { relay in
            var lane = TURNEvidence.TCPLane()
            lane.reached = step
            relay.tcp = TURNEvidence.TCPRelay(inbound: lane)
        }
    }

    private static func pair(
        _ id: String, between second: Int = 0, _ change: @escaping @Sendable (inout RelayPairEvidence) -> Void
    ) -> Provocation {
        Provocation(id) {
            var recording = try Recording.relays(["turn:9.9.9.9", "turn:9.9.9.10"])
            recording.pair(with: second, change)
            return Diagnosis(recording.plan, recording.observations)
        }
    }

    static let ofRelays = [
        turn("turn-relay-to-relay-only") { recording in
            recording.relay { evidence in
                evidence.relay?.silence(arrived: 0)
                var pair = RelayPairEvidence(pair: 0, evidence, evidence)
                pair.indications = .init(sent: 2, arrived: 2, roundTrips: Recording.trips)
                evidence.relay?.pair = pair
            }
        },
        Provocation("turn-relay-loses-data") {
            var recording = try Recording.relays(count: 20)
            recording.relay { $0.relay?.indications = .init(sent: 20, arrived: 18, roundTrips: Recording.trips) }
            return Diagnosis(recording.plan, recording.observations)
        },
        turn("turn-client-hidden") { $0.relay { $0.allocation?.mappedAddress = Endpoint(IPAddress(10, 9, 9, 9), 4) } },
        silent("turn-relay-silent") { _ in },
        silent("turn-relay-ports-blocked") {
            $0.reverse = .init(sent: 1, arrived: 1, source: Endpoint(Recording.relayed.address, 61000))
        },
        silent("turn-external-ip-wrong") {
            $0.reverse = .init(sent: 1, arrived: 1, source: Endpoint(IPAddress(9, 9, 9, 99), 50000))
        },
        silent("turn-relay-one-way", arrived: 24) { _ in },
        silent("turn-channel-silent") { relay in
            relay.indications = .init(sent: 3, arrived: 3, roundTrips: Recording.trips)
            relay.channel = .init(sent: 24, arrived: 24)
            relay.boundAfter = .milliseconds(20)
        },
        stream("turn-tcp-relay-ports-blocked", .connect), stream("turn-tcp-relay-elsewhere", .announcement),
        stream("turn-tcp-bind-fails", .bind), stream("turn-tcp-relay-silent", .data),
        turn("turn-tcp-connect-fails") { recording in
            recording.relay { evidence in
                var lane = TURNEvidence.TCPLane()
                lane.reached = .data
                lane.tally = .init(sent: 3, arrived: 3, roundTrips: Recording.trips)
                evidence.relay?.tcp = TURNEvidence.TCPRelay(inbound: lane, outbound: TURNEvidence.TCPLane())
            }
        },
        turn("turn-relay-stops") { recording in
            recording.relay { evidence in
                var soak = TURNEvidence.Relay.Soak()
                soak.stoppedAfter = .seconds(5)
                evidence.relay?.soak = soak
            }
        },
        pair("turn-relay-peer-refused", between: 1) { $0.second.trouble = .error(403, .permission) },
        pair("turn-relay-hairpin-fails") { $0.silence() },
        pair("turn-relay-to-relay-blocked", between: 1) { $0.silence() },
        pair("turn-relay-to-relay-one-way", between: 1) { $0.silence(arrived: 3) },
        pair("turn-relay-to-relay-channel-silent") { $0.channel = .init(sent: 24) },
        pair("turn-relay-to-relay-altered") { $0.altered = 2 },
        pair("turn-second-allocation-fails") { $0.first.trouble = Trouble(.allocate, .noAnswer, detail: "7") },
    ]
}
