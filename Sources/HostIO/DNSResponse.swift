import NetTypes

/// Reads the records of a DNS message (RFC 1035 s4) that came from outside.
///
/// At most ``mostExamined`` records are read: which of them count is decided by their priorities, not by their places.
/// What overruns the message or jumps in circles makes the answer malformed where it leaves no record.
struct DNSResponse {
    static let mostExamined = 1000
    /// Of a name as text: 255 bytes on the wire (RFC 1035 s2.3.4).
    static let mostNameBytes = 255

    private let bytes: [UInt8]
    private var position = 0

    /// RFC 2782.
    static func serviceRecords(in bytes: [UInt8]) -> SystemAnswer {
        read(bytes, type: 33, as: SystemAnswer.serviceRecords) { reader, end in
            guard let priority = reader.number(), let weight = reader.number(), let port = reader.number(),
                let target = reader.name(), reader.position <= end
            else { return nil }
            return ServiceRecord(priority: priority, weight: weight, port: port, target: target)
        }
    }

    /// RFC 3403 s4.1.
    static func namingAuthorityPointers(in bytes: [UInt8]) -> SystemAnswer {
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
        record: (inout DNSResponse, _ end: Int) -> Record?
    ) -> SystemAnswer {
        var reader = DNSResponse(bytes: bytes)
        var records: [Record] = []
        var isMalformed = false
        guard let counts = reader.header(), reader.skipQuestions(counts.questions) else { return malformed }
        for _ in 0..<min(counts.answers, mostExamined) {
            guard let (found, end) = reader.recordHeader() else {
                isMalformed = true
                break
            }
            // A CNAME on the way is the resolver's to follow.
            if found == type {
                if let record = record(&reader, end) { records.append(record) } else { isMalformed = true }
            }
            reader.position = end
        }
        if records.isEmpty { return isMalformed ? malformed : .failed(.noRecords) }
        return answer(records)
    }

    private static let malformed = SystemAnswer.failed(.resolverFailed("the resolver's answer is malformed"))

    private mutating func number() -> UInt16? {
        guard bytes.count - position >= 2 else { return nil }
        defer { position += 2 }
        return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
    }

    private mutating func header() -> (questions: Int, answers: Int)? {
        guard number() != nil, number() != nil, let questions = number(), let answers = number(), number() != nil,
            number() != nil
        else { return nil }
        return (Int(questions), Int(answers))
    }

    private mutating func skipQuestions(_ count: Int) -> Bool {
        for _ in 0..<count {
            guard name() != nil, number() != nil, number() != nil else { return false }
        }
        return true
    }

    /// The type of the next record of class IN (0 of another), and where its data ends.
    private mutating func recordHeader() -> (type: UInt16, end: Int)? {
        guard name() != nil, let type = number(), let `class` = number(), number() != nil, number() != nil,
            let length = number(), bytes.count - position >= Int(length)
        else { return nil }
        return (`class` == 1 ? type : 0, position + Int(length))
    }

    private mutating func characterString() -> String? {
        guard position < bytes.count else { return nil }
        let start = position + 1
        let end = start + Int(bytes[position])
        guard end <= bytes.count else { return nil }
        position = end
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// A name without its final dot, "" for the root. A compression pointer (RFC 1035 s4.1.4) must lead to an earlier
    /// place than the last one did, so that none leads in circles.
    private mutating func name() -> String? {
        var labels: [String] = []
        var length = 0
        var next = position
        var lowest = position
        var afterPointer: Int?
        while next < bytes.count {
            let first = Int(bytes[next])
            if first == 0 {
                position = afterPointer ?? next + 1
                return labels.joined(separator: ".")
            }
            if first >= 0xC0 {
                guard next + 1 < bytes.count else { return nil }
                afterPointer = afterPointer ?? next + 2
                next = (first & 0x3F) << 8 | Int(bytes[next + 1])
                guard next < lowest else { return nil }
                lowest = next
                continue
            }
            length += first + 1
            guard first < 0x40, length < Self.mostNameBytes, next + 1 + first <= bytes.count else { return nil }
            labels.append(String(decoding: bytes[(next + 1)..<(next + 1 + first)], as: UTF8.self))
            next += 1 + first
        }
        return nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }
}
