import STUN

/// An SDP offer or answer (RFC 8866), as far as ICE and DTLS go (RFC 8839, RFC 8840, RFC 8842, JSEP: RFC 9429 s5).
///
/// ICE runs for one of its media sections: the first that is accepted. The others are kept so that an answer can
/// mirror them.
package struct SessionDescription: Hashable, Sendable {
    /// `type` of `RTCSessionDescriptionInit` (W3C WebRTC s4.3.1).
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case offer, answer
        /// An answer that may be followed by another.
        case provisionalAnswer = "pranswer"
    }

    /// An m-line with what an answer repeats of its section.
    package struct Media: Hashable, Sendable {
        /// `application`, `audio`, `video`.
        package var type = "application"
        /// 9 where the candidates say it, 0 where the section is rejected.
        package var port: UInt16 = 9
        /// `UDP/DTLS/SCTP`.
        package var transportProtocol = "UDP/DTLS/SCTP"
        package var formats = ["webrtc-datachannel"]
        /// `a=mid` (RFC 5888).
        package var mid: String? = "0"
        /// `a=bundle-only`: port 0 is then no rejection (RFC 9143 s6).
        package var isBundleOnly = false
        /// Attribute lines without `a=` that say what RTP's formats are: an answer that takes the section repeats them.
        package var formatAttributes: [String] = []

        package var isRejected: Bool { port == 0 && !isBundleOnly }
        var isDataChannel: Bool { type == "application" }
    }

    package var ice: ICEDescription
    package var media: [Media]
    /// The place in ``media`` of the section that ICE runs for.
    package var section: Int
    /// The mids that share the transport of ``section`` (`a=group:BUNDLE`, RFC 9143); none where there is no group.
    package var bundle: [String]
    /// Of the o-line; 0 where that has no number.
    package var sessionID: UInt64
    /// The lines that were not understood or not wanted, each with its number; at most ``mostSkipped``.
    package var skipped: [SignalingError] = []

    package static let mostSkipped = 32
}

extension SessionDescription {
    /// An offer with one data channel section.
    ///
    /// - Parameter sessionID: any 63-bit number (RFC 9429 s5.2.1).
    package init(offering ice: ICEDescription, sessionID: UInt64) {
        self.init(ice: ice, media: [Media()], section: 0, bundle: ["0"], sessionID: sessionID)
    }

    /// The mid of the section that ICE runs for, as `sdpMid` of a trickled candidate has it.
    package var mid: String? { media.indices.contains(section) ? media[section].mid : nil }

    // MARK: Answers

    /// The answer to this offer: each of its sections once more, all rejected but the one that ICE runs for.
    ///
    /// The setup role of `ice` is replaced by what the offer leaves (RFC 8842 s5.3), or by none where `ice` has no
    /// fingerprint.
    package func answer(_ ice: ICEDescription, sessionID: UInt64) -> SessionDescription {
        var ice = ice
        ice.setup = ice.fingerprints.isEmpty ? nil : (self.ice.setup ?? .active).answer
        var media = media
        for index in media.indices {
            media[index].isBundleOnly = false
            media[index].port = index == section ? 9 : 0
            if index != section { media[index].formatAttributes = [] }
        }
        let bundle = mid.map { self.bundle.contains($0) ? [$0] : [] } ?? []
        return SessionDescription(ice: ice, media: media, section: section, bundle: bundle, sessionID: sessionID)
    }

    /// Throws where this cannot be the answer to `offer`.
    package func check(answering offer: SessionDescription) throws(SignalingError) {
        if ice.credentials == offer.ice.credentials {
            throw SignalingError(
                "this is your own description, not the other side's: give what the other side answered")
        }
        guard media.count == offer.media.count else {
            throw SignalingError(
                "the answer has \(media.count) m= sections and the offer has \(offer.media.count): it answers another "
                    + "offer (RFC 3264 s6)")
        }
        guard section == offer.section else {
            throw SignalingError("the answer rejects the section that was offered (port 0)")
        }
        if let mid, let offered = offer.mid, mid != offered {
            throw SignalingError(
                "the answer's section is a=mid:\(QuotedInput(mid)) and the offer's a=mid:\(QuotedInput(offered)): it answers another offer "
                    + "(RFC 9429 s5.3.1)")
        }
        if ice.setup == .actpass {
            throw SignalingError(
                "an answer says a=setup:active or a=setup:passive, and this says actpass: it may be an offer "
                    + "(RFC 8842 s5.3)")
        }
        if let mine = offer.ice.setup, mine == ice.setup, mine != .holdconn {
            throw SignalingError("both sides say a=setup:\(mine.rawValue): one begins DTLS, the other waits")
        }
    }
}
