package import NetTypes

/// All that a search for a mapping's lifetime saw from one local address.
///
/// What it means is computed from it alone (``NATLifetimeVerdict``), so a recorded run can be judged again. Times are
/// since the search's start.
package struct NATLifetimeEvidence: Hashable, Sendable, Codable {
    package var source: IPAddress
    /// How long each sample is left idle, in ascending order.
    package var idleTimes: [Duration]
    /// The servers that were asked whether they can be used.
    package var servers: [Server] = []
    /// The server that the samples were taken with, and how; nil where none was fit.
    package var choice: Choice?
    /// One for each idle time, as soon as there is a choice.
    package var samples: [Sample] = []
    package var endedAt: Duration = .zero
    /// Whether the run's end cut it short.
    package var isCutShort = false

    package struct Choice: Hashable, Sendable, Codable {
        /// The place in ``NATLifetimeEvidence/servers``.
        package var server: Int
        package var method: Method
        package var at: Duration
    }

    /// How the end of a mapping shows.
    package enum Method: String, Hashable, Sendable, Codable {
        /// A second socket has the server answer to the mapped port (RFC 5780 s4.6): what does not get in has expired.
        case responsePort = "response-port"
        /// The socket itself asks again: another mapped port than before is a new mapping.
        case sameSocket = "same-socket"
    }

    /// A server, as a socket that is kept fresh and one that asks for it saw it before the samples.
    package struct Server: Hashable, Sendable, Codable {
        package var endpoint: Endpoint
        package var addedAt: Duration
        /// Where the fresh socket is bound.
        package var freshLocal: Endpoint?
        /// Whether one of its sockets could not be opened or used.
        package var hasFailed = false
        package var exchanges: [Exchange] = []
    }

    /// One socket whose mapping is left idle once.
    package struct Sample: Hashable, Sendable, Codable {
        package var local: Endpoint?
        /// Its own requests, until one was answered: the last packet of these is where its idle time starts.
        package var opening: [Exchange] = []
        /// The question whether its mapping lives, with the controls.
        package var test: [Exchange] = []
        /// When anything last came in before it was tested.
        package var lastHeardAt: Duration?
        /// Whether its socket could not be opened or used.
        package var hasFailed = false
    }

    /// One request and what became of it.
    package struct Exchange: Hashable, Sendable, Codable {
        package var kind: Kind
        package var sentAt: Duration
        package var answer: Answer?
        /// An error response, by its code.
        package var errorCode: Int?
        /// Whether the answer came to the socket that asked, where another port was named for it.
        package var hasReturned = false
    }

    package enum Kind: String, Hashable, Sendable, Codable {
        /// From the fresh socket, for an answer to itself.
        case refresh
        /// From the asking socket, for an answer to itself: has it the same external address?
        case introduction
        /// From the asking socket, for an answer to the fresh one.
        case control
        /// From the sample's own socket.
        case own
        /// From the asking socket, for an answer to the sample's.
        case probe
    }

    package struct Answer: Hashable, Sendable, Codable {
        /// Since the request.
        package var after: Duration
        /// The mapped address of the socket that asked.
        package var mappedAddress: Endpoint
        package var isLegacy = false
    }
}

/// The sockets of a search. None does two things, so that no question keeps another's mapping alive.
package enum NATLifetimeSocket: Hashable, Sendable, Codable {
    /// Its mapping towards a server is kept in use: answers to it are the controls.
    case fresh(server: Int)
    /// Asks for answers to others.
    case asker(server: Int)
    case sample(Int)
}
