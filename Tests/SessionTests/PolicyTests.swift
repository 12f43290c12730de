import Engines
import Facts
import NetTypes
import Planning
import STUN
import SimNet
import TestSupport
import Testing

@testable import Session

/// Who starts or ends whom: each rule of Session+Policy.swift has a row here, and what a row does not name does not
/// happen.
@Suite struct PolicyTests {
    /// What leads up to the moment that a rule is about, or is that moment.
    enum Step: Sendable {
        case news(News)
        /// The system knows no route to any server: all lookups are over.
        case noRoutes
        case input(Input)
        /// So much time goes by.
        case later(Duration)
        case concluded
    }

    struct Rule: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var command = Options.Command.check
        var uris = ["stun:198.51.100.1"]
        var account: RelayAccount?
        var addresses = [Place.host]
        var change: @Sendable (inout Options) -> Void = { _ in }
        var given: [Step] = []
        /// Nil for the beginning of the run.
        var when: Step?
        /// In alphabetical order.
        var effects: [String]
    }

    // MARK: What the rules are about

    private static let other = Endpoint(IPAddress(198, 51, 100, 2), 3478)
    private static let trip = Duration.milliseconds(20)

    private static func routed(
        _ server: Int = 0, to endpoint: Endpoint = Place.server, _ transports: [Transport] = [.udp, .tcp]
    ) -> Step {
        .news(.routed(server, endpoint, transports, source: Place.host))
    }

    private static func probe(
        _ transport: Transport = .udp, _ role: Probe.Role = .primary, to endpoint: Endpoint = Place.server,
        sequence: Int = 0
    ) -> Probe {
        Probe(
            server: 0, serverAddress: endpoint, transport: transport, role: role, source: Place.host, base: nil,
            sequence: sequence)
    }

    private static func answered(_ probe: Probe = probe()) -> Step { .news(.answered(probe, after: trip)) }
    private static func checked(_ probe: Probe = probe(), isAnswered: Bool) -> Step {
        .news(.checked(probe, isAnswered: isAnswered))
    }

    private static let fallbackDue = Step.news(.fallbackDue(probe(.tcp, .fallback)))
    /// The connection of the check that ``fallbackDue`` begins, after the socket of UDP.
    private static let connection = PathID(2)
    @Sendable private static func connecting(_ options: inout Options) {
        options.connect = ConnectPlan(.sdp(answers: false), isLive: true)
    }

    // MARK: The table

    static let rules: [Rule] = [
        // The beginning
        Rule(
            testDescription: "candidates are gathered from the start", command: .candidates,
            effects: ["begins host candidates", "begins lookup"]),
        Rule(
            testDescription: "servers for a Binding need no sockets of their own", command: .stun,
            effects: ["begins lookup"]),
        Rule(
            testDescription: "a connection gathers by itself", command: .connect, change: connecting,
            effects: ["begins connection, resolving", "begins lookup"]),
        Rule(
            testDescription: "a connection without servers waits for no name", command: .connect, uris: [],
            change: connecting, effects: ["begins connection, signaling, NAT known"]),
        Rule(
            testDescription: "a server that the plan leaves out is not looked up", command: .nat,
            uris: ["turns:198.51.100.1"], effects: []),

        // A server's address is known
        Rule(
            testDescription: "a server is asked over UDP, and TCP waits", command: .stun, when: routed(),
            effects: ["begins fallback", "begins primary check over udp"]),
        Rule(
            testDescription: "a relay is asked for over each transport", command: .turn, uris: ["turn:198.51.100.1"],
            account: RelayAccount(), when: routed(0, [.udp]), effects: ["begins relay over udp"]),
        Rule(
            testDescription: "the other bases ask, too", command: .candidates,
            addresses: [Place.host, IPAddress(192, 0, 2, 11)], when: routed(0, [.udp]),
            effects: ["begins primary check over udp", "begins reflexive check over udp"]),
        Rule(
            testDescription: "the NAT is looked at at once", command: .nat, when: routed(),
            effects: ["begins fallback", "begins nat over tcp", "begins nat over udp", "begins primary check over udp"]),
        Rule(
            testDescription: "the lifetime of mappings is searched", command: .nat,
            change: { $0.measuresLifetime = true }, when: routed(0, [.udp]),
            effects: ["begins lifetime", "begins nat over udp", "begins primary check over udp"]),
        Rule(
            testDescription: "another server joins those that are asked about the NAT", command: .nat,
            uris: ["stun:198.51.100.1", "stun:198.51.100.2"], given: [routed()], when: routed(1, to: other),
            effects: [
                "begins fallback", "begins primary check over udp", "changes nat over tcp", "changes nat over udp",
            ]),
        Rule(
            testDescription: "two names of one endpoint are one server to the NAT", command: .nat,
            uris: ["stun:198.51.100.1", "stun:198.51.100.1"], change: { $0.measuresLifetime = true },
            given: [routed(0, [.udp])], when: routed(1, [.udp]),
            effects: ["begins primary check over udp"]),
        Rule(
            testDescription: "no more servers are asked about the NAT than the limit", command: .nat,
            given: (0..<Plan.maximumNATServers).map {
                routed(0, to: Endpoint(IPAddress(198, 51, 100, UInt8($0 + 100)), 3478), [.udp])
            }, when: routed(0, [.udp]), effects: ["begins primary check over udp", "tells of the limit"]),
        Rule(
            testDescription: "a connection learns of a server, and the NAT is looked at", command: .connect,
            change: connecting, when: routed(), effects: ["begins nat over udp", "changes connection, resolving"]),

        // A check is over
        Rule(
            testDescription: "once a server has answered over UDP, the NAT is looked at", when: answered(),
            effects: ["begins nat over tcp", "begins nat over udp", "learns a round trip"]),
        Rule(
            testDescription: "once a server has answered over TCP, its mapping is looked at",
            when: answered(probe(.tcp, .fallback)), effects: ["begins nat over tcp", "learns a round trip"]),
        Rule(
            testDescription: "a server on this machine tells nothing of the NAT",
            when: answered(probe(to: Endpoint(IPAddress(127, 0, 0, 1), 3478))), effects: ["learns a round trip"]),
        Rule(
            testDescription: "the answer to another base begins no discovery", when: answered(probe(.udp, .reflexive)),
            effects: ["learns a round trip"]),
        Rule(
            testDescription: "a later answer of a series begins no discovery", when: answered(probe(sequence: 1)),
            effects: ["learns a round trip"]),
        Rule(
            testDescription: "a base that leads nowhere is waited for no longer than the others need",
            command: .candidates, addresses: [Place.host, IPAddress(192, 0, 2, 11)], given: [routed(0, [.udp])],
            when: answered(), effects: ["changes reflexive check over udp", "learns a round trip"]),
        Rule(
            testDescription: "what connections take is measured by other answers", command: .nat,
            given: [routed(0, [.tcp])], when: answered(probe(.tcp)),
            effects: ["changes nat over tcp", "learns a round trip"]),
        Rule(
            testDescription: "an answer over UDP ends the wait for TCP", given: [routed()],
            when: checked(isAnswered: true), effects: ["ends fallback"]),
        Rule(
            testDescription: "an answer over UDP ends the check over TCP", given: [routed(), fallbackDue],
            when: checked(isAnswered: true),
            effects: ["ends fallback", "ends fallback check over tcp"]),
        Rule(
            testDescription: "without an answer over UDP the wait for TCP is over", given: [routed()],
            when: checked(isAnswered: false), effects: ["changes fallback"]),
        Rule(
            testDescription: "a check over TCP changes nothing of the fallback", given: [routed()],
            when: checked(probe(.tcp), isAnswered: true), effects: []),
        Rule(
            testDescription: "an answer to another base changes nothing of the fallback", given: [routed()],
            when: checked(probe(.udp, .reflexive), isAnswered: true), effects: []),
        Rule(
            testDescription: "an answer of another server changes nothing of the fallback",
            uris: ["stun:198.51.100.1", "stun:198.51.100.2"], given: [routed(1, to: other)],
            when: checked(isAnswered: true), effects: []),
        Rule(
            testDescription: "when it is time, TCP is tried", given: [routed()], when: fallbackDue,
            effects: ["begins fallback check over tcp"]),

        // UDP that is silent
        Rule(
            testDescription: "a connection that was answered serves to test the silence of UDP",
            given: [routed(), fallbackDue],
            when: .news(.connectionFree(connection, probe(.tcp, .fallback), after: trip)),
            effects: ["changes primary check over udp"]),
        Rule(
            testDescription: "without silence over UDP a free connection is closed", given: [fallbackDue],
            when: .news(.connectionFree(PathID(1), probe(.tcp, .fallback), after: trip)),
            effects: ["closes a path"]),
        Rule(
            testDescription: "proven silence ends what the server is asked about the NAT", command: .nat,
            given: [routed(0, [.udp])], when: .news(.silenceProven(probe(), risk: 0.0001)),
            effects: ["changes nat over udp"]),

        // The NAT
        Rule(
            testDescription: "an answer about the NAT shows how long a Binding may take", command: .nat,
            given: [routed(0, [.udp])],
            when: .news(.natAnswered(Place.server, source: Place.host, after: trip, patience: .milliseconds(15))),
            effects: ["changes primary check over udp", "learns a round trip"]),
        Rule(
            testDescription: "an answer about the NAT over TCP ends the wait for TCP", given: [routed()],
            when: .news(.natAnsweredOverTCP(Place.server.address, source: Place.host)), effects: ["changes fallback"]),
        Rule(
            testDescription: "with the last name it is known which servers are asked about the NAT", command: .nat,
            change: { $0.measuresLifetime = true }, given: [routed(0, [.udp])], when: .noRoutes,
            effects: ["changes lifetime", "changes nat over udp", "ends lookup"]),
        Rule(
            testDescription: "with the last name a connection gathers", command: .connect, change: connecting,
            when: .noRoutes, effects: ["changes connection, signaling, NAT known", "ends lookup"]),
        Rule(
            testDescription: "what is seen of the NAT is told to a connection's peer", command: .connect,
            change: connecting, given: [routed(), .noRoutes, .later(.milliseconds(500))], when: .later(.seconds(4)),
            effects: ["changes connection, signaling, NAT known", "ends nat over udp"]),
        Rule(
            testDescription: "while servers may still answer over UDP, more may be asked about the NAT",
            uris: ["stun:198.51.100.1", "stun:198.51.100.2"],
            given: [routed(0, [.udp]), routed(1, to: other, [.udp]), .noRoutes, answered()],
            when: .input(.pathError(PathError(path: PathID(1), kind: .notPermitted, origin: .local, isFatal: true))),
            effects: [
                "changes nat over tcp", "changes nat over udp", "ends primary check over udp",
                "ends primary check over udp",
            ]),
        Rule(
            testDescription: "what looks at TCP hurries when nothing else is under way", command: .nat,
            change: { $0.transports = [.tcp] }, given: [routed(0, [.tcp]), .noRoutes],
            when: .input(
                .pathError(PathError(path: PathID(1), kind: .connectionRefused, origin: .peer, isFatal: true))),
            effects: ["changes nat over tcp", "ends primary check over tcp"]),

        // The end
        Rule(
            testDescription: "what a connection that is over does not need is not waited for", command: .connect,
            change: connecting, given: [routed()], when: .news(.connectionClosed),
            effects: ["changes connection, resolving, NAT known", "ends lookup", "ends nat over udp"]),
        Rule(
            testDescription: "nothing is begun once the run is concluded", given: [.concluded], when: routed(),
            effects: []),
    ]

    @Test(arguments: rules) func ruleHolds(_ rule: Rule) throws {
        var options = Options(command: rule.command, servers: try .init(rule.uris, account: rule.account))
        rule.change(&options)
        let plan = try Plan(options, interfaces: [.ethernet(rule.addresses)])
        var stage = Stage(Session(plan, random: SeededGenerator(seed: 1), from: .zero))
        guard let when = rule.when else {
            #expect(stage.effects(since: Stage.Picture()) == rule.effects)
            return
        }
        for step in rule.given {
            stage.take(step)
            stage.settle()
        }
        let before = stage.picture
        stage.take(when)
        #expect(stage.effects(since: before) == rule.effects)
    }
}

