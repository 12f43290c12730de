import CSystem
import Glibc
import NetTypes

/// Asks the DNS on a thread for each question; what is not answered when it is released is abandoned.
final class Resolver {
    private let handle: OpaquePointer

    init() throws(SystemError) {
        guard let handle = csys_resolver_create() else { throw SystemError("start the resolver", errno: ENOMEM) }
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
        let records = (0..<answer.pointee.record_count).compactMap { csys_answer_record(answer, $0) }
        switch Int(answer.pointee.kind) {
        case CSYS_QUERY_SRV: return .serviceRecords(records.map(ServiceRecord.init))
        case CSYS_QUERY_NAPTR: return .namingAuthorityPointers(records.map(NamingAuthorityPointer.init))
        default: return .addresses(unique(records.compactMap { IPAddress($0.pointee.address) }))
        }
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

extension ServiceRecord {
    fileprivate init(_ record: UnsafePointer<csys_record>) {
        let numbers = record.pointee.numbers
        self.init(priority: numbers.0, weight: numbers.1, port: numbers.2, target: text(record, 0))
    }
}

extension NamingAuthorityPointer {
    fileprivate init(_ record: UnsafePointer<csys_record>) {
        let numbers = record.pointee.numbers
        self.init(
            order: numbers.0, preference: numbers.1, flags: text(record, 0), service: text(record, 1),
            regularExpression: text(record, 2), replacement: text(record, 3))
    }
}

private func text(_ record: UnsafePointer<csys_record>, _ index: Int32) -> String {
    csys_record_text(record, index).map { String(cString: $0) } ?? ""
}
