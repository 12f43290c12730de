package import NetTypes
package import STUN

/// Faults that several tests plant.
extension FaultyRelay.Faults {
    package typealias Fits = @Sendable (RelayLog.Request, RelayLog) -> Bool

    /// Signed requests that fit are refused.
    package mutating func refuse(_ code: Int, _ fits: @escaping Fits) {
        judge = { $0.isSigned && fits($0, $1) ? .refused(code) : .served }
    }

    package mutating func refuse(_ method: Method, _ code: Int) {
        refuse(code) { request, _ in request.method == method }
    }

    /// Signed Allocates from the port are refused from which the first one came.
    package mutating func refuseFirstPort(_ code: Int) {
        refuse(code) { request, log in
            request.method == .allocate && request.client == log.requests(.allocate).first(where: \.isSigned)?.client
        }
    }

    /// Requests that fit get no answer.
    package mutating func drop(_ fits: @escaping Fits = { _, _ in true }) {
        judge = { fits($0, $1) ? .dropped : .served }
    }

    package mutating func drop(_ method: Method) { drop { request, _ in request.method == method } }

    /// Unsigned Allocates are sent elsewhere.
    package mutating func redirect(_ targets: [Endpoint: Endpoint], domain: String? = nil) {
        judge = { request, _ in
            guard request.method == .allocate, !request.isSigned, let target = targets[request.server] else {
                return .served
            }
            return .redirected(to: target, domain: domain)
        }
    }

    /// So many allocations may there be on all servers together.
    ///
    /// - Parameter lag: how long those that were deleted still count.
    package mutating func limit(to quota: Int, lag: Duration = .zero) {
        refuse(486) { request, log in
            request.method == .allocate
                && log.left + log.deletions.filter { $0.at + lag > request.at }.count >= quota
        }
    }

    /// What goes these ways is lost.
    package mutating func lose(_ ways: FaultyRelay.Relayed.Way...) {
        carry = { relayed, _ in ways.contains(relayed.way) ? nil : relayed.bytes }
    }

    /// What goes from relay to relay is lost.
    package mutating func loseBetweenRelays(
        _ fits: @escaping @Sendable (_ source: IPAddress, _ destination: IPAddress) -> Bool = { _, _ in true }
    ) {
        carry = { relayed, _ in
            let isLost =
                relayed.way == .toRelay && relayed.source.address != Place.host
                && fits(relayed.source.address, relayed.destination.address)
            return isLost ? nil : relayed.bytes
        }
    }
}
