import NetTypes
import Server
import SimNet
import Testing

/// Drives a server without a network: opens what it asks for and keeps what it sends.
final class ServerHarness {
    static let primary = IPAddress(192, 0, 2, 1)
    static let alternate = IPAddress(192, 0, 2, 2)
    static let client = Endpoint(IPAddress(198, 51, 100, 7), 40_000)
    /// Seconds since 1970 at the virtual clock's start.
    static let startedAt: Int64 = 1_800_000_000

    var server: STUNServer
    var now = Instant.zero
    /// What is open, by its number.
    private(set) var paths: [PathID: PathSpecification] = [:]
    private(set) var sent: [Transmit] = []
    private(set) var written: [PathID: [UInt8]] = [:]
    private(set) var closed: Set<PathID> = []
    private(set) var events: [STUNServerEvent] = []
    /// Where opening fails.
    var refusing: Set<Endpoint>
    /// Ports on which opening fails because others have them.
    var portsInUse: Set<UInt16> = []
    private var systemPort: UInt16 = 50_000
    private var accepted: UInt32 = 0x8000_0000

    init(
        _ configuration: STUNServerConfiguration, turn: TURNServerConfiguration? = nil, refusing: Set<Endpoint> = []
    ) {
        server =
            if let turn {
                STUNServer(
                    configuration: configuration, turn: turn, from: now, secondsSince1970: Self.startedAt,
                    random: SeededGenerator(seed: 1))
            } else {
                STUNServer(configuration: configuration)
            }
        self.refusing = refusing
        drain()
    }

    /// A server on the two test addresses, or on the first alone.
    static func started(
        discovery: Bool = true, adjust: (inout STUNServerConfiguration) -> Void = { _ in }
    ) -> ServerHarness {
        var configuration = STUNServerConfiguration(
            addresses: [.init(primary: primary, alternate: discovery ? alternate : nil)], software: "icecheck test")
        adjust(&configuration)
        return ServerHarness(configuration)
    }

    func path(_ kind: PathSpecification.Kind, at endpoint: Endpoint) -> PathID? {
        paths.first { $0.value.kind == kind && $0.value.local == endpoint }?.key
    }

    func handle(_ input: Input) {
        server.handle(input, at: now)
        drain()
    }

    /// Sends one datagram to the server and gives what it sends for it.
    func ask(
        _ bytes: [UInt8], at endpoint: Endpoint = Endpoint(primary, 3478), from source: Endpoint = client
    ) -> [Transmit] {
        path(.datagram, at: endpoint).map { ask(bytes, on: $0, from: source) } ?? []
    }

    func ask(_ bytes: [UInt8], on path: PathID, from source: Endpoint) -> [Transmit] {
        let before = sent.count
        handle(.datagram(Datagram(path: path, source: source, bytes: bytes, arrivedAt: now)))
        return Array(sent[before...])
    }

    func connect(
        from source: Endpoint = client, to endpoint: Endpoint = Endpoint(primary, 3478)
    ) throws -> PathID {
        let listener = try #require(path(.listener, at: endpoint))
        accepted += 1
        let connection = PathID(accepted)
        let kind = StreamEvent.Kind.accepted(by: listener, local: endpoint, remote: source)
        handle(.stream(StreamEvent(path: connection, kind: kind, at: now)))
        return connection
    }

    /// The events about allocations.
    var allocationEvents: [TURNServerEvent] {
        events.compactMap { if case .turn(let event) = $0 { event } else { nil } }
    }

    func send(_ bytes: [UInt8], on path: PathID) {
        handle(.stream(StreamEvent(path: path, kind: .bytes(bytes), at: now)))
    }

    /// Moves the clock to the server's next wake-up, or by `limit` where that comes first.
    func wait(atMost limit: Duration) {
        let end = now + limit
        while let wake = server.nextWake, wake <= end {
            now = max(now, wake)
            handle(.timeout)
        }
        now = end
    }

    /// Forgets what was sent, for tests that send millions.
    func forget() {
        sent.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }

    private func drain() {
        while let output = server.pollOutput(at: now) {
            switch output {
            case .open(let path, let specification): open(path, specification)
            case .transmit(let transmit): sent.append(transmit)
            case .write(let path, let bytes): written[path, default: []] += bytes
            case .close(let path):
                closed.insert(path)
                paths[path] = nil
            case .query: break
            }
        }
        while let event = server.pollEvent() { events.append(event) }
    }

    private func open(_ path: PathID, _ specification: PathSpecification) {
        guard var local = specification.local else { return }
        if refusing.contains(local) || portsInUse.contains(local.port) {
            let kind: PathError.Kind = refusing.contains(local) ? .addressNotAvailable : .addressInUse
            let error = PathError(path: path, kind: kind, origin: .local, destination: nil, isFatal: true)
            server.handle(.pathError(error), at: now)
            return
        }
        if local.port == 0 {
            systemPort += 1
            local.port = systemPort
        }
        var opened = specification
        opened.local = local
        paths[path] = opened
        server.handle(.opened(path, local: local), at: now)
    }
}
