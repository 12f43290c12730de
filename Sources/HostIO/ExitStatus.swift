/// How icecheck ends. A process can end in no other way, and the manual's section is made of these.
///
/// Those over 64 are those of sysexits.h, and those over 128 a signal's.
package enum ExitStatus: Hashable, Sendable {
    case success
    case negative
    case usage
    case cannotReadInput
    case `internal`
    case cannotWriteOutput
    case signal(Int32)

    package init(isSuccess: Bool) { self = isSuccess ? .success : .negative }

    package var number: Int32 {
        switch self {
        case .success: 0
        case .negative: 1
        case .usage: 64
        case .cannotReadInput: 66
        case .internal: 70
        case .cannotWriteOutput: 74
        case .signal(let number): 128 + number
        }
    }

    /// What it says, for the manual.
    package var meaning: String {
        switch self {
        case .success:
            "What was checked works: every server of stun answered, there is a path, the pasted thing is sound."
        case .negative: "It ran, and the answer is no: no server answered, no path, something malformed."
        case .usage:
            """
            The command line, or a file that it names, is wrong; standard error says where and what the right form is.
            """
        case .cannotReadInput:
            "connect cannot reach the peer: there is no standard input, or the command of --via cannot be started."
        case .internal: "An internal fault, or this machine refuses what icecheck needs."
        case .cannotWriteOutput: "The result could not be written."
        case .signal:
            "Signal n ended it, such as 130 for Ctrl-C; what was measured until then is printed."
        }
    }

    /// Every status, with its number as the manual writes it.
    package static let manual: [(number: String, status: ExitStatus)] =
        [.success, .negative, .usage, .cannotReadInput, .internal, .cannotWriteOutput].map { status in
            ("\(status.number)", status)
        } + [("128+n", .signal(0))]
}
