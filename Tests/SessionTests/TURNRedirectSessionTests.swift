import Engines
import Facts
import NetTypes
import STUN
import Testing

/// What comes of an attempt at a relay that starts again: at another server (300), or from another port.
@Suite struct TURNRedirectSessionTests {
    private typealias Base = TURNSessionTests
    static let other = Endpoint(IPAddress(9, 9, 9, 10), 3478)

    private static func redirected(
        _ uris: [String], _ configure: (inout VirtualNetwork, RelayServer) -> Void = { _, _ in }
    ) throws -> TURNSessionTests.Run {
        try Base.run(Base.options(uris)) { network, server in
            server.redirects[RelayServer.endpoint] = Self.other
            configure(&network, server)
        }
    }

    @Test(arguments: ["udp", "tcp"]) func otherServerIsAskedAndNothingOfTheFirstIsTold(transport: String) throws {
        let run = try Self.redirected(["turn:9.9.9.9?transport=\(transport)"])
        let evidence = try #require(run.first)
        #expect(evidence.trouble == nil && evidence.redirects == [Self.other] && evidence.serverAddress == Self.other)
        // The first server's connection and its answer took 40 ms.
        #expect(evidence.connectedAfter == (transport == "tcp" ? .milliseconds(20) : nil))
        #expect(evidence.allocation?.elapsed == .milliseconds(40) && evidence.deletion == .confirmed)
        #expect(run.server.allocations.isEmpty)
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
        let run = try Base.run(Base.options(["turn:9.9.9.9?transport=tcp"])) { network, server in
            server.refusal = { $0.method == .allocate && $0.server == RelayServer.endpoint ? 300 : nil }
            server.refusedTo = Self.other
            let relay = network.relay
            network.relay = { path, local, remote, bytes, now, isStream in
                remote == Self.other
                    ? [(.milliseconds(2), path, .bytes(page))] : relay(path, local, remote, bytes, now, isStream)
            }
        }
        let evidence = try #require(run.first)
        #expect(evidence.redirects == [Self.other] && evidence.realm == nil && evidence.software == nil)
        #expect(evidence.trouble?.kind == .foreignProtocol && evidence.trouble?.detail == "an HTTP server")
        #expect(run.took < 200)
    }

    @Test func newPortIsANewAttempt() throws {
        var isFirst = true
        let run = try Base.run(Base.options(["turn:9.9.9.9?transport=tcp"])) { _, server in
            server.refusal = { request in
                defer { if request.method == .allocate { isFirst = false } }
                return isFirst && request.method == .allocate ? 437 : nil
            }
        }
        let evidence = try #require(run.first)
        #expect(evidence.trouble == nil && evidence.connectedAfter == .milliseconds(20))
        #expect(Set(run.server.requests(.allocate).prefix(4).map(\.path)).count == 2)
        #expect(evidence.allocation?.roundTrips == 2)
    }
}
