import Engines
import NetTypes

/// Cuts the bytes of a channel, or of a terminal, into what the other side says.
///
/// Lines of icecheck's own may be wrapped; SDP ends with an empty line or with the input; a JSON object may stand on
/// several lines. An empty line ends whatever has begun, so that a person who pasted half of it is told so.
package struct SignalingReader: Sendable {
    package enum Form: Hashable, Sendable {
        /// ``SignalingLine``; what this side says itself is refused.
        case line(own: ICEDescription?)
        case sdp
    }

    package enum Message: Hashable, Sendable {
        case line(ICEDescription)
        case sdp(SDPMessage)
        /// Something that cannot be used: one line, fit to be shown. What follows is read all the same.
        case refused(String)
    }

    static let byteLimit = SDPParser.byteLimit
    /// Pieces that a line of icecheck's own may be wrapped into: of the longest, with 90 characters in each.
    static let pieceLimit = 1000

    private let form: Form
    /// What came since the last line end.
    private var unfinished: [UInt8] = []
    /// The lines of a message that has begun.
    private var pending: [UInt8] = []
    private var pieces = 0
    private var json = JSONDepth()
    private var messages: [Message] = []
    /// Whether lines are dropped up to an empty one: what they belong to was refused.
    private var isDropping = false
    private var isTooLong = false

    package init(_ form: Form) { self.form = form }

    /// Whether a message has begun whose end is not there yet.
    package var isInside: Bool { !pending.isEmpty }

    package mutating func append(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                endLine()
            } else if unfinished.count < Self.byteLimit {
                unfinished.append(byte)
            } else {
                isTooLong = true
            }
        }
    }

    /// The next message, or nil where none is whole.
    package mutating func next() -> Message? { messages.isEmpty ? nil : messages.removeFirst() }

    /// Takes the end of the input: what has begun is given as it is.
    package mutating func finish() {
        if !unfinished.isEmpty || isTooLong { endLine() }
        if !pending.isEmpty { endMessage() }
    }

    // MARK: Lines

    private mutating func endLine() {
        let line = unfinished
        unfinished = []
        guard !isTooLong, pending.count + line.count <= Self.byteLimit else {
            messages.append(.refused("more than 1 MiB without an end is not read"))
            (isTooLong, pending, isDropping, json) = (false, [], true, JSONDepth())
            return
        }
        let text = line.drop(while: Self.isSpace)
        if text.isEmpty {
            isDropping = false
            if !pending.isEmpty { endMessage() }
            return
        }
        switch form {
        case .line(let own): takeOwn(line, own)
        case .sdp: takeSDP(line, text)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    private mutating func takeOwn(_ line: [UInt8], _ own: ICEDescription?) {
        let begins = String(decoding: line, as: UTF8.self).contains(SignalingLine.prefix)
        if begins, !pending.isEmpty { endMessage() }
        if isDropping, !begins { return }
        isDropping = false
        pieces = pending.isEmpty ? 1 : pieces + 1
        pending += line + [UInt8(ascii: "\n")]
        do throws(SignalingLine.Problem) {
            messages.append(.line(try SignalingLine.read(String(decoding: pending, as: UTF8.self), own: own)))
            pending = []
        } catch {
            if case .cut = error, pieces < Self.pieceLimit { return }
            messages.append(.refused(error.description))
            pending = []
            // Each further line of it would be refused with the same words.
            isDropping = error == .sessionDescription
        }
    }

    private mutating func takeSDP(_ line: [UInt8], _ text: ArraySlice<UInt8>) {
        if isDropping { return }
        let isFirst = pending.isEmpty
        pending += line + [UInt8(ascii: "\n")]
        let start = isFirst ? text : pending.drop(while: Self.isSpace)
        if start.first == UInt8(ascii: "{") {
            json.read(line)
            if json.depth <= 0 { endMessage() }
        } else if !start.starts(with: "v=".utf8) {
            endMessage()
        }
    }

    private mutating func endMessage() {
        let text = String(decoding: pending, as: UTF8.self)
        pending = []
        json = JSONDepth()
        switch form {
        case .line(let own):
            do throws(SignalingLine.Problem) {
                messages.append(.line(try SignalingLine.read(text, own: own)))
            } catch {
                messages.append(.refused(error.description))
            }
        case .sdp:
            do throws(SignalingError) {
                messages.append(.sdp(try SDPMessage(parsing: text)))
            } catch {
                messages.append(.refused(error.description))
            }
        }
    }
}

/// How many brackets of JSON are open.
private struct JSONDepth: Sendable {
    private(set) var depth = 0
    private var isInString = false
    private var isEscaped = false

    mutating func read(_ line: [UInt8]) {
        for byte in line {
            switch byte {
            case _ where isEscaped: isEscaped = false
            case UInt8(ascii: "\\") where isInString: isEscaped = true
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: "{") where !isInString, UInt8(ascii: "[") where !isInString: depth += 1
            case UInt8(ascii: "}") where !isInString, UInt8(ascii: "]") where !isInString: depth -= 1
            default: break
            }
        }
        // No string goes over a line end.
        (isInString, isEscaped) = (false, false)
    }
}
