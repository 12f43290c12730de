import STUN

extension FuzzTargets {
    /// A stream: cut anywhere, it gives the same frames and the same error. The first two bytes say where to cut.
    static func stream(_ input: [UInt8]) {
        var random = SeededGenerator(seed: input.prefix(2).reduce(0) { $0 << 8 | UInt64($1) })
        let stream = input.dropFirst(2)
        let whole = Framed(stream, pieces: [stream.count])
        var pieces: [Int] = []
        while pieces.reduce(0, +) < stream.count { pieces.append(Int.random(in: 1...64, using: &random)) }
        precondition(Framed(stream, pieces: pieces) == whole, "frames do not depend on where a stream is cut")
        let longest = Int.random(in: 1...8, using: &random)
        let short = [Int](repeating: longest, count: stream.count / longest + 1)
        precondition(Framed(stream, pieces: short) == whole, "frames do not depend on where a stream is cut")
    }
}

/// What a stream gave, piece after piece.
private struct Framed: Equatable {
    var frames: [StreamFramer.Frame] = []
    var error: FramingError?

    init(_ stream: ArraySlice<UInt8>, pieces: [Int]) {
        var framer = StreamFramer()
        var rest = stream
        for piece in pieces {
            framer.append(rest.prefix(piece))
            rest = rest.dropFirst(piece)
            do throws(FramingError) {
                while let frame = try framer.next() { frames.append(frame) }
            } catch {
                self.error = error
                _ = error.description
                return
            }
            let (have, need) = framer.pending
            precondition(have <= stream.count && need ?? .max > have, "what waits is less than a frame")
        }
    }
}

/// The same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
