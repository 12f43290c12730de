import Diagnosis
import Engines
import Facts
import NetTypes
import Planning
import STUN
import SecureTransport
import SimNet
import Testing

@testable import Session

@Suite struct ConnectionTests {
    @Test(arguments: [true, false]) func twoSidesConnectMeasureAndLeave(isLive: Bool) throws {
        var pair = try ConnectPair([.line, .line], isLive: isLive)
        pair.run()
        for side in pair.sides {
            let evidence = side.evidence
            #expect(side.isFinished && evidence.isConnected)
            #expect(evidence.data?.sent == 50 && evidence.data?.returned == 50 && evidence.data?.lostThere == 0)
            #expect(evidence.data?.summary?.median == .milliseconds(20))
            #expect(evidence.data?.jitter == .zero)
        }
        #expect(Set(pair.sides.compactMap(\.evidence.role)).count == 2)
        // The second of data, and no wait that is not for an answer.
        #expect(pair.now < .zero + .milliseconds(1600))
    }

    @Test func candidatesFollowOverALiveChannelAndNotOtherwise() throws {
        // A server that stays silent holds up the end of gathering, and not the description.
        let server = try ServerURI(parsing: "stun:203.0.113.1")
        var live = try ConnectPair([.line, .line]) { $0.servers = [.init(uri: server)] }
        live.run()
        #expect(live.sides.allSatisfy(\.evidence.isConnected) && live.now < .zero + .seconds(2))
        #expect((live.sides[0].evidence.times.described ?? .seconds(9)) < .milliseconds(1))
        var pasted = try ConnectPair([.line, .line], isLive: false)
        pasted.run()
        #expect(pasted.written[0].split(separator: "\n").count == 1)
    }

    @Test func lossIsToldByTheWayThatItHappened() throws {
        var pair = try ConnectPair([.line, .line])
        pair.delivers = { side, bytes in
            guard side == 0, let echo = EchoDatagram(bytes), echo.kind == .request else { return true }
            return echo.number % 5 != 0
        }
        pair.run()
        let data = pair.sides[0].evidence.data
        #expect(data?.lost == 10 && data?.lostThere == 10 && data?.lostBack == 0)
        #expect(pair.sides[1].evidence.data?.lost == 0)
    }

    @Test func sdpIsSecuredWithBothCertificates() throws {
        let credentials = try (0..<2).map { _ in
            try ServerCredentials.make(CertificateRequest(commonName: "test", notBefore: 0, notAfter: 4_000_000_000))
        }
        var next = 0
        var pair = try ConnectPair([.sdp(answers: false), .sdp(answers: true)]) {
            $0.connect?.credentials = credentials[next]
            next += 1
        }
        pair.run()
        for side in pair.sides {
            #expect(side.evidence.isConnected, "\(String(describing: side.evidence.failure))")
            #expect(side.evidence.dtls?.isSecured == true)
            #expect(side.evidence.dtls?.facts?.chain.count == 1)
            #expect(side.evidence.data?.method == .binding && side.evidence.data?.lost == 0)
        }
        #expect(pair.sides[0].evidence.dtls?.isClient == false && pair.sides[1].evidence.dtls?.isClient == true)
    }

    @Test func aPeerWithoutACertificateGetsPlainICE() throws {
        let credentials = try ServerCredentials.make(
            CertificateRequest(commonName: "test", notBefore: 0, notAfter: 4_000_000_000))
        var isFirst = true
        var pair = try ConnectPair([.sdp(answers: false), .sdp(answers: true)]) {
            if isFirst { $0.connect?.credentials = credentials }
            isFirst = false
        }
        pair.run()
        #expect(pair.sides.allSatisfy { $0.evidence.isConnected && $0.evidence.dtls == nil })
    }

    @Test func badLinesAreToldAndReadingGoesOn() throws {
        var pair = try ConnectPair([.line, .line])
        pair.give("\u{1b}[2Jnonsense\nv=0\nicecheck1:AAAA\n", to: 0)
        pair.run()
        let evidence = pair.sides[0].evidence
        #expect(evidence.isConnected && evidence.signalingProblems.count == 3)
        #expect(evidence.signalingProblems.allSatisfy { !$0.unicodeScalars.contains { $0.value < 0x20 } })
    }

    @Test func noPeerIsADeadlineAndNothingIsLeftOpen() throws {
        var pair = try ConnectPair([.line, .line]) { $0.timeout = .seconds(3) }
        pair.carries = { _, _ in nil }
        pair.run()
        #expect(pair.sides.allSatisfy { $0.isFinished && $0.evidence.failure == .deadline(.signaling) })
        #expect(pair.now <= .zero + .milliseconds(3500))
    }

    @Test func pathsThatAreBlockedAreNamedForEachPair() throws {
        var pair = try ConnectPair([.line, .line], isLive: false)
        pair.delivers = { _, _ in false }
        pair.run()
        for side in pair.sides {
            #expect(!side.evidence.isConnected && side.evidence.failure != nil)
            #expect(side.evidence.pairs.allSatisfy { $0.failure != nil })
        }
    }

