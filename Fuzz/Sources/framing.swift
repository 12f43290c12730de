import STUN

/// A stream: cut anywhere, it gives the same frames and the same error.
@c(LLVMFuzzerTestOneInput)
public func fuzzFraming(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = bytes(start, count)
    var random = SeededGenerator(seed: input.prefix(2).reduce(0) { $0 << 8 | UInt64($1) })
    let stream = input.dropFirst(2)
    let whole = Framed(stream, pieces: [stream.count])
    var pieces: [Int] = []
    while pieces.reduce(0, +) < stream.count { pieces.append(Int.random(in: 1...64, using: &random)) }
    precondition(Framed(stream, pieces: pieces) == whole, "frames do not depend on where a stream is cut")
    let longest = Int.random(in: 1...8, using: &random)
    let short = [Int](repeating: longest, count: stream.count / longest + 1)
    precondition(Framed(stream, pieces: short) == whole, "frames do not depend on where a stream is cut")
    return 0
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
