import NetTypes
import STUN

/// Which messages the relaying part gets, and what becomes of its answers.
extension STUNServer {
    /// Whether a message is TURN's: ChannelData, or of a method that is not Binding.
    func isForTURN(_ bytes: [UInt8]) -> Bool {
        guard turn != nil, bytes.count >= 2 else { return false }
        if bytes[0] & 0xC0 != 0 { return bytes[0] & 0xF0 == 0x40 }
        return Method(messageType: UInt16(bytes[0]) << 8 | UInt16(bytes[1])) != .binding
    }

    /// The answer to one message that is to be sent now, counted; nil where there is none.
    mutating func answerTURN(_ bytes: [UInt8], from client: TURNClient, at now: Instant) -> [UInt8]? {
        switch turn?.respond(to: bytes, from: client, at: now) {
        case .authenticated(let answer):
            counts.answered += 1
            return answer
        case .unauthenticated(let answer, let refused):
            guard limiter.admits(client.remote.address, at: now) else {
                noteRateLimited(client.remote, at: now)
                return nil
            }
            counts.answered += 1
            if client.isConnection { connections.countAnswer(on: client.path) }
            if let refused { events.append(.turn(refused)) }
            return answer
        case .malformed(let reason): noteMalformed(client.remote, reason: reason, at: now)
        case .ignored: counts.ignored += 1
        case .later, nil: break
        }
        return nil
    }

    mutating func relay(channelData bytes: [UInt8], from client: TURNClient, at now: Instant) {
        do {
            turn?.relay(try ChannelData(decoding: bytes), from: client, at: now)
        } catch {
            noteMalformed(client.remote, reason: error.description, at: now)
        }
    }

    /// What concerns a relay socket.
    mutating func relay(_ input: Input, at now: Instant) {
        switch input {
        case .opened(let path, let local): turn?.opened(path, local: local, at: now)
        case .datagram(let datagram): turn?.received(datagram, at: now)
        case .pathError(let error): error.isFatal ? turn?.failed(error, at: now) : turn?.received(error, at: now)
        default: break
        }
    }

    /// Takes over what the relaying part wants done and told.
    mutating func passOn() {
        while let output = turn?.outputs.popFirst() { outputs.append(output) }
        while let event = turn?.events.popFirst() { events.append(.turn(event)) }
    }
}
