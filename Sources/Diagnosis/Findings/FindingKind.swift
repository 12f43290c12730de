/// What is the same in all findings of one id, whatever the run: the text of `icecheck explain`. It stands beside its
/// rule, and a ``Finding`` is made from it.
package struct FindingKind: Hashable, Sendable {
    package let id: String
    package let severity: Finding.Severity
    package let title: String
    /// One sentence: what must have been seen.
    package let meaning: String
    /// The likeliest first.
    package let causes: [String]
    package let remedy: String

    init(
        _ id: String, _ severity: Finding.Severity, _ title: String, meaning: String, causes: [String], remedy: String
    ) {
        self.id = id
        self.severity = severity
        self.title = title
        self.meaning = meaning
        self.causes = causes
        self.remedy = remedy
    }

    /// One finding about all of them; none where there are none.
    func findings<Subject: FindingSubject>(
        about subjects: [Subject], title: String? = nil, more: [String] = [], causes: [String]? = nil,
        remedy: String? = nil, seen: (Subject) -> String
    ) -> [Finding] {
        finding(about: subjects, title: title, seen: subjects.map(seen) + more, causes: causes, remedy: remedy)
    }

    /// One finding; none where nothing was seen.
    func finding(
        about subjects: [any FindingSubject] = [], severity: Finding.Severity? = nil, title: String? = nil,
        seen: [String], causes: [String]? = nil, remedy: String? = nil
    ) -> [Finding] {
        if seen.isEmpty { return [] }
        return [
            Finding(
                self, about: subjects, severity: severity, title: title, evidence: seen, causes: causes, remedy: remedy)
        ]
    }
}
