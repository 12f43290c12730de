import NetTypes
import Testing

@testable import Engines

struct MDNSQueryTests {
    static let name = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local"
    static let responder = Endpoint(IPAddress(192, 0, 2, 20), 5353)
    static let id: UInt16 = 0xBEEF

    private static func query(
        _ name: String = name, binding: MDNSQuery.Binding = .ephemeral(id: id),
        families: Set<IPAddress.Family> = [.ipv4, .ipv6]
    ) throws -> MDNSQuery {
        var query = try #require(MDNSQuery(name, binding: binding, families: families, from: .zero))
        query.transmitted(at: .zero)
        return query
    }

    // MARK: Messages

    static func wire(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    static func record(
        named name: [UInt8] = wire(name), type: UInt8 = 1, class: [UInt8] = [0x80, 1], seconds: UInt8 = 120,
        _ data: [UInt8] = [192, 0, 2, 20]
    ) -> [UInt8] {
        name + [0, type] + `class` + [0, 0, 0, seconds, 0, UInt8(data.count)] + data
    }

    static func answer(
        id: UInt16 = id, flags: UInt16 = 0x8400, questions: [[UInt8]] = [], _ records: [[UInt8]]
    ) -> [UInt8] {
        let header = [id, flags, UInt16(questions.count), UInt16(records.count), 0, 0]
        return header.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } + questions.joined() + records.joined()
    }

    // MARK: Questions

    @Test("each family of address is asked for over each family of group, one question a message")
    func questions() throws {
        let query = try Self.query()
        #expect(
            query.datagrams.map(\.destination.description) == [
                "224.0.0.251:5353", "224.0.0.251:5353", "[ff02::fb]:5353", "[ff02::fb]:5353",
            ])
        let question: [UInt8] = [0xBE, 0xEF, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + Self.wire(Self.name) + [0, 1, 0, 1]
        #expect(query.datagrams[0].bytes == question)
        #expect(query.datagrams.map { $0.bytes[$0.bytes.count - 3] } == [1, 28, 1, 28])
        let group = try Self.query(binding: .group, families: [.ipv6]).datagrams
        #expect(group.map(\.destination.description) == ["[ff02::fb]:5353"])
        #expect(group[0].bytes.prefix(2) == [0, 0])
    }

    @Test("it asks at 0 and 1 s and gives up at 2 s")
    func schedule() throws {
        var query = try #require(MDNSQuery(Self.name, binding: .group, families: [.ipv4], from: .zero))
        var sent: [Double] = []
        var failed: Double?
        while let wake = query.nextWake {
            if query.handleTimeout(at: wake) { failed = (wake - .zero).milliseconds }
            if query.isDue(at: wake) {
                query.transmitted(at: wake)
                sent.append((wake - .zero).milliseconds)
            }
        }
        #expect(sent == [0, 1000])
        #expect(failed == 2000)
        #expect(query.take(Self.answer([Self.record()]), from: Self.responder) == nil)
    }

    @Test(
        "only a UUID with .local behind it is asked for",
        arguments: [
            (name, true), ("1F4712DB-EA17-4BCF-A596-105139DFD8BF.LOCAL", true),
            ("1f4712dbea174bcfa596105139dfd8bf.local", true), ("printer.local", false), ("local", false),
            ("a.\(name)", false), ("\(name).", false), ("1f4712db-ea17-4bcf-a596-105139dfd8bf.example", false),
            ("1f4712db-ea17-4bcf-a596-105139dfd8bg.local", false), ("", false), (".local", false),
            ("1f4712db-ea17-4bcf-a596-105139dfd8b.local", false),
            ("\(String(repeating: "-", count: 60))\(name)", false),
            ("1f4712db-ea17-4bcf-a596-105139dfd8bf.loc\u{E1}l", false),
            ("1f4712db-ea17-4bcf-a596-105139dfd8bf\0.local", false),
        ])
    func names(_ name: String, _ isAsked: Bool) {
        #expect(MDNSQuery.isAsked(name) == isAsked)
        #expect((MDNSQuery(name, binding: .group, families: [.ipv4], from: .zero) != nil) == isAsked)
    }

    // MARK: Answers

    @Test("the first usable address is taken, and nothing after it")
    func first() throws {
        var query = try Self.query()
        let records = (0..<50).map { Self.record([192, 0, 2, UInt8(20 + $0)]) }
        #expect(query.take(Self.answer(records), from: Self.responder) == IPAddress(192, 0, 2, 20))
        #expect(query.nextWake == nil)
        #expect(query.take(Self.answer([Self.record([192, 0, 2, 99])]), from: Self.responder) == nil)
    }

