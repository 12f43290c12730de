/// What a word of a report means, and what to do about it: a finding, an error code, or a term.
package struct Explanation: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case finding
        case errorCode = "error-code"
        /// How a probe or an attempt failed, as JSON names it.
        case failure
        case term
    }

    /// As a report writes it: `turn-relay-silent`, `438`, `endpoint-independent`.
    package var id: String
    package var kind: Kind
    package var title: String
    package var meaning: String
    /// The likeliest first.
    package var causes: [String]
    package var remedy: String
    /// Where it is defined.
    package var reference: String
    /// Other words for it, in lower case.
    package var aliases: [String]

    init(
        _ id: String, _ kind: Kind, _ title: String, _ meaning: String, causes: [String] = [], do remedy: String = "",
        in reference: String = "", also aliases: [String] = []
    ) {
        self.id = id
        self.kind = kind
        self.title = title
        self.meaning = meaning
        self.causes = causes
        self.remedy = remedy
        self.reference = reference
        self.aliases = aliases
    }
}

/// Everything that `icecheck explain` knows.
package enum Explanations {
    package static let all: [Explanation] = findings + errorCodes + failures + terms

    /// Each finding that a rule can make.
    private static let findings = FindingRules.kinds.sorted { $0.id < $1.id }.map { kind in
        Explanation(kind.id, .finding, kind.title, kind.meaning, causes: kind.causes, do: kind.remedy)
    }

    /// The explanations of words in a row, of which several together may be one: `438`, `udp-blocked symmetric NAT`.
    ///
    /// - Returns: what was found, and the words from the first one on that is unknown.
    package static func find(_ words: [String]) -> (found: [Explanation], unknown: [String]) {
        var found: [Explanation] = []
        var rest = words[...]
        while !rest.isEmpty {
            let known = (1...rest.count).reversed().lazy.map {
                (count: $0, entries: find(rest.prefix($0).joined(separator: " ")))
            }
            .first { !$0.entries.isEmpty }
            guard let known else { break }
            found += known.entries
            rest = rest.dropFirst(known.count)
        }
        return (found, Array(rest))
    }

    /// The explanations of a word, however it is written: `438`, `Error 438`, `UDP blocked`, `symmetric NAT`.
    package static func find(_ word: String) -> [Explanation] {
        let key = Self.key(word)
        let exact = all.filter { Self.key($0.id) == key }
        if !exact.isEmpty { return exact }
        return all.filter { $0.aliases.contains { Self.key($0) == key } || Self.key($0.title) == key }
    }

    /// The ids that are written most like a word, the nearest first.
    package static func nearest(to word: String) -> [String] {
        let key = Array(Self.key(word))
        let ranked = all.map { (id: $0.id, distance: distance(key, Array(Self.key($0.id)))) }
        let limit = max(2, key.count / 3)
        return ranked.filter { $0.distance <= limit }.sorted { $0.distance < $1.distance }.prefix(3).map(\.id)
    }

    /// Letters and digits in lower case, without a leading "error": what people write differently is left out.
    private static func key(_ word: String) -> String {
        let plain = word.lowercased().filter { $0.isLetter || $0.isNumber }
        return plain.hasPrefix("error") && plain.dropFirst(5).allSatisfy(\.isNumber) && plain.count > 5
            ? String(plain.dropFirst(5)) : plain
    }

    /// How many letters must be put in, left out or changed (Levenshtein).
    private static func distance(_ one: [Character], _ other: [Character]) -> Int {
        guard !one.isEmpty, !other.isEmpty, one.count < 100 else { return max(one.count, other.count) }
        var row = Array(0...other.count)
        for (i, left) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in other.enumerated() {
                let change = diagonal + (left == right ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[other.count]
    }
}
