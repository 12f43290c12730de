import HostIO
import NetTypes
import Planning

extension OptionSources {
    /// Those of this process and this machine.
    static var system: OptionSources {
        OptionSources(
            wallClock: WallClock.secondsSince1970, environment: { Environment.value($0, isNonEmpty: true) },
            file: { name throws(PlanError) in
                do { return try InputFile.read(name) } catch { throw PlanError("\(error)") }
            })
    }
}
