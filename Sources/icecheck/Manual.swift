import HostIO
import JSON
import NetTypes
import Reporting

/// What the manual says and the argument parser does not know: `Scripts/generate` makes its sections of this.
enum Manual {
    static var json: JSONValue {
        [
            "environment": EnvironmentVariable.allCases.jsonArray {
                [
                    "name": .string($0.rawValue), "commands": $0.commands.jsonArray(JSONValue.string),
                    "meaning": .string($0.meaning),
                ]
            },
            "exitStatus": ExitStatus.manual.jsonArray {
                ["number": .string($0.number), "meaning": .string($0.status.meaning)]
            },
        ]
    }
}
