import Engines
import Facts
import NetTypes
import Planning
import STUN
import SimNet
import TestSupport
import Testing

/// What comes of an attempt at a relay that starts again: at another server (300), or from another port.
@Suite struct TURNRedirectSessionTests {
    private typealias Base = TURNSessionTests
    static let other = Endpoint(IPAddress(9, 9, 9, 10), 3478)

    private static func redirected(_ uris: [String]) throws -> SessionLab.Run {
        try Base.run(Base.options(uris)) { lab in
            lab.relays.append(other)
            lab.faults.redirect([Place.relay: other])
        }
    }

    @Test(arguments: ["udp", "tcp"]) func otherServerIsAskedAndNothingOfTheFirstIsTold(transport: String) throws {
        let run = try Self.redirected(["turn:9.9.9.9?transport=\(transport)"])
        let evidence = try #require(run.first)
        #expect(evidence.trouble == nil && evidence.redirects == [Self.other] && evidence.serverAddress == Self.other)
        // The first server's connection and its answer took 40 ms.
        #expect(evidence.connectedAfter == (transport == "tcp" ? .milliseconds(20) : nil))
        #expect(evidence.allocation?.elapsed == .milliseconds(40) && evidence.deletion == .confirmed)
        #expect(run.log.left == 0)
    }

    @Test func anotherTransportIsAnotherWayAndNoCircle() throws {
        let run = try Self.redirected(["turn:9.9.9.9?transport=udp", "turn:9.9.9.9?transport=tcp"])
        #expect(run.evidence.count == 2)
        #expect(run.evidence.allSatisfy { $0.trouble == nil && $0.redirects == [Self.other] })
    }

    @Test func sameWayIsNotTakenTwice() throws {
        let run = try Self.redirected(["turn:9.9.9.9", "turn:9.9.9.10"])
        let first = try #require(run.evidence.first { $0.server == 0 })
        #expect(first.trouble?.kind == .redirected && first.redirects.isEmpty)
    }

    /// A first server that has challenged says nothing of the protocol that the second one speaks.
    @Test func otherServerThatSpeaksHTTPIsToldAsWhenItIsAskedDirectly() throws {
        let page = Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)
        let run = try Base.run(Base.options([Base.overTCP])) { lab in
            lab.faults.judge = { request, _ in
                request.method == .allocate && request.isSigned ? .redirected(to: Self.other) : .served
            }
            lab.respond(at: [Self.other], listens: true) { _ in [(.zero, .bytes(page))] }
        }
        let evidence = try #require(run.first)
        #expect(evidence.redirects == [Self.other] && evidence.realm == nil && evidence.software == nil)
        #expect(evidence.trouble?.kind == .foreignProtocol && evidence.trouble?.detail == "an HTTP server")
        #expect(run.took < 200)
    }

    @Test func newPortIsANewAttempt() throws {
        let run = try Base.run(Base.options([Base.overTCP])) { $0.faults.refuseFirstPort(437) }
        let evidence = try #require(run.first)
        #expect(evidence.trouble == nil && evidence.connectedAfter == .milliseconds(20))
        #expect(Set(run.log.requests(.allocate).prefix(4).map(\.client)).count == 2)
        #expect(evidence.allocation?.roundTrips == 2)
    }
}
