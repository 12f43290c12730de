import CSystem
import Glibc
import NetTypes

/// Asks the DNS on a thread for each question; what is not answered when it is released is abandoned.
final class Resolver {
    private let handle: OpaquePointer

    init() throws(SystemError) {
        guard let handle = csys_resolver_create() else { throw SystemError("start the resolver", errno: errno) }
        self.handle = handle
    }

    deinit { csys_resolver_release(handle) }

    /// Readable while answers wait.
    var descriptor: Int32 { csys_resolver_descriptor(handle) }

    func ask(_ query: QueryID, kind: Int, name: String) throws(SystemError) {
        _ = try SystemError.check(
            csys_resolver_ask(handle, query.number, Int32(kind), name), "start a resolver thread")
    }

    /// The next answer, or nil where none waits.
    func take() -> (query: QueryID, answer: SystemAnswer)? {
        guard let answer = csys_resolver_take(handle) else { return nil }
        defer { csys_answer_free(answer) }
        return (QueryID(answer.pointee.query), Self.translate(answer))
    }

    private static func translate(_ answer: UnsafePointer<csys_answer>) -> SystemAnswer {
        switch Int(answer.pointee.outcome) {
        case CSYS_ANSWER_NO_SUCH_NAME: return .failed(.noSuchName)
        case CSYS_ANSWER_NO_RECORDS: return .failed(.noRecords)
        case CSYS_ANSWER_FAILED: return .failed(.resolverFailed(reason(of: answer)))
        default: break
        }
        let response = [UInt8](
            UnsafeBufferPointer(start: answer.pointee.response, count: Int(answer.pointee.response_length)))
        switch Int(answer.pointee.kind) {
        case CSYS_QUERY_SRV: return DNSResponse.serviceRecords(in: response)
        case CSYS_QUERY_NAPTR: return DNSResponse.namingAuthorityPointers(in: response)
        default: break
        }
        let addresses = UnsafeBufferPointer(
            start: csys_answer_addresses(answer), count: Int(answer.pointee.address_count))
        return .addresses(unique(addresses.compactMap { IPAddress($0) }))
    }

    private static func reason(of answer: UnsafePointer<csys_answer>) -> String {
        withUnsafeBytes(of: answer.pointee.reason) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The hosts file may name an address twice.
    private static func unique(_ addresses: [IPAddress]) -> [IPAddress] {
        var seen: Set<IPAddress> = []
        return addresses.filter { seen.insert($0).inserted }
    }
}
