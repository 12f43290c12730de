import Engines
import Facts
import NetTypes
import STUN

/// What a TCP connection has received.
struct StreamState: Sendable {
    var framer = StreamFramer()
    /// The first bytes, to name a protocol that is not STUN.
    var firstBytes: [UInt8] = []
    var connectStartedAt: Instant?
}

/// A check over TCP or TLS.
extension BindingCheck {
    mutating func connected(_ desk: inout Desk, at now: Instant) {
        guard let path, let local = desk.local(of: path), let request = requests.first,
            let started = stream.connectStartedAt
        else { return }
        desk.observe(.connected(request.index, local: local, after: now - started), at: now)
        write(&desk, at: now)
    }

    /// Sends the newest request.
    mutating func write(_ desk: inout Desk, at now: Instant) {
        guard let path, let place = requests.indices.last else { return }
        requests[place].client.transmitted(at: now)
        desk.observe(.sent(requests[place].index, attempt: 1), at: now)
        desk.outputs.append(.write(path, requests[place].client.request))
    }

    mutating func streamChanged(_ event: StreamEvent, _ desk: inout Desk, at now: Instant) {
        switch event.kind {
        case .accepted: break
        case .bytes(let bytes): received(bytes, &desk, at: event.at, now)
        case .ended:
            guard let request = requests.first else { return }
            end(
                request.client.id, .failed(request.index, streamEnd(request, silence: .closedWithoutAnswer)), &desk,
                at: now)
        }
    }

    private mutating func received(_ bytes: [UInt8], _ desk: inout Desk, at arrivedAt: Instant, _ now: Instant) {
        stream.firstBytes += bytes.prefix(max(0, 64 - stream.firstBytes.count))
        stream.framer.append(bytes)
        while let request = requests.first {
            let frame: StreamFramer.Frame?
            do {
                frame = try stream.framer.next()
            } catch {
                let name = ForeignProtocol.identify(stream.firstBytes)?.name
                let failure = ProbeFailure.foreignProtocol(name: name, firstBytes: stream.firstBytes)
                return end(request.client.id, .failed(request.index, failure), &desk, at: arrivedAt)
            }
            guard let frame else { return }
            guard case .message(let message) = frame else { continue }
            // A message is for the request whose transaction ID it carries, else for the first that waits.
            let id = TransactionID(inMessage: message)
            let place = requests.firstIndex { $0.client.id == id } ?? 0
            guard
                let (reply, trip) = requests[place].client.read(
                    message, from: probe.serverAddress, arrivedAt: arrivedAt)
            else { continue }
            take(reply, trip, at: place, from: probe.serverAddress, isKernelTimed: false, &desk, arrivedAt)
        }
    }

    /// How a connection ended that had no whole answer: `silence` says it where nothing came, or where whole messages
    /// came that were not believed.
    func streamEnd(_ request: Request, silence: ProbeFailure) -> ProbeFailure {
        guard !stream.firstBytes.isEmpty, request.client.ignored.isEmpty else { return silence }
        let pending = stream.framer.pending
        if let name = ForeignProtocol.identify(stream.firstBytes)?.name {
            return .foreignProtocol(name: name, firstBytes: stream.firstBytes)
        }
        return pending.have > 0 ? .truncated(received: pending.have, needed: pending.need) : silence
    }

    /// How a request stands when the run ends before it does.
    func unfinished(_ request: Request, _ desk: Desk) -> ProbeFailure {
        guard isStream else { return .cutShort }
        let isOpening = path.flatMap { desk.paths[$0]?.state.isOpening } ?? false
        return isOpening ? .notConnected : streamEnd(request, silence: .cutShort)
    }
}
