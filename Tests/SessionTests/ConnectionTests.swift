import Engines
import NetTypes
import STUN
import SecureTransport
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
