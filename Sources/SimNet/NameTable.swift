package import NetTypes

/// What the simulated resolver knows, for every host alike. Names are as the engines ask for them, without the final
/// dot.
package struct NameTable: Sendable {
    package var addresses: [String: [IPAddress]] = [:]
    package var serviceRecords: [String: [ServiceRecord]] = [:]
    package var namingAuthorityPointers: [String: [NamingAuthorityPointer]] = [:]
    /// How long an answer takes.
    package var delay: Duration = .zero
    /// Names about which the resolver never answers.
    package var unanswered: Set<String> = []

    package init() {}

    /// The answer to a question about a name; nil is none, ever.
    func answer(_ query: SystemQuery) -> SystemAnswer? {
        switch query {
        case .addresses(let name, let family):
            guard !unanswered.contains(name) else { return nil }
            let found = (addresses[name] ?? []).filter { $0.family == family }
            return found.isEmpty ? nothing(name) : .addresses(found)
        case .serviceRecords(let name):
            guard !unanswered.contains(name) else { return nil }
            return serviceRecords[name].map { .serviceRecords($0) } ?? nothing(name)
        case .namingAuthorityPointers(let name):
            guard !unanswered.contains(name) else { return nil }
            return namingAuthorityPointers[name].map { .namingAuthorityPointers($0) } ?? nothing(name)
        case .source: return nil
        }
    }

    private func nothing(_ name: String) -> SystemAnswer {
        let isKnown = addresses[name] != nil || serviceRecords[name] != nil || namingAuthorityPointers[name] != nil
        return .failed(isKnown ? .noRecords : .noSuchName)
    }
}
