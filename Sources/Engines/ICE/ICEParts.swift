import NetTypes
import STUN

/// A candidate of this side, and how it sends.
struct ICELocal: Sendable {
    /// What carries what it sends; nil for a reflexive candidate, whose base does.
    enum Sender: Hashable, Sendable {
        case socket(PathID)
        /// The place of a relay.
        case relay(Int)
        /// TCP, active: each pair has a connection of its own.
        case connections
        /// TCP, passive: what it accepts.
        case listener
    }

    var candidate: Candidate
    var base: Endpoint
    var sender: Sender?
    var localPreference: UInt16
    /// Whether the peer is told of it.
    var isTold: Bool
    /// A peer-reflexive candidate, which came to light by a check.
    var isLearned = false
}

/// A candidate of the peer's.
struct ICERemote: Sendable {
    var candidate: Candidate
    var endpoint: Endpoint
}

/// What a path is for.
enum ICEPathOwner: Hashable, Sendable {
    /// The host candidate's place, once there is one.
    case base(ICEConfiguration.Base)
    case relay(Int)
    case listener(ICEConfiguration.Base)
    case connection
    /// Asks the link for a name.
    case lookup(String)
}

/// The way that something takes, or came.
struct ICERoute: Hashable, Sendable {
    /// The place of the local candidate that sends.
    var sender: Int
    /// TCP.
    var connection: PathID?
}

/// What goes with a pair, beside its place in the check list.
struct ICELink: Sendable {
    /// TCP: over which it is checked, once it is asked for.
    var connection: PathID?
    /// The check that counts: an earlier one that was called off may still be answered.
    var check: TransactionID?
    /// What the system or ICMP said of its checks, and how often.
    var trouble: (kind: PathError.Kind, from: IPAddress?)?
    var troubles = 0
    /// An error that was not signed, and so may be anyone's.
    var unsignedError: (code: Int, reason: [UInt8])?
}

/// A check under way.
struct ICECheckTransaction: Sendable {
    var turn: CheckList.Turn
    var client: ClientTransaction
    /// The role that it was sent in.
    var role: ICERole
    /// Another check has taken its place: it is not sent again, and its silence says nothing.
    var isCalledOff = false

    var id: TransactionID { client.id }
    var pair: ICEPair.ID { turn.pair }
}

/// A request that came before the peer's credentials.
struct ICEEarlyRequest: Sendable {
    var source: Endpoint
    var route: ICERoute
    var priority: UInt32
    var nominates: Bool
}

/// A Binding request to a STUN server.
struct ICEQuestion: Sendable {
    /// The place of the host candidate that asks.
    var local: Int
    var path: PathID
    var server: Endpoint
    var client: ClientTransaction
    var isOver = false
}
