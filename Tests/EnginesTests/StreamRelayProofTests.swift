import NetTypes
import Testing

@testable import Engines

/// Bytes through a TCP relay, whatever pieces they come in.
@Suite struct StreamRelayProofTests {
    private static func proof(pace: Duration = .zero) -> StreamRelayProof {
        var proof = StreamRelayProof(count: 3, size: 10, pace: pace, nonce: 42)
        proof.begin(at: .zero)
        return proof
    }

    private static func message(_ proof: inout StreamRelayProof, at now: Instant = .zero) throws -> [UInt8] {
        let next = proof.next(at: now)
        return try #require(next)
    }

    private static func isSilent(_ proof: inout StreamRelayProof, at now: Instant = .zero) -> Bool {
        let next = proof.next(at: now)
        return next == nil
    }

    @Test(arguments: [1, 3, 10]) func eachMessageGoesOutOnceTheLastIsBackWhole(chunk: Int) throws {
        var proof = Self.proof()
        var now = Instant.zero
        for round in 1...3 {
            let message = try Self.message(&proof, at: now)
            let isSilent = Self.isSilent(&proof, at: now)
            #expect(message.count == 10 && isSilent && proof.nextWake == nil)
            now = now + .milliseconds(40)
            for start in stride(from: 0, to: 10, by: chunk) {
                let piece = Array(message[start..<min(start + chunk, 10)])
                let echo = proof.arrived(piece)
                #expect(echo == piece)
                proof.returned(echo, at: now)
            }
            #expect(proof.sent == round && proof.arrived == round && proof.roundTrips.count == round)
        }
        let isSilent = Self.isSilent(&proof, at: now)
        #expect(proof.isOver && !proof.isAltered && isSilent)
        #expect(proof.roundTrips == [Duration](repeating: .milliseconds(40), count: 3))
    }

    @Test func nothingIsSentBeforeTheConnectionIsThere() {
        var proof = StreamRelayProof(count: 1, size: 4, pace: .zero, nonce: 1)
        let isSilent = Self.isSilent(&proof)
        #expect(isSilent && proof.nextWake == nil)
    }

    @Test func paceIsKept() throws {
        var proof = Self.proof(pace: .milliseconds(100))
        let message = try Self.message(&proof)
        proof.returned(proof.arrived(message), at: .zero + .milliseconds(40))
        #expect(proof.nextWake == .zero + .milliseconds(100))
        let isSilent = Self.isSilent(&proof, at: .zero + .milliseconds(99))
        #expect(isSilent)
        _ = try Self.message(&proof, at: .zero + .milliseconds(100))
    }

    @Test func byteThatChangedIsAlteredData() throws {
        for place in 0..<10 {
            var proof = Self.proof()
            var message = try Self.message(&proof)
            message[place] ^= 1
            _ = proof.arrived(message)
            #expect(proof.isAltered && proof.isOver)
        }
    }

    @Test func bytesThatWereNeverSentAreAlteredData() throws {
        var early = Self.proof()
        _ = early.arrived([1])
        #expect(early.isAltered)
        var late = Self.proof()
        let message = try Self.message(&late)
        late.returned(message + [0], at: .zero)
        #expect(late.isAltered)
    }

    @Test func runsDifferInTheirBytes() throws {
        var one = Self.proof()
        var other = StreamRelayProof(count: 3, size: 10, pace: .zero, nonce: 43)
        other.begin(at: .zero)
        let messages = (try Self.message(&one), try Self.message(&other))
        #expect(messages.0 != messages.1)
    }
}
