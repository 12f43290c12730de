/// Reads the records of a resolver's answer (RFC 1035 s4), which came from outside.
///
/// At most ``mostExamined`` records are read: which of them count is decided by their priorities, not by their places.
/// What overruns the message or jumps in circles makes the answer malformed where it leaves no record.
package enum DNSResponse {
    package static let mostExamined = 1000

    /// RFC 2782.
    package static func serviceRecords(in bytes: [UInt8]) -> SystemAnswer {
        read(bytes, type: 33, as: SystemAnswer.serviceRecords) { reader, end in
            guard let priority = reader.number(), let weight = reader.number(), let port = reader.number(),
                let target = reader.name(), reader.position <= end
            else { return nil }
            return ServiceRecord(priority: priority, weight: weight, port: port, target: target)
        }
    }

    /// RFC 3403 s4.1.
    package static func namingAuthorityPointers(in bytes: [UInt8]) -> SystemAnswer {
        read(bytes, type: 35, as: SystemAnswer.namingAuthorityPointers) { reader, end in
            guard let order = reader.number(), let preference = reader.number(), let flags = reader.characterString(),
                let service = reader.characterString(), let regularExpression = reader.characterString(),
                let replacement = reader.name(), reader.position <= end
            else { return nil }
            return NamingAuthorityPointer(
                order: order, preference: preference, flags: flags, service: service,
                regularExpression: regularExpression, replacement: replacement)
        }
    }

    private static func read<Record>(
        _ bytes: [UInt8], type: UInt16, as answer: ([Record]) -> SystemAnswer,
        record: (inout DNSReader, _ end: Int) -> Record?
    ) -> SystemAnswer {
        var reader = DNSReader(bytes)
        var records: [Record] = []
        var isMalformed = false
        guard let header = reader.header(), reader.skipQuestions(header.questions) else { return malformed }
        for _ in 0..<min(header.answers, mostExamined) {
            guard let found = reader.record() else {
                isMalformed = true
                break
            }
            // A CNAME on the way is the resolver's to follow. 1 is class IN.
            if found.type == type, found.class == 1 {
                if let record = record(&reader, found.data.upperBound) {
                    records.append(record)
                } else {
                    isMalformed = true
                }
            }
            reader.skip(to: found.data.upperBound)
        }
        if records.isEmpty { return isMalformed ? malformed : .failed(.noRecords) }
        return answer(records)
    }

    private static let malformed = SystemAnswer.failed(.resolverFailed("the resolver's answer is malformed"))
}
