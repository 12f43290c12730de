import Facts
import NetTypes
import STUN

/// What one activity found that others may have to follow. What follows is decided in Session+Policy.swift.
enum News: Sendable {
    /// The system has said from where it sends to an endpoint of a server.
    case routed(Observation.ServerIndex, Endpoint, [Transport], source: IPAddress)
    /// A server's name is looked up to its end.
    case lookedUp
    /// A check was answered, so long after it asked.
    case answered(Probe, after: Duration)
    /// A request of a check is over.
    case checked(Probe, isAnswered: Bool)
    /// A check over a connection was answered, and has no more use for the connection.
    case connectionFree(PathID, Probe, after: Duration)
    /// UDP to a server is silent where TCP is answered, with the chance that it is only loss.
    case silenceProven(Probe, risk: Double)
    /// It is time to try TCP.
    case fallbackDue(Probe)
    /// A server answered about the NAT over UDP: what it is asked from `source` elsewhere need not wait longer than this.
    case natAnswered(Endpoint, source: IPAddress, after: Duration, patience: Duration)
    /// A server answered about the NAT over TCP.
    case natAnsweredOverTCP(IPAddress, source: IPAddress)
    /// A discovery has told what it saw.
    case natSeen
    /// An attempt at a relay has its allocation, after a round trip of so long.
    case relayAllocated(Endpoint, source: IPAddress, roundTrip: Duration)
    /// An attempt's relay has carried data both ways.
    case relayProven(ObservedRelay)
    /// An allocation of this run is no more, whatever it was for.
    case relayGone
    /// Both sides have taken their leave, or there is no connection.
    case connectionClosed
}
