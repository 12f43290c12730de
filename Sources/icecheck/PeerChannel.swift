import Facts
import HostIO
import NetTypes
import Planning
import Reporting
import Session

/// The channel over which `connect` and its peer tell each other of themselves, and what its user hears meanwhile.
struct PeerChannel {
    let ends: ChannelEnds
    let form: ConnectPlan.Form
    /// Whether standard output belongs to the channel: then the peer reports.
    let isQuiet: Bool

    /// How long the command of `--via` may take to end by itself, once the session is over.
    private static let grace = Duration.milliseconds(300)

    func open(on driver: Driver) throws {
        do {
            try driver.adopt(Session.channel, ends)
        } catch {
            throw Failure("the peer cannot be reached: \(error)", status: .cannotReadInput)
        }
    }

    /// Gives the status of the command of `--via`, where there is one and it has ended.
    func close(on driver: Driver, by end: Instant) -> Int32? {
        driver.end(Session.channel, grace: max(.zero, min(Self.grace, end - MonotonicClock.now)))
    }

    /// Says what a person has to do who brings the lines over.
    func say(_ observation: Observation) {
        guard case .connecting(let fact) = observation.fact else { return }
        let isPasted = ends == .standardStreams && !isQuiet
        switch fact {
        case .described where isPasted && form == .line:
            warn("this is this end's line: give it to the other end, and paste the other end's line here")
        case .described where isPasted && form == .sdp(answers: false):
            warn("this is the offer: give it to the other end, and paste its answer here")
        case .phase(.signaling) where isPasted && form == .sdp(answers: true):
            warn("paste the other end's offer here; SDP without JSON around it ends with an empty line")
        case .signalingProblem(let problem): warn(problem)
        default: break
        }
    }

    func warn(_ text: String) {
        // Where standard error is gone, the report is still made.
        try? StandardStream.error.write(Failure.line(text))
    }
}