    @Test("an answer with its question, a pointer to that name, other records and capitals is read")
    func realistic() throws {
        var query = try Self.query()
        let question = Self.wire(Self.name.uppercased()) + [0, 28, 0, 1]
        let other = Self.record(named: Self.wire("other.local"), [192, 0, 2, 66])
        let text = Self.record(named: [0xC0, 12], type: 16, [1, 0x61])
        let address = Self.record(
            named: [0xC0, 12], type: 28, [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [7])
        let message = Self.answer(questions: [question], [other, text, address])
        #expect(query.take(message, from: Self.responder) == IPAddress("2001:db8::7"))
    }

    @Test(
        "what is no answer to it is ignored, and a good one after it is taken",
        arguments: [
            // The id of another, or of a multicast answer, which nobody sends to a port of its own.
            answer(id: 0xBEEE, [record()]), answer(id: 0, [record()]),
            // A question, another opcode, an error.
            answer(flags: 0x0000, [record()]), answer(flags: 0x8C00, [record()]), answer(flags: 0x8403, [record()]),
            // Another name, another class, a goodbye, another type.
            answer([record(named: wire("printer.local"))]), answer([record(named: wire("a.\(name)"))]),
            answer([record(class: [0, 3])]), answer([record(seconds: 0)]), answer([record(type: 5, wire("a.local"))]),
            // A and AAAA of a wrong length.
            answer([record([192, 0, 2])]), answer([record(type: 28, [192, 0, 2, 1])]), answer([record(type: 1, [])]),
            // Addresses that no other host has.
            answer([record([0, 0, 0, 0])]), answer([record([127, 0, 0, 1])]), answer([record([224, 0, 0, 251])]),
            answer([record([255, 255, 255, 255])]), answer([record([240, 0, 0, 1])]),
            answer([record(type: 28, [UInt8](repeating: 0, count: 15) + [1])]),
            answer([record(type: 28, [0xFF, 2] + [UInt8](repeating: 0, count: 14))]),
            answer([record(type: 28, [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 192, 0, 2, 1])]),
            // A link-local address where the link is not known.
            answer([record(type: 28, [0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [1])]),
            // A name that points to itself, records that are not there, more questions than there are bytes.
            answer([record(named: [0xC0, 12])]), [0xBE, 0xEF, 0x84, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            [0xBE, 0xEF, 0x84, 0, 0xFF, 0xFF, 0, 1, 0, 0, 0, 0] + record(), [], [0xBE],
        ])
    func ignored(_ bytes: [UInt8]) throws {
        var query = try Self.query()
        #expect(query.take(bytes, from: Self.responder) == nil)
        #expect(query.nextWake != nil)
        #expect(query.take(Self.answer([Self.record()]), from: Self.responder) == IPAddress(192, 0, 2, 20))
    }

    @Test("in the group an answer's id means nothing")
    func group() throws {
        for id in [0, 7, Self.id] as [UInt16] {
            var query = try Self.query(binding: .group)
            #expect(query.take(Self.answer(id: id, [Self.record()]), from: Self.responder) != nil)
        }
    }

    @Test("an answer comes from port 5353")
    func sources() throws {
        for (source, isTaken) in [("192.0.2.20:5353", true), ("192.0.2.20:5354", false), ("[fe80::5]:5353", true)] {
            var query = try Self.query()
            let found = query.take(Self.answer([Self.record()]), from: try #require(Endpoint(source)))
            #expect((found != nil) == isTaken)
        }
    }

    @Test("a link-local address is of the link that the answer came over")
    func linkLocal() throws {
        var query = try Self.query()
        let source = Endpoint(IPAddress(v6: 0xFE80 << 112 | 5, zone: 3), 5353)
        let record = Self.record(type: 28, [0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [9])
        let found = query.take(Self.answer([record]), from: source)
        #expect(found == IPAddress(v6: 0xFE80 << 112 | 9, zone: 3))
    }

    @Test("nothing is taken before it was asked")
    func unasked() throws {
        var query = try #require(MDNSQuery(Self.name, binding: .group, families: [.ipv4], from: .zero))
        #expect(query.take(Self.answer([Self.record()]), from: Self.responder) == nil)
    }

    @Test("of a message's records 64 are looked at")
    func many() throws {
        for (count, isFound) in [(63, true), (64, false)] {
            var query = try Self.query()
            let others = (0..<count).map { _ in Self.record(named: Self.wire("a.local")) }
            #expect((query.take(Self.answer(others + [Self.record()]), from: Self.responder) != nil) == isFound)
        }
    }

    @Test("no prefix and no changed byte of an answer traps, or gives another address than it says")
    func hostile() throws {
        let whole = Self.answer(
            questions: [Self.wire(Self.name) + [0, 1, 0, 1]],
            [Self.record(named: Self.wire("other.local")), Self.record(named: [0xC0, 12])])
        for count in whole.indices {
            var query = try Self.query()
            #expect(query.take(Array(whole[..<count]), from: Self.responder) == nil)
            for value in UInt8.min...UInt8.max {
                var changed = whole
                changed[count] = value
                var query = try Self.query()
                if let found = query.take(changed, from: Self.responder) {
                    #expect(changed.suffix(4) == found.bytes[...])
                }
            }
        }
    }
}
