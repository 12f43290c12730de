import Engines
import Facts
import NetTypes
import Testing

@testable import Diagnosis

/// Every way in which there is no relay has its own kind and one sentence of its own.
@Suite struct TURNWordingTests {
    typealias Trouble = TURNEvidence.Trouble

    struct Case: Sendable, CustomTestStringConvertible {
        var kind: ProbeError.Kind
        var message: String
        var trouble: Trouble
        var transport: Transport = .udp
        var testDescription: String { "\(kind.rawValue): \(message)" }

        init(_ kind: ProbeError.Kind, _ message: String, _ trouble: Trouble, over transport: Transport = .udp) {
            self.kind = kind
            self.message = message
            self.trouble = trouble
            self.transport = transport
        }
    }

    private static func error(_ code: Int, _ stage: RelayStage, isSigned: Bool) -> Trouble {
        var trouble = Trouble.error(code, stage)
        trouble.isAuthenticated = isSigned
        return trouble
    }

    static let cases: [Case] = [
        Case(
            .errorResponse, "it refused the Allocate with 486 (Allocation Quota Reached)",
            error(486, .allocate, isSigned: true)),
        Case(
            .errorResponse,
            "it refused the CreatePermission with 403 (Forbidden), in an answer that is not authenticated",
            error(403, .permission, isSigned: false)),
        Case(
            .credentialsRefused, "it refused the credential: 401 to a signed Allocate",
            Trouble(.allocate, .credentialsRefused)),
        Case(
            .credentialsNeeded, "it asks for a credential, and none was given", Trouble(.allocate, .credentialsNeeded)),
        Case(
            .realmKeepsChanging, "it named another realm with each 401 (4 realms)",
            Trouble(.allocate, .realmKeepsChanging, detail: "4 realms")),
        Case(
            .nonceNeverAccepted, "it never accepted a nonce that it gave itself (3 new nonces, 438 to each)",
            Trouble(.allocate, .nonceNeverAccepted, detail: "3 new nonces")),
        Case(
            .brokenChallenge, "its challenge cannot be answered: REALM is missing",
            Trouble(.allocate, .brokenChallenge, detail: "REALM is missing")),
        Case(
            .possibleDowngrade, "its challenge offers less security than it should: x",
            Trouble(.allocate, .possibleDowngrade, detail: "x")),
        Case(
            .noCommonAlgorithm, "it takes no password algorithm that is known here, only number 9",
            Trouble(.allocate, .noCommonAlgorithm, detail: "9")),
        Case(
            .tokenNotTaken, "it takes no access token (no THIRD-PARTY-AUTHORIZATION)",
            Trouble(.allocate, .tokenNotTaken)
        ),
        Case(
            .notAuthenticated,
            "its answers to the ChannelBind carry no valid MESSAGE-INTEGRITY and were not believed (7 answers)",
            Trouble(.channel, .notAuthenticated, detail: "7 answers")),
        Case(
            .signedRequestSilent, "no answer to the signed Allocate, though the first one was answered",
            Trouble(.allocate, .noAnswer, detail: "7")),
        Case(.timeout, "no answer to the Allocate, sent once", Trouble(.allocate, .noAnswer, detail: "1")),
        Case(.timeout, "no answer to the Allocate, sent 7 times", Trouble(.allocate, .noAnswer, detail: "7")),
        Case(
            .timeout, "no answer to the TCP connection request within 200 ms", Trouble(.connect, .noAnswer), over: .tcp),
        Case(.timeout, "no end of the DTLS handshake within 200 ms", Trouble(.tls, .noAnswer), over: .dtls),
        Case(
            .tcpOpenNoSTUN, "the TCP port is open, and nothing there answers TURN",
            Trouble(.allocate, .noAnswer, detail: "1"), over: .tcp),
        Case(
            .redirected, "it sends its clients elsewhere (300): to 10.0.0.1:3478",
            Trouble(.allocate, .redirected, detail: "to 10.0.0.1:3478")),
        Case(
            .unusableRelayedAddress, "the relayed address that it gave is of no use: 0.0.0.0:1 (unspecified)",
            Trouble(.allocate, .unusableRelayedAddress, detail: "0.0.0.0:1 (unspecified)")),
        Case(
            .unknownAttribute, "its answer has attributes that must be understood and are not known: 0x7777",
            Trouble(.allocate, .unknownAttributes, detail: "0x7777")),
        Case(
            .malformed, "its answer to the Allocate makes no sense: x", Trouble(.allocate, .malformed, detail: "x")),
        Case(
            .truncated, "the answer to the Allocate stopped after 4 of 20 bytes",
            Trouble(.allocate, .truncated, detail: "4 of 20 bytes"), over: .tcp),
        Case(
            .connectionClosed, "it closed the connection during the Allocate", Trouble(.allocate, .closed), over: .tcp),
        Case(
            .truncated, "the answer to the Allocate stopped after 5 of 48 bytes",
            Trouble(.allocate, .truncated, detail: "5 of 48 bytes"), over: .tcp),
        Case(
            .foreignAnswer, "its answers came with a transaction id that was never sent",
            Trouble(.allocate, .foreignAnswer)),
        Case(.foreignProtocol, "what it sends is no TURN", Trouble(.allocate, .foreignProtocol), over: .tcp),
        Case(
            .foreignProtocol, "this is an SSH server", Trouble(.allocate, .foreignProtocol, detail: "an SSH server"),
            over: .tcp),
        Case(.tls, "the TLS handshake failed: it was not completed", Trouble(.tls, .notSecured), over: .tls),
        Case(.noData, "no data came through the relay", Trouble(.relay, .noData)),
        Case(
            .relayStopped, "after 200 ms the allocation ran out, since no Refresh was answered",
            Trouble(.relay, .allocationLost)),
    ]

