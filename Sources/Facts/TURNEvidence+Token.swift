import Engines
import NetTypes

extension TURNEvidence.Token {
    /// - Parameter earlier: what an earlier challenge showed; a 438 need not name the server again.
    init(_ challenge: TURNChallenged, after earlier: Self?) {
        self.init(
            serverName: challenge.thirdParty.map(OutsideText.init(bytes:)) ?? earlier?.serverName,
            truncatesKey: challenge.authentication.truncatesKey)
    }
}
