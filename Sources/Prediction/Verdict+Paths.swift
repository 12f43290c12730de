import Diagnosis
import Engines

extension Verdict {
    /// The verdict of predictions: whether each pair of machines, or one with any class of peer, has a path for certain.
    package init(paths: [PathRecord], mesh: Mesh?) {
        let best = paths.map(\.prediction).min { ($0.outcome, $0.rank) < ($1.outcome, $1.rank) }
        if let mesh, mesh.machines > 1 {
            let star = mesh.star.map { $0.none == 0 } ?? true
            self.init(
                isOK: mesh.pairs.none == 0 && star,
                best: mesh.pairs.direct > 0 ? .serverReflexive : mesh.pairs.relayed > 0 ? .relayed : .none,
                summary: Self.summary(mesh), families: [])
        } else if paths.count == 1, let path = paths.first {
            self.init(
                isOK: path.prediction.outcome != .none, best: path.prediction.kind, summary: Self.summary(path),
                families: [])
        } else {
            self.init(
                isOK: best.map { $0.outcome != .none } ?? false, best: best?.kind ?? .none,
                summary: Self.summary(classes: paths), families: [])
        }
    }

    private static func summary(_ mesh: Mesh) -> String {
        let pairs = mesh.pairs
        var sentence =
            "\(Words.count(mesh.machines, "machine")) of \(Words.count(mesh.kinds.count, "kind")): of "
            + "\(Words.count(pairs.count, "pair")) \(pairs.direct) direct, \(pairs.relayed) relayed, \(pairs.none) without "
            + "a path"
        if pairs.uncertain > 0 {
            sentence += "; \(pairs.uncertain) may be better, since not all is known of the machines"
        }
        return sentence + "."
    }

    private static func summary(_ path: PathRecord) -> String {
        var peer = "a peer"
        if case .report(let name) = path.peer { peer = name }
        let between = "between \(path.from ?? "this machine") and \(peer)"
        let prediction = path.prediction
        guard prediction.isCertain else {
            return "The path \(between) is not certain: \(prediction.outcome.rawValue) or \(prediction.best.rawValue)."
        }
        return switch prediction.outcome {
        case .direct: "A direct path \(between)."
        case .relayed: "Only a relayed path \(between)."
        case .none: "No path \(between)."
        }
    }

    private static func summary(classes paths: [PathRecord]) -> String {
        let certain = paths.filter(\.prediction.isCertain)
        func count(_ outcome: PathOutcome) -> Int { certain.count { $0.prediction.outcome == outcome } }
        var sentence =
            "\(paths.first?.from ?? "This machine"), with \(paths.count) classes of peer: \(count(.direct)) direct, "
            + "\(count(.relayed)) relayed, \(count(.none)) without a path"
        if certain.count < paths.count {
            sentence += "; \(paths.count - certain.count) depend on what the report does not say"
        }
        return sentence + "."
    }
}

extension PathPrediction {
    /// Of those that are direct, host candidates go first.
    fileprivate var rank: Int { local?.kind == .host ? 0 : 1 }

    fileprivate var kind: Verdict.Best {
        switch outcome {
        case .direct: local?.kind == .host ? .host : .serverReflexive
        case .relayed: .relayed
        case .none: .none
        }
    }
}