/// A session by itself: its sockets open at once, its connections and its questions wait.
private struct Stage {
    /// What can be seen of a session from within and without.
    struct Picture {
        struct Entry {
            var name: String
            var isOver: Bool
            /// All of its state.
            var state: String
        }

        /// In an order that is the same in all pictures of a session: later ones are added at the end of their kind.
        var kinds: [[Entry]] = []
        var roundTrips: [IPAddress: Duration] = [:]
        var closed: Set<PathID> = []
        var limits = 0
    }

    private var session: Session
    private var queries: [QueryID] = []
    private var closed: Set<PathID> = []
    private var limits = 0
    private var now = Instant.zero

    init(_ session: Session) {
        self.session = session
        settle()
    }

    mutating func take(_ step: PolicyTests.Step) {
        now = now + .milliseconds(10)
        switch step {
        case .news(let news):
            session.desk.news.append(news)
            session.followNews(at: now)
        case .noRoutes:
            for query in queries { session.handle(.answer(query, .failed(.noRoute(errno: 101))), at: now) }
            queries = []
        case .input(let input): session.handle(input, at: now)
        case .later(let time):
            let end = now + time
            while let wake = session.nextWake, wake <= end {
                now = max(now, wake)
                session.handle(.timeout, at: now)
                settle()
            }
            now = end
        case .concluded: session.conclude(.interrupted, at: now)
        }
        // What follows is the policy's; what is sent then is not.
        look()
    }

