import Dissection
import Engines
import NetTypes
import Signaling
import Testing

struct SignalingLineDissectionTests {
    private static func line() throws -> (text: String, password: String) {
        let credentials = try #require(
            ICECredentials(usernameFragment: "abcd1234", password: "canarycanarycanarycanary"))
        let candidate = Candidate(
            .host, foundation: "1", priority: 2_130_706_431, endpoint: Endpoint(IPAddress(192, 0, 2, 1), 50_000))
        let description = ICEDescription(
            credentials: credentials, candidates: [candidate], pacing: .milliseconds(10), isComplete: true,
            tieBreaker: 7,
            nat: [.ipv4: .init(mapping: .endpointIndependent, filtering: .addressAndPortDependent)])
        return (SignalingLine.text(description), credentials.password)
    }

    @Test func aLineShowsWhatItSaysAndNotItsPassword() throws {
        let (text, password) = try Self.line()
        let dissection = Dissection(of: Array(text.utf8))
        #expect(dissection.kind == .signalingLine && dissection.isSound)
        #expect(
            dissection.nodes.map(\.name) == [
                "usernameFragment", "trickles", "complete", "pacing", "tieBreaker", "nat", "candidate",
            ])
        #expect(dissection.nodes.last?.value == "host udp 192.0.2.1 port 50000")
        #expect(!"\(dissection)".contains(password))
    }

    @Test func aLineThatIsCutSaysSo() throws {
        let (text, _) = try Self.line()
        let dissection = Dissection(of: Array(text.prefix(40).utf8))
        #expect(dissection.kind == .signalingLine)
        #expect(dissection.problems.first?.rule.contains("copy it whole") == true)
    }
}
