/// What is fuzzed: each target takes any bytes, and stops the process where a promise about them is broken.
enum FuzzTarget: String, CaseIterable {
    case message, stream, uri, candidate, servers, dissection, sdp, line, json, reports, token, dns, mdns, echo

    /// The function for libFuzzer; it captures nothing, as C has it.
    var body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt {
        switch self {
        case .message: { Self.run(FuzzTargets.message, $0, $1) }
        case .stream: { Self.run(FuzzTargets.stream, $0, $1) }
        case .uri: { Self.run(FuzzTargets.uri, $0, $1) }
        case .candidate: { Self.run(FuzzTargets.candidate, $0, $1) }
        case .servers: { Self.run(FuzzTargets.servers, $0, $1) }
        case .dissection: { Self.run(FuzzTargets.dissection, $0, $1) }
        case .sdp: { Self.run(FuzzTargets.sdp, $0, $1) }
        case .line: { Self.run(FuzzTargets.line, $0, $1) }
        case .json: { Self.run(FuzzTargets.json, $0, $1) }
        case .reports: { Self.run(FuzzTargets.reports, $0, $1) }
        case .token: { Self.run(FuzzTargets.token, $0, $1) }
        case .dns: { Self.run(FuzzTargets.dns, $0, $1) }
        case .mdns: { Self.run(FuzzTargets.mdns, $0, $1) }
        case .echo: { Self.run(FuzzTargets.echo, $0, $1) }
        }
    }

    private static func run(_ target: ([UInt8]) -> Void, _ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        target(Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    }
}