    mutating func settle() {
        while let output = session.pollOutput(at: now) {
            if case .open(let path, let specification) = output, specification.kind == .datagram {
                session.handle(.opened(path, local: Endpoint(Place.host, 50_000)), at: now)
            }
            note(output)
        }
        look()
    }

    private mutating func note(_ output: Output) {
        switch output {
        case .query(let id, _): queries.append(id)
        case .close(let path): closed.insert(path)
        case .open, .transmit, .write: break
        }
    }

    private mutating func look() {
        while let observation = session.pollEvent() {
            if case .notMeasured(_, let gap) = observation.fact, gap.reason == .limit { limits += 1 }
        }
    }

    var picture: Picture {
        var picture = Picture(roundTrips: session.desk.roundTrips, closed: closed, limits: limits)
        var outputs = session.desk.outputs
        while let output = outputs.popFirst() {
            if case .close(let path) = output { picture.closed.insert(path) }
        }
        func add<A: Activity>(_ kind: A.Type, _ name: (A) -> String) {
            picture.kinds.append(
                session.activities.all(kind).map { activity in
                    var state = ""
                    dump(activity, to: &state)
                    return Picture.Entry(name: name(activity), isOver: activity.isOver, state: state)
                })
        }
        add(BindingCheck.self) { "\($0.probe.role) check over \($0.probe.transport)" }
        add(TCPFallback.self) { _ in "fallback" }
        add(NATCheck.self) { _ in "nat over udp" }
        add(NATStreamCheck.self) { _ in "nat over tcp" }
        add(NATLifetimeSearch.self) { _ in "lifetime" }
        add(RelayCheck.self) { "relay over \($0.evidence.transport)" }
        add(RelayPairing.self) { _ in "relay pairs" }
        add(RelayedNATCheck.self) { _ in "nat through relays" }
        add(HostCandidates.self) { _ in "host candidates" }
        add(ServerLookup.self) { _ in "lookup" }
        add(Connection.self) { "connection, \($0.phase)\($0.hasLearned ? ", NAT known" : "")" }
        return picture
    }

    /// What has happened since, in alphabetical order.
    func effects(since before: Picture) -> [String] {
        let after = picture
        var effects: [String] = []
        for (kind, entries) in after.kinds.enumerated() {
            let former = before.kinds.indices.contains(kind) ? before.kinds[kind] : []
            for (number, entry) in entries.enumerated() {
                guard former.indices.contains(number) else {
                    effects.append("begins \(entry.name)")
                    continue
                }
                if entry.isOver, !former[number].isOver {
                    effects.append("ends \(entry.name)")
                } else if entry.state != former[number].state {
                    effects.append("changes \(entry.name)")
                }
            }
        }
        if after.roundTrips != before.roundTrips { effects.append("learns a round trip") }
        if after.limits > before.limits { effects.append("tells of the limit") }
        // What ends closes its own.
        if !effects.contains(where: { $0.hasPrefix("ends") }), after.closed != before.closed {
            effects.append("closes a path")
        }
        return effects.sorted()
    }
}
