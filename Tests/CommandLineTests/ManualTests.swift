import HostIO
import NetTypes
import Testing

@testable import icecheck

@Suite struct ManualTests {
    @Test func eachStatusHasItsOwnNumberAndMeaning() {
        #expect(Set(ExitStatus.manual.map(\.number)).count == ExitStatus.manual.count)
        #expect(Set(ExitStatus.manual.map(\.status.meaning)).count == ExitStatus.manual.count)
        #expect(ExitStatus.manual.map(\.number) == ["0", "1", "64", "66", "70", "74", "128+n"])
    }

    /// The commands that a variable is declared for exist.
    @Test func theCommandsOfVariablesExist() {
        let names = Set(Icecheck.commandNames + ["turn credentials"])
        for variable in EnvironmentVariable.allCases {
            #expect(names.isSuperset(of: variable.commands), "\(variable.rawValue)")
        }
    }
}
