import Engines
import NetTypes
import STUN

extension SessionDescription {
    /// Reads an offer or an answer.
    ///
    /// What it needs is a section that is not rejected, with an ufrag and a password in it or before the first
    /// section. A line that is not understood is left out and told in ``skipped``. SDP that does not trickle is
    /// complete, whether it says so or not (RFC 8838).
    package init(parsing text: String) throws(SignalingError) {
        var parser = SDPParser()
        try parser.read(text)
        self = try parser.description()
    }
}

extension SDPParser {
    mutating func description() throws(SignalingError) -> SessionDescription {
        guard sections.count > 1 else {
            throw SignalingError(
                "the SDP has no m-line, such as m=application 9 UDP/DTLS/SCTP webrtc-datachannel: it may be cut off")
        }
        for index in sections.indices.dropFirst() { nameSection(index) }
        let place = try chooseSection()
        let credentials = try credentials(sections[place])
        var ice = ICEDescription(credentials: credentials)
        ice.candidates = candidates(of: sections[place])
        ice.fingerprints = try fingerprints(sections[place])
        ice.setup = try setup(sections[place])
        let options = sections[0]["ice-options"] + sections[place]["ice-options"]
        ice.trickles = options.contains { $0.value.split(separator: " ").contains("trickle") }
        ice.isComplete = !ice.trickles || has("end-of-candidates", place)
        ice.isLite = has("ice-lite", place)
        ice.pacing = pacing(sections[place])
        if let mismatch = sections[place]["ice-mismatch"].first {
            skip("the other side says a=ice-mismatch: to it ICE is off (RFC 8839 s5.3)", line: mismatch.line)
        }
        let media = sections.compactMap(\.media)
        var description = SessionDescription(
            ice: ice, media: media, section: place - 1, bundle: bundle(with: media[place - 1].mid), sessionID: sessionID
        )
        if skippedCount > skipped.count {
            skipped[skipped.count - 1] = SignalingError("and \(skippedCount - skipped.count + 1) more like these")
        }
        description.skipped = skipped
        return description
    }

    private func has(_ name: String, _ place: Int) -> Bool { sections[0].has(name) || sections[place].has(name) }

    // MARK: Sections

