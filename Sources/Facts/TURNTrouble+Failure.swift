import Engines
import NetTypes
import STUN

extension TURNEvidence.Trouble {
    init(_ place: RelayStage, _ failure: TURNFailure) {
        switch failure {
        case .errorResponse(let response):
            self.init(place, .errorResponse)
            code = response.code
            reason = OutsideText(bytes: response.reason)
            isAuthenticated = response.isAuthenticated
            if !response.unknownAttributes.isEmpty {
                detail = response.unknownAttributes.map(\.description).joined(separator: ", ")
            }
        case .credentialsRefused: self.init(place, .credentialsRefused)
        case .credentialsNeeded: self.init(place, .credentialsNeeded)
        case .realmKeepsChanging(let realms): self.init(place, .realmKeepsChanging, detail: "\(realms.count) realms")
        case .nonceNeverAccepted(let count): self.init(place, .nonceNeverAccepted, detail: "\(count) new nonces")
        case .brokenChallenge(let what): self.init(place, .brokenChallenge, detail: Self.words(what))
        case .possibleDowngrade(let what): self.init(place, .possibleDowngrade, detail: Self.words(what))
        case .noCommonAlgorithm(let numbers):
            self.init(place, .noCommonAlgorithm, detail: numbers.map { "\($0)" }.joined(separator: ", "))
        case .tokenNotTaken: self.init(place, .tokenNotTaken)
        case .notAuthenticated(let discarded, _):
            self.init(place, .notAuthenticated, detail: "\(discarded) answers")
        case .noAnswer(let transmissions): self.init(place, .noAnswer, detail: "\(transmissions)")
        case .redirected(let redirect):
            self.init(place, .redirected, detail: "to \(redirect.server.map(\.description) ?? "nowhere")")
            isAuthenticated = redirect.isAuthenticated
        case .unusableRelayedAddress(let addresses):
            let words = addresses.map { "\($0.address.map(\.description) ?? "none") (\(Self.words($0.reason)))" }
            self.init(place, .unusableRelayedAddress, detail: words.joined(separator: ", "))
            unusable = addresses
        case .unknownAttributes(let types):
            self.init(place, .unknownAttributes, detail: types.map(\.description).joined(separator: ", "))
        case .malformed(let why): self.init(place, .malformed, detail: why)
        }
    }

    /// A redirect that was not followed.
    init(_ redirect: TURNRedirect, refused refusal: RedirectPolicy.Refusal) {
        self.init(.allocate, .redirected)
        code = 300
        isAuthenticated = redirect.isAuthenticated
        detail = (redirect.server.map { "to \($0), " } ?? "") + Self.words(refusal)
    }

    private static func words(_ refusal: RedirectPolicy.Refusal) -> String {
        switch refusal {
        case .disabled: "which the options do not follow"
        case .noAddress: "without a usable ALTERNATE-SERVER"
        case .portZero: "whose port 0 is none"
        case .tooManyHops: "after \(RedirectPolicy.maximumHops) redirects already"
        case .alreadyVisited: "which was asked before: they go in a circle"
        case .otherFamily: "which is of another address family than the server"
        case .noHost(let realm): "which no host can have (\(realm.rawValue))"
        case .notGlobal(let realm): "which is not public (\(realm.rawValue)), as the server is"
        }
    }

    private static func words(_ challenge: TURNBrokenChallenge) -> String {
        switch challenge {
        case .missing(let type): "\(type) is missing"
        case .unusable(let error): "\(error)"
        case .malformed(let why): why
        }
    }

    private static func words(_ downgrade: TURNDowngrade) -> String {
        switch downgrade {
        case .passwordAlgorithmsMissing: "the nonce says that PASSWORD-ALGORITHMS is sent, and it is missing"
        case .algorithmsWeakened: "the realm named a stronger password algorithm before"
        case .usernameAnonymityGone: "the realm took USERHASH before"
        }
    }

    private static func words(_ reason: TURNUnusableAddress.Reason) -> String {
        switch reason {
        case .missing: "it is missing"
        case .malformed: "malformed"
        case .portZero: "port 0"
        case .noHost(let realm), .notGlobal(let realm): realm.rawValue
        case .wrongFamily: "not of the family that was asked for"
        }
    }
}
