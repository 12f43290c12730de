import Engines

/// A candidate line: what is read of it is written so that it reads the same.
@c(LLVMFuzzerTestOneInput)
public func fuzzCandidate(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: bytes(start, count), as: UTF8.self)
    do throws(CandidateError) {
        let candidate = try Candidate(parsingAttribute: text)
        let again = try? Candidate(parsingAttribute: candidate.sdp)
        precondition(again == candidate, "a candidate reads as it is written")
    } catch {
        precondition(error.offset <= text.utf8.count && !error.description.isEmpty, "an error is within its text")
    }
    return 0
}
