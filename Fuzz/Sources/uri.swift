import STUN

/// A server as typed: what is read of it is written so that it reads the same.
@c(LLVMFuzzerTestOneInput)
public func fuzzURI(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: bytes(start, count), as: UTF8.self)
    for scheme in [ServerURI.Scheme.stun, .turns] {
        do throws(URIError) {
            let uri = try ServerURI(parsing: text, defaultScheme: scheme)
            let again = try? ServerURI(parsing: uri.text)
            precondition(again == uri, "a server reads as it is written")
        } catch {
            precondition(error.offset <= text.utf8.count && !error.description.isEmpty, "an error is within its text")
        }
    }
    return 0
}
