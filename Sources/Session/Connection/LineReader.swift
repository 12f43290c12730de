/// Puts bytes together to lines.
struct LineReader: Sendable {
    private var bytes: [UInt8] = []
    /// The rest of a line that is too long is left out.
    private var isSkipping = false

    /// Longer than any line of signaling.
    static let mostBytes = 1 << 20

    enum Piece: Hashable {
        case line(String)
        case tooLong
    }

    /// Takes bytes and gives the lines that they complete, without their ends.
    mutating func read(_ arrived: [UInt8]) -> [Piece] {
        var pieces: [Piece] = []
        for byte in arrived {
            switch byte {
            case 0x0A: pieces += take()
            // A terminal that gives bytes as they are typed gives the corrections, too.
            case 0x08, 0x7F: _ = bytes.popLast()
            default: append(byte, &pieces)
            }
        }
        return pieces
    }

    /// What stands after the last line end.
    mutating func finish() -> [Piece] { bytes.isEmpty ? [] : take() }

    private mutating func append(_ byte: UInt8, _ pieces: inout [Piece]) {
        guard !isSkipping else { return }
        bytes.append(byte)
        guard bytes.count > Self.mostBytes else { return }
        bytes = []
        isSkipping = true
        pieces.append(.tooLong)
    }

    private mutating func take() -> [Piece] {
        defer {
            bytes = []
            isSkipping = false
        }
        if isSkipping { return [] }
        if bytes.last == 0x0D { bytes.removeLast() }
        return [.line(String(decoding: bytes, as: UTF8.self))]
    }
}
