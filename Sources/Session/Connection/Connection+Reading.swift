import Engines
import Facts
import NetTypes
import Planning
import STUN
import Signaling

/// What the peer tells this side.
extension Connection {
    mutating func signaled(_ kind: StreamEvent.Kind, at now: Instant) {
        switch kind {
        case .accepted: break
        case .bytes(let bytes): read(reader.read(bytes), at: now)
        case .ended:
            read(reader.finish(), at: now)
            finishUnfinished(at: now)
            channelEnded(at: now)
        }
    }

    private mutating func read(_ pieces: [LineReader.Piece], at now: Instant) {
        // Who floods is not listened to for ever.
        guard agent != nil else {
            if early.count < 1000 { early += pieces }
            return
        }
        for piece in pieces {
            switch piece {
            case .line(let line): read(line, at: now)
            case .tooLong: complain("a line is longer than \(LineReader.mostBytes) bytes", at: now)
            }
        }
    }

    /// Reads what came before there was an agent.
    mutating func readEarly(at now: Instant) {
        let pieces = early
        early = []
        read(pieces, at: now)
        guard hasChannelEnded else { return }
        finishUnfinished(at: now)
        channelEnded(at: now)
    }

    private mutating func channelEnded(at now: Instant) {
        hasChannelEnded = true
        // A file that is read to its end may change.
        guard !configuration.readsAgain else { return hasChannelEnded = false }
        if agent != nil, !hasPeer { return fail(.signalingEnded, at: now) }
        // Over a live channel the other icecheck ends it when it leaves.
        if configuration.isLive, configuration.form == .line { peerSaidGoodbye(at: now) }
    }

    mutating func channelFailed(_ error: PathError, at now: Instant) {
        guard !hasPeer || !hasDescribed else { return channelEnded(at: now) }
        fail(.signalingFailed(errno: error.errno), at: now)
    }

    mutating func complain(_ problem: String, at now: Instant) {
        if seen.signalingProblems.count < ConnectEvidence.mostProblems { seen.signalingProblems.append(problem) }
        tell(.signalingProblem(problem), at: now)
    }

    private mutating func read(_ line: String, at now: Instant) {
        guard phase != .closed, phase != .leaving || line == Self.farewell else { return }
        switch configuration.form {
        case .line: takeLine(line, at: now)
        case .sdp: readSDP(line, at: now)
        }
    }

    // MARK: icecheck's own line

    private mutating func takeLine(_ line: String, at now: Instant) {
        guard !line.allSatisfy(\.isWhitespace) else { return }
        if line == Self.farewell { return peerSaidGoodbye(at: now) }
        if hasPeer {
            // What follows a pasted line may be anything, such as the peer's report.
            guard configuration.isLive else { return }
            if line.hasPrefix("a=") { readCandidate(line, at: now) }
            // The same line again says more: how the NATs before the peer behave.
            if let more = try? SignalingLine.read(line), more.credentials == peerCredentials {
                seen.remoteNAT = more.nat
            }
            return
        }
        let own = agent.map { ICEDescription(credentials: $0.localCredentials) }
        do throws(SignalingLine.Problem) {
            // A mail program may have wrapped the line: then this is its next part.
            let text = line.hasPrefix("icecheck") ? line : (unfinished + [line]).joined()
            let description = try SignalingLine.read(text, own: own)
            unfinished = []
            take(description, at: now)
        } catch {
            if case .cut = error {
                if line.hasPrefix("icecheck") { unfinished = [] }
                if unfinished.count < 256 { unfinished.append(line) }
            } else {
                unfinished = []
            }
            complain("\(error)", at: now)
        }
    }

    private mutating func readCandidate(_ line: String, at now: Instant) {
        do throws(SignalingError) {
            if case .candidate(let trickled) = try SDPMessage(parsing: line) { take(trickled, at: now) }
        } catch {
            complain("\(error)", at: now)
        }
    }

    // MARK: SDP

    private mutating func readSDP(_ line: String, at now: Instant) {
        if !unfinished.isEmpty {
            guard line.allSatisfy(\.isWhitespace) else {
                // As long as a line of JSON may be.
                if unfinished.count < 20_000 { unfinished.append(line) }
                return
            }
            return finishUnfinished(at: now)
        }
        if line.allSatisfy(\.isWhitespace) { return }
        if line.hasPrefix("v=") { return unfinished = [line] }
        readMessage(line, at: now)
    }

    /// Raw SDP has ended: with an empty line, or with the input.
    private mutating func finishUnfinished(at now: Instant) {
        guard agent != nil, configuration.usesSDP, !unfinished.isEmpty else { return unfinished = [] }
        let text = unfinished.joined(separator: "\r\n") + "\r\n"
        unfinished = []
        readMessage(text, at: now)
    }

    private mutating func readMessage(_ text: String, at now: Instant) {
        do throws(SignalingError) {
            switch try SDPMessage(parsing: text) {
            case .candidate(let trickled): take(trickled, at: now)
            case .description(let description, let kind): try take(description, kind, at: now)
            }
        } catch {
            complain("\(error)", at: now)
        }
    }

    private mutating func take(
        _ description: SessionDescription, _ kind: SessionDescription.Kind?, at now: Instant
    ) throws(SignalingError) {
        guard !hasPeer else { throw SignalingError("a second description is not taken: the first one counts") }
        if configuration.offers {
            if kind == .offer {
                throw SignalingError("this is an offer, and this side offers, too: one of both needs --answer")
            }
            guard let ownDescription else {
                throw SignalingError("this is an answer, and this side has not offered yet")
            }
            try description.check(answering: ownDescription)
        } else {
            if kind != nil, kind != .offer {
                throw SignalingError("this is an answer, and with --answer the other side offers first")
            }
            peerOffer = description
        }
        peerDescription = description
        for skipped in description.skipped { complain("left out: \(skipped)", at: now) }
        chooseDTLSRole(description)
        take(description.ice, at: now)
    }

    private mutating func take(_ trickled: TrickledCandidate, at now: Instant) {
        guard hasPeer else { return complain("a candidate came before the description, and is left out", at: now) }
        if let peerDescription, !trickled.concerns(peerDescription) { return }
        if let candidate = trickled.candidate {
            agent?.addRemote(candidate, at: now)
        } else {
            agent?.endRemoteCandidates(at: now)
        }
    }

    private mutating func take(_ description: ICEDescription, at now: Instant) {
        guard let own = agent?.tieBreaker else { return }
        hasPeer = true
        peerCredentials = description.credentials
        seen.remoteNAT = description.nat
        if let theirs = description.tieBreaker, !configuration.usesSDP {
            peerTieBreaker = theirs
            agent?.setRole(own > theirs ? .controlling : .controlled)
        }
        seen.times.peerDescribed = now - startedAt
        // First what goes out, as the peer's checks come soon.
        advanceSignaling(at: now)
        agent?.setRemote(description.credentials, isLite: description.isLite, pacing: description.pacing, at: now)
        for candidate in description.candidates { agent?.addRemote(candidate, at: now) }
        if description.isComplete { agent?.endRemoteCandidates(at: now) }
        connectIfDescribed(at: now)
    }
}
