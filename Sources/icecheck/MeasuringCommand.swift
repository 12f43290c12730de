import ArgumentParser
import Planning

/// A command that measures: what was typed decides all that it does.
protocol MeasuringCommand: ParsableCommand {
    var typed: TypedOptions { get }
    var settings: Run.Settings { get }
}

extension MeasuringCommand {
    func run() throws { try Run(Options(typed, from: .system), settings).start() }
}