    @Test(arguments: cases) func saysWhatHappenedInItsOwnWords(_ one: Case) throws {
        var recording = try Recording.relays()
        recording.refused(one.trouble, over: one.transport) {
            $0.realm = one.transport == .udp && one.kind != .timeout ? $0.realm : nil
        }
        let result = try #require(Diagnosis(recording.plan, recording.observations).turn.first)
        #expect(result.error?.kind == one.kind)
        #expect(result.error?.message == one.message)
        #expect(result.stage.rawValue == one.trouble.stage.rawValue)
        #expect(!result.isOK)
    }

    @Test func everyKindOfTroubleHasACaseHere() {
        #expect(Set(Self.cases.map(\.trouble.kind)).union([.path]) == Set(Trouble.Kind.allCases))
    }

    struct Silence: Sendable {
        var kind = ProbeError.Kind.noData
        var message: String
        var change: @Sendable (inout TURNEvidence.Relay) -> Void
    }

    @Test(arguments: [
        Silence(message: "none of 24 datagrams sent to the relayed address reached the client") { $0.silence() },
        Silence(
            message: "20 of 24 datagrams came through the relay to the client, and none that the client sent back came "
                + "out of it"
        ) { $0.silence(arrived: 20) },
        Silence(
            message: "data goes both ways in Send and Data indications, and of 24 datagrams over the channel none came "
                + "back"
        ) { $0.channel = .init(sent: 24) },
        Silence(kind: .altered, message: "1 datagram came through the relay with other content") { $0.altered = 1 },
    ])
    func silenceOfARelayIsToldByHowFarTheDataCame(_ one: Silence) throws {
        var recording = try Recording.relays()
        recording.relay { evidence in
            if var relay = evidence.relay {
                one.change(&relay)
                evidence.relay = relay
            }
        }
        let result = try #require(Diagnosis(recording.plan, recording.observations).turn.first)
        #expect(result.error?.kind == one.kind)
        #expect(result.error?.message == one.message)
    }

    @Test func pathErrorIsToldAsThePathsOwn() throws {
        var trouble = Trouble(.connect, .path)
        trouble.path = PathTrouble(kind: .connectionRefused, origin: .peer)
        var recording = try Recording.relays()
        recording.refused(trouble, over: .tcp)
        let result = try #require(Diagnosis(recording.plan, recording.observations).turn.first)
        #expect(result.error?.kind == .connectionRefused && result.stage == .connect)
    }
}
