package import Engines
import NetTypes
import STUN

/// What a client of a relay tells, as facts.
extension TURNEvidence {
    package mutating func take(_ event: RelayClientEvent) {
        switch event {
        case .began(let server, let isRedirected):
            // What the attempt before has shown says nothing of this one.
            let before = self
            self = TURNEvidence(
                attempt: before.attempt, server: before.server, serverAddress: server, transport: before.transport,
                source: before.source, relayFamily: before.relayFamily, username: before.username)
            options = before.options
            redirects = before.redirects + (isRedirected ? [server] : [])
        case .connected(let local, let time):
            localAddress = local
            if let time { connectedAfter = time }
        case .handshake(let handshake):
            tls = TLSEvidence(
                facts: handshake.facts, failures: handshake.failures, firstBytes: handshake.firstBytes,
                handshake: handshake.duration, handshakesBegun: handshake.begun)
        case .optionsAnswered(let answers): options = (options ?? []) + answers
        case .namelessHandshake(let failures): tls?.failuresWithoutServerName = failures
        case .turn(.challenged(let challenge)):
            realm = OutsideText(bytes: challenge.realm)
            software = challenge.software.map(OutsideText.init(bytes:))
            if challenge.authentication.usesToken { token = Token(challenge, after: token) }
        case .turn(.allocated(let allocated)):
            allocation = Allocation(allocated)
            if let bytes = allocated.software { software = OutsideText(bytes: bytes) }
        case .turn(.deleted(let deletion)): self.deletion = deletion
        case .turn, .failed: break
        }
    }
}

extension TURNEvidence.Allocation {
    init(_ allocated: TURNAllocated) {
        self.init(
            mappedAddress: allocated.mappedAddress,
            lifetime: allocated.lifetime.granted, roundTrips: allocated.roundTrips, elapsed: allocated.elapsed,
            roundTrip: allocated.roundTrip.duration, isOpenToAll: allocated.authentication == nil)
    }
}

extension TURNEvidence.Trouble {
    package init(_ failure: RelayFailure) {
        let stage = failure.stage
        switch failure.cause {
        case .request(_, let failure): self.init(stage, failure)
        case .redirectRefused(let redirect, let refusal): self.init(redirect, refused: refusal)
        case .path(let error):
            self.init(stage, .path)
            path = PathTrouble(kind: error.kind, origin: error.origin, errno: error.errno)
        case .closed: self.init(stage, .closed)
        case .notSecured: self.init(stage, .notSecured)
        case .foreignProtocol(let name): self.init(stage, .foreignProtocol, detail: name)
        case .expired: self.init(stage, .allocationLost)
        case .noAnswer(let transmissions): self.init(stage, .noAnswer, detail: transmissions.map { "\($0)" })
        case .notAuthenticated: self.init(stage, .notAuthenticated, detail: "none of them")
        case .foreignAnswer: self.init(stage, .foreignAnswer)
        case .truncated(let have, let need):
            let whole = need.map { " of \($0)" } ?? ""
            self.init(stage, .truncated, detail: "\(have)\(whole) bytes")
        case .malformed: self.init(stage, .malformed, detail: "it cannot be decoded")
        }
    }
}
