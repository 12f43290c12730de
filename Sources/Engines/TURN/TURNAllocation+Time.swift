package import NetTypes
import STUN

extension TURNAllocation {
    /// Takes a wake-up; to be called at ``nextWake`` or later.
    package mutating func handleTimeout(at now: Instant) {
        endSilentTransactions(at: now)
        switch phase {
        case .deleting(let until) where until <= now: finish(.unconfirmed(remainingLifetime(at: now)))
        case .allocated: renew(at: now)
        default: break
        }
    }

    private mutating func endSilentTransactions(at now: Instant) {
        var failed: [(TURNTransaction, TURNFailure)] = []
        transactions = transactions.compactMap { transaction in
            var transaction = transaction
            guard let failure = transaction.handleTimeout(at: now) else { return transaction }
            failed.append((transaction, failure))
            return nil
        }
        for (transaction, failure) in failed where phase != .over { end(transaction, failure, at: now) }
    }

    private mutating func renew(at now: Instant) {
        if let expiresAt, expiresAt <= now {
            events.append(.expired)
            return close()
        }
        if let refreshAt, refreshAt <= now {
            self.refreshAt = nil
            ask(.refresh, isRenewal: true)
        }
        let due = permissions.filter { $0.value.refreshAt.map { $0 <= now } ?? false }.keys.sorted()
        for address in due { permissions[address]?.refreshAt = nil }
        if !due.isEmpty { permit(due, isRenewal: true) }
        for number in channels.keys.sorted() {
            guard let channel = channels[number], let refreshAt = channel.refreshAt, refreshAt <= now else { continue }
            channels[number]?.refreshAt = nil
            bind(number, channel.peer, isRenewal: true)
        }
    }

    /// Ends a request that has failed.
    mutating func end(_ transaction: TURNTransaction, _ failure: TURNFailure, at now: Instant) {
        renewals.remove(transaction.client.id)
        switch transaction.request {
        case .allocate:
            events.append(.failed(.allocate, failure))
            settle(after: failure, at: now)
        case .delete:
            if case .errorResponse(let error) = failure, error.code == 437 { return finish(.absent) }
            events.append(.failed(.delete, failure))
            finish(.unconfirmed(remainingLifetime(at: now)))
        case .refresh:
            events.append(.failed(.refresh, failure))
            // The server knows no such allocation: there is nothing left to delete.
            if case .errorResponse(let error) = failure, error.code == 437, error.isAuthenticated { close() }
        case .permission(let addresses):
            for address in addresses { permissions[address] = nil }
            events.append(.failed(.permission(addresses), failure))
        case .channel(let number, let peer):
            // The number stays the peer's own, so that what comes over it is still known.
            channels[number]?.isBound = false
            channels[number]?.refreshAt = nil
            if permissions[peer.address]?.isInstalled == false { permissions[peer.address] = nil }
            events.append(.failed(.channel(peer), failure))
        case .connect, .connectionBind:
            events.append(.failed(transaction.request.stage, failure))
        }
    }

    /// After an Allocate that failed: where the server may have made one all the same, it is deleted (R06).
    private mutating func settle(after failure: TURNFailure, at now: Instant) {
        let isMade =
            switch failure {
            case .noAnswer, .notAuthenticated, .unusableRelayedAddress, .unknownAttributes, .malformed: mayExist
            default: false
            }
        isMade ? beginDeletion(at: now) : close()
    }
}
