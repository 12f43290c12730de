/// Reads a DNS message (RFC 1035 s4) that came from outside, from its start to its end; nil is what overruns it.
package struct DNSReader {
    /// Of a name as text: 255 bytes on the wire (RFC 1035 s2.3.4).
    package static let mostNameBytes = 255

    package struct Header: Hashable, Sendable {
        package var id: UInt16
        package var flags: UInt16
        package var questions: Int
        package var answers: Int
        package var authorities: Int
        package var additionals: Int
    }

    package struct Record: Hashable, Sendable {
        /// Without its final dot, "" for the root.
        package var name: String
        package var type: UInt16
        package var `class`: UInt16
        /// In seconds.
        package var timeToLive: UInt32
        /// Where its data stands in the message.
        package var data: Range<Int>
    }

    package let bytes: [UInt8]
    package private(set) var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Goes on at `position`, which lies within the message.
    package mutating func skip(to position: Int) { self.position = min(max(position, 0), bytes.count) }

    package mutating func number() -> UInt16? {
        guard bytes.count - position >= 2 else { return nil }
        defer { position += 2 }
        return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
    }

    package mutating func header() -> Header? {
        guard let id = number(), let flags = number(), let questions = number(), let answers = number(),
            let authorities = number(), let additionals = number()
        else { return nil }
        return Header(
            id: id, flags: flags, questions: Int(questions), answers: Int(answers), authorities: Int(authorities),
            additionals: Int(additionals))
    }

    package mutating func skipQuestions(_ count: Int) -> Bool {
        for _ in 0..<count {
            guard name() != nil, number() != nil, number() != nil else { return false }
        }
        return true
    }

    /// The next record, up to its data: the reader stands at its start.
    package mutating func record() -> Record? {
        guard let name = name(), let type = number(), let `class` = number(), let high = number(), let low = number(),
            let length = number(), bytes.count - position >= Int(length)
        else { return nil }
        return Record(
            name: name, type: type, class: `class`, timeToLive: UInt32(high) << 16 | UInt32(low),
            data: position..<position + Int(length))
    }

    package mutating func characterString() -> String? {
        guard position < bytes.count else { return nil }
        let start = position + 1
        let end = start + Int(bytes[position])
        guard end <= bytes.count else { return nil }
        position = end
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// A name without its final dot, "" for the root. A compression pointer (RFC 1035 s4.1.4) must lead to an earlier
    /// place than the last one did, so that none leads in circles.
    package mutating func name() -> String? {
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
}
