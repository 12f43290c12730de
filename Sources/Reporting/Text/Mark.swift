import Diagnosis

/// A mark at the start of a line.
enum Mark {
    case good, bad, warning, note, unknown

    init(_ outcome: STUNResult.Outcome) {
        self =
            switch outcome {
            case .answered: .good
            case .failed: .bad
            case .notMeasured: .unknown
            }
    }

    func text(_ style: RenderingStyle) -> String {
        switch self {
        case .good: style.isUnicode ? "✔" : "ok"
        case .bad: style.isUnicode ? "✘" : "FAIL"
        case .warning: "!"
        case .note: style.isUnicode ? "·" : "-"
        case .unknown: "?"
        }
    }

    var colour: RenderingStyle.Colour? {
        switch self {
        case .good: .green
        case .bad: .red
        case .warning: .yellow
        case .note, .unknown: nil
        }
    }
}
