package import NetTypes

/// The one answer of a run.
package struct Verdict: Hashable, Sendable {
    /// The most direct kind of candidate that is known to work.
    package enum Best: String, Hashable, Sendable, CaseIterable {
        case host
        case serverReflexive = "server-reflexive"
        case relayed
        case none
    }

    /// The verdict for one address family.
    package struct FamilyVerdict: Hashable, Sendable {
        package var family: IPAddress.Family
        package var isOK: Bool
        package var best: Best
        package var summary: String

        var sentence: String { "\(family.name): \(summary)." }
    }

    /// What the exit status says.
    package var isOK: Bool
    package var best: Best
    /// One or two sentences for people.
    package var summary: String
    package var families: [FamilyVerdict]

    package init(isOK: Bool, best: Best, summary: String, families: [FamilyVerdict]) {
        self.isOK = isOK
        self.best = best
        self.summary = summary
        self.families = families
    }
}