    @Test func aBulkTransferFillsThePathBothWays() throws {
        var pair = try ConnectPair([.line, .line]) { $0.connect?.measuresThroughput = true }
        pair.run()
        for side in pair.sides {
            let throughput = side.evidence.throughput
            #expect((throughput?.sendingRate ?? 0) > 1_000_000 && (throughput?.receivingRate ?? 0) > 1_000_000)
            #expect(throughput?.lost == 0)
        }
    }
}

@Suite struct LineReaderTests {
    @Test func linesAreGivenWholeHoweverTheyCome() {
        var reader = LineReader()
        var pieces: [LineReader.Piece] = []
        for byte in Array("one\r\ntwx\u{7F}o\n".utf8) { pieces += reader.read([byte]) }
        #expect(pieces == [.line("one"), .line("two")])
        #expect(reader.read(Array("rest".utf8)) == [] && reader.finish() == [.line("rest")])
    }

    @Test func whatIsTooLongIsToldOnceAndSkipped() {
        var reader = LineReader()
        let flood = [UInt8](repeating: 0x61, count: LineReader.mostBytes + 10)
        #expect(reader.read(flood) == [.tooLong])
        #expect(reader.read(Array("tail\nnext\n".utf8)) == [.line("next")])
    }
}

/// What a name of a server leads to, and what is asked and told of it.
@Suite struct ConnectResolutionTests {
    private static func session(
        _ uri: String, bases: [String] = ["192.0.2.1"], families: Set<IPAddress.Family> = [.ipv4, .ipv6],
        answer: (SystemQuery) -> SystemAnswer
    ) throws -> (Session, [Observation]) {
        let credentials = ICEServers.Credentials(username: "user", credential: Secret("pencil"))
        var options = Options(
            command: .connect, servers: [.init(uri: try ServerURI(parsing: uri), credentials: credentials)],
            families: families, timeout: .seconds(30))
        options.connect = ConnectPlan(.line, isLive: true)
        let addresses = bases.compactMap { IPAddress($0) }.map { NetworkInterface.Address($0, prefixLength: 24) }
        let interface = NetworkInterface(name: "eth0", index: 2, kind: .ethernet, addresses: addresses)
        var session = Session(
            try Plan(options, interfaces: [interface]), random: SeededGenerator(seed: 1), from: .zero)
        for _ in 0..<20 {
            while let output = session.pollOutput(at: .zero) {
                if case .query(let id, let query) = output { session.handle(.answer(id, answer(query)), at: .zero) }
            }
        }
        session.conclude(.interrupted, at: .zero)
        var observations: [Observation] = []
        while let observation = session.pollEvent() { observations.append(observation) }
        return (session, observations)
    }

    private static func notResolved(_ run: (Session, [Observation])) -> [ConnectEvidence.NotResolved] {
        RunRecord(run.0.plan, run.1).connection?.notResolved ?? []
    }

    private static func turnServers(_ run: (Session, [Observation])) -> [ICEConfiguration.TURNServer] {
        run.0.activities.all(Connection.self).first?.ice.turnServers ?? []
    }

    private static let four = IPAddress(203, 0, 113, 1)

    private static func onlyIPv4(_ query: SystemQuery) -> SystemAnswer {
        if case .addresses(_, .ipv4) = query { return .addresses([four]) }
        if case .source = query { return .source(IPAddress(192, 0, 2, 1)) }
        return .failed(.noRecords)
    }

    @Test func nameOfOneFamilyIsNotAtFault() throws {
        let session = try Self.session("turn:turn.example.org", answer: Self.onlyIPv4)
        #expect(Self.notResolved(session).isEmpty && Self.turnServers(session).count == 1)
    }

    @Test func nameThatTheResolverFailsForIsTold() throws {
        let session = try Self.session("turn:turn.example.org") { query in
            if case .addresses(_, .ipv6) = query { return .failed(.timedOut) }
            return Self.onlyIPv4(query)
        }
        #expect(Self.notResolved(session).count == 1)
        let none = try Self.session("turn:turn.example.org") { _ in .failed(.noRecords) }
        #expect(!Self.notResolved(none).isEmpty)
    }

    @Test func relaysAreAskedForOfTheFamiliesOfOptionsAndBases() throws {
        let both = ["192.0.2.1", "2001:db8::1"]
        for (bases, families, expected) in [
            (["192.0.2.1"], [.ipv4, .ipv6], [.ipv4]), (both, [.ipv4, .ipv6], [.ipv4, .ipv6]), (both, [.ipv4], [.ipv4]),
        ] as [([String], Set<IPAddress.Family>, [IPAddress.Family])] {
            let session = try Self.session(
                "turn:203.0.113.1", bases: bases, families: families, answer: Self.onlyIPv4)
            #expect(Self.turnServers(session).map(\.relayFamilies) == [expected], "\(bases) \(families)")
        }
    }
}