    private mutating func nameSection(_ index: Int) {
        let isBundleOnly = sections[index].has("bundle-only")
        sections[index].media?.isBundleOnly = isBundleOnly
        if let mid = sections[index]["mid"].first {
            if isToken(mid.value) {
                sections[index].media?.mid = mid.value
            } else {
                skip("a mid is 1 to 64 visible characters without spaces (RFC 5888 s4)", line: mid.line)
            }
        }
        var formats: [String] = []
        for name in ["rtpmap", "fmtp"] {
            for line in sections[index][name] where line.value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
                formats.append("\(name):\(line.value)")
            }
        }
        sections[index].media?.formatAttributes = formats
    }

    private func isToken(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// The first accepted section with ICE.
    private func chooseSection() throws(SignalingError) -> Int {
        let accepted = sections.indices.dropFirst().filter { sections[$0].media?.isRejected == false }
        guard let first = accepted.first else {
            throw SignalingError(
                line: sections[1].line,
                "every section is rejected (port 0 in its m-line): there is nothing to connect")
        }
        return accepted.first { sections[$0].has("ice-ufrag") || sections[$0].has("ice-pwd") } ?? first
    }

    /// The mids of the BUNDLE group that `mid` is in.
    private func bundle(with mid: String?) -> [String] {
        guard let mid else { return [] }
        for group in sections[0]["group"] {
            let words = group.value.split(separator: " ").map { String($0) }
            if words.first == "BUNDLE", words.dropFirst().contains(mid) {
                return words.dropFirst().filter(isToken)
            }
        }
        return []
    }

    // MARK: ICE

    private mutating func credentials(_ section: Section) throws(SignalingError) -> ICECredentials {
        let fragment = try iceText("ice-ufrag", 4...256, section)
        let password = try iceText("ice-pwd", 22...256, section)
        guard let credentials = ICECredentials(usernameFragment: fragment, password: password) else {
            throw SignalingError(line: section.line, "this section has no usable ice-ufrag and ice-pwd (RFC 8839 s5.4)")
        }
        return credentials
    }

    /// The value is not quoted: one of the two is a secret.
    private mutating func iceText(
        _ name: String, _ lengths: ClosedRange<Int>, _ section: Section
    ) throws(SignalingError) -> String {
        let found = section.has(name) ? section[name] : sections[0][name]
        guard let first = found.first else {
            throw SignalingError(
                line: section.line,
                "this section has no a=\(name), neither of its own nor before the first m-line: it does without ICE, "
                    + "or the SDP is cut off (RFC 8839 s5.4)")
        }
        let count = first.value.utf8.count
        guard lengths.contains(count), first.value.utf8.allSatisfy(ICECredentials.isICECharacter) else {
            let what = lengths.contains(count) ? "another character" : "\(count) characters"
            throw SignalingError(
                line: first.line,
                "this a=\(name) has \(what): it is \(lengths.lowerBound) to \(lengths.upperBound) letters, digits, '+' "
                    + "and '/' (RFC 8839 s5.4)")
        }
        if let other = found.first(where: { $0.value != first.value }) {
            skip("a second a=\(name) in one section; the first counts", line: other.line)
        }
        return first.value
    }

    private mutating func candidates(of section: Section) -> [Candidate] {
        var candidates: [Candidate] = []
        let limit = ICEConfiguration.mostRemoteCandidates
        for line in section["candidate"] where candidates.count < limit {
            do throws(CandidateError) {
                candidates.append(try Candidate(parsingAttribute: line.value))
            } catch {
                skip("this candidate is left out: \(error)", line: line.line)
            }
        }
        if candidates.count == limit, section.candidateCount > limit {
            skip(
                "the section has \(section.candidateCount) candidates, and the first \(limit) are kept",
                line: section.line)
        }
        return candidates
    }

    private mutating func pacing(_ section: Section) -> Duration? {
        guard let line = sections[0]["ice-pacing"].first ?? section["ice-pacing"].first else { return nil }
        guard (1...10).contains(line.value.utf8.count), line.value.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let milliseconds = Int64(line.value)
        else {
            skip("an ice-pacing is a number of milliseconds (RFC 8839 s5.5)", line: line.line)
            return nil
        }
        return .milliseconds(milliseconds)
    }

    // MARK: DTLS

    /// A fingerprint that is wrong is no reason to do without one: that would be to connect to anyone.
    private mutating func fingerprints(_ section: Section) throws(SignalingError) -> [CertificateFingerprint] {
        let lines = section.has("fingerprint") ? section["fingerprint"] : sections[0]["fingerprint"]
        var fingerprints: [CertificateFingerprint] = []
        var unknown: SignalingError?
        for line in lines {
            do throws(CertificateFingerprint.Problem) {
                let fingerprint = try CertificateFingerprint(parsing: line.value)
                if !fingerprints.contains(fingerprint) { fingerprints.append(fingerprint) }
            } catch {
                guard error.isOfUnknownAlgorithm else { throw SignalingError(line: line.line, error.message) }
                unknown = SignalingError(line: line.line, error.message)
                skip(error.message, line: line.line)
            }
        }
        if fingerprints.isEmpty, let unknown { throw unknown }
        return fingerprints
    }

    private func setup(_ section: Section) throws(SignalingError) -> SetupRole? {
        guard let line = section["setup"].first ?? sections[0]["setup"].first else { return nil }
        guard let setup = SetupRole(rawValue: line.value) else {
            throw SignalingError(
                line: line.line,
                "'a=setup:\(QuotedInput(line.value))' is none: it is actpass, active, passive or holdconn (RFC 4145 s4)"
            )
        }
        return setup
    }
}
