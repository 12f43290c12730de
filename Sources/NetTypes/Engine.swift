/// A protocol machine without input or output of its own.
///
/// A driver owns the clock and the sockets. It hands every input to ``handle(_:at:)``, then drains
/// ``pollOutput(at:)`` and ``pollEvent()`` until both give nil, and calls again with ``Input/timeout`` at
/// ``nextWake``. An engine owns no clock, no socket, no random source that was not handed to it, and no log. Input
/// from the network never traps it.
package protocol Engine {
    associatedtype Event: Sendable

    /// Takes one input at the time at which it happened.
    mutating func handle(_ input: Input, at now: Instant)
    /// The next thing for the driver to do, or nil. `now` is when it is about to be done: a transmission is timed
    /// from here, so the driver reads its clock afresh for every poll.
    mutating func pollOutput(at now: Instant) -> Output?
    /// The next thing for the owner to know, or nil.
    mutating func pollEvent() -> Event?
    /// When the engine next wants ``Input/timeout``; nil where it waits for input alone.
    var nextWake: Instant? { get }
    /// Whether the engine has nothing left to do: the driver stops.
    var isFinished: Bool { get }
}

/// A UDP socket, a TCP connection or a TCP listener, by the number that the engine gave it.
package struct PathID: Hashable, Sendable, Codable {
    package var number: UInt32
    package init(_ number: UInt32) { self.number = number }
}

/// Gives each path of an engine its number.
package struct PathNumbers: Sendable {
    private var upcoming: UInt32

    package init(from first: UInt32 = 0) { upcoming = first }

    package mutating func next() -> PathID {
        defer { upcoming += 1 }
        return PathID(upcoming)
    }
}

/// A question to the operating system, by the number that the engine gave it.
package struct QueryID: Hashable, Sendable, Codable {
    package var number: UInt32
    package init(_ number: UInt32) { self.number = number }
}

/// What an engine is told.
package enum Input: Sendable {
    /// A path is ready: the socket is bound, or the connection established.
    case opened(PathID, local: Endpoint)
    case datagram(Datagram)
    /// The kernel's own time at which a datagram left, where it tells: later than the poll that gave it.
    case transmitted(Transmit, at: Instant)
    case pathError(PathError)
    case stream(StreamEvent)
    case answer(QueryID, SystemAnswer)
    case timeout
    /// A path that was asked for with ``PathSpecification/security`` is secured, so long after it was opened.
    case secured(PathID, SecureFacts, after: Duration)
    /// A path could not be secured, or is secure no longer (a fatal alert, a record that is forged; over DTLS a
    /// close_notify as well), and is closed by this.
    case securingFailed(PathID, SecureRefusal, after: Duration)
}

extension Input {
    /// The path that it concerns.
    package var path: PathID? {
        switch self {
        case .opened(let path, _), .secured(let path, _, _), .securingFailed(let path, _, _): path
        case .datagram(let datagram): datagram.path
        case .transmitted(let transmit, _): transmit.path
        case .pathError(let error): error.path
        case .stream(let event): event.path
        case .answer, .timeout: nil
        }
    }
}

/// What an engine asks of its driver.
package enum Output: Sendable {
    case open(PathID, PathSpecification)
    /// A datagram to send now.
    case transmit(Transmit)
    /// Bytes for a connection, in order.
    case write(PathID, [UInt8])
    case close(PathID)
    case query(QueryID, SystemQuery)
}

/// What to open.
package struct PathSpecification: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A UDP socket that stays unconnected, so that an answer from another address is seen.
        case datagram
        /// A TCP connection.
        case connection(to: Endpoint)
        /// A TCP listener: each connection arrives as ``StreamEvent/Kind/accepted(by:)``.
        case listener
    }

    package var kind: Kind
    package var family: IPAddress.Family
    /// Where to bind; nil or port 0 leaves the choice to the system.
    package var local: Endpoint?
    /// The interface to hold the socket to (SO_BINDTODEVICE).
    package var interface: String?
    /// Whether a connection shares its local port with others to other peers: it is closed without leave-taking, so that
    /// nothing holds the port afterwards (TIME-WAIT).
    package var sharesPort: Bool
    /// A multicast group that a UDP socket is a member of on its interface. It shares its port with other members, and
    /// what it sends stays on the link.
    package var group: IPAddress?
    /// TLS or DTLS. ``Input/opened(_:local:)`` comes when the path is open, as without; what is sent before
    /// ``Input/secured(_:_:after:)`` waits for it.
    package var security: PathSecurity?

    package init(
        _ kind: Kind, family: IPAddress.Family, local: Endpoint? = nil, interface: String? = nil,
        sharesPort: Bool = false, group: IPAddress? = nil, security: PathSecurity? = nil
    ) {
        self.kind = kind
        self.family = family
        self.local = local
        self.interface = interface
        self.sharesPort = sharesPort
        self.group = group
        self.security = security
    }
}

/// A datagram to send.
package struct Transmit: Hashable, Sendable {
    package var path: PathID
    package var destination: Endpoint
    package var bytes: [UInt8]

    package init(path: PathID, destination: Endpoint, bytes: [UInt8]) {
        self.path = path
        self.destination = destination
        self.bytes = bytes
    }
}

/// A datagram that arrived.
package struct Datagram: Hashable, Sendable {
    package var path: PathID
    package var source: Endpoint
    /// The local address that it was sent to, where the system tells.
    package var destination: IPAddress?
    package var bytes: [UInt8]
    /// When it arrived: the kernel's stamp where there is one, else when it was read.
    package var arrivedAt: Instant
    /// Whether ``arrivedAt`` is the kernel's stamp.
    package var isKernelTimed: Bool
    /// The time to live or hop limit that was left.
    package var timeToLive: UInt8?

    package init(
        path: PathID, source: Endpoint, destination: IPAddress? = nil, bytes: [UInt8], arrivedAt: Instant,
        isKernelTimed: Bool = false, timeToLive: UInt8? = nil
    ) {
        self.path = path
        self.source = source
        self.destination = destination
        self.bytes = bytes
        self.arrivedAt = arrivedAt
        self.isKernelTimed = isKernelTimed
        self.timeToLive = timeToLive
    }
}

/// What happened on a TCP connection.
package struct StreamEvent: Sendable {
    package enum Kind: Sendable {
        /// A listener took this new connection; the driver chose its number (top bit set).
        case accepted(by: PathID, local: Endpoint, remote: Endpoint)
        case bytes([UInt8])
        /// The peer closed its side in order (FIN).
        case ended
    }

    package var path: PathID
    package var kind: Kind
    package var at: Instant

    package init(path: PathID, kind: Kind, at: Instant) {
        self.path = path
        self.kind = kind
        self.at = at
    }
}
