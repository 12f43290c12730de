/// SDP in the shape that others write it, with addresses of documentation.
enum SDPFixtures {
    static let fingerprint =
        "19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2"

    /// Chromium: an offer of one data channel, gathered, with an mDNS name and a TCP candidate.
    static let chromium = lines(
        "v=0", "o=- 4962303333179871722 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0",
        "a=extmap-allow-mixed", "a=msid-semantic: WMS", "m=application 51372 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 203.0.113.7",
        "a=candidate:1853887674 1 udp 2113937151 1f4712db-ea17-4bcf-a596-105139dfd8bf.local 51372 typ host generation 0 "
            + "network-cost 999",
        "a=candidate:842163049 1 udp 1677729535 203.0.113.7 51372 typ srflx raddr 0.0.0.0 rport 0 generation 0 "
            + "network-cost 999",
        "a=candidate:3160311458 1 tcp 1518214911 192.0.2.5 9 typ host tcptype active generation 0 network-id 1",
        "a=ice-ufrag:EsAw", "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1", "a=ice-options:trickle",
        "a=fingerprint:sha-256 \(fingerprint)", "a=setup:actpass", "a=mid:0", "a=sctp-port:5000",
        "a=max-message-size:262144")

    /// Firefox: fingerprint and trickle before the first section, an end of candidates, `sendrecv` in a data section.
    static let firefox = lines(
        "v=0", "o=mozilla...THIS_IS_SDPARTA-99.0 6341205384930234823 0 IN IP4 0.0.0.0", "s=-", "t=0 0",
        "a=sendrecv", "a=fingerprint:sha-256 \(fingerprint)", "a=group:BUNDLE 0", "a=ice-options:trickle",
        "a=msid-semantic:WMS *", "m=application 45678 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 203.0.113.8",
        "a=candidate:0 1 UDP 2122252543 192.0.2.17 45678 typ host",
        "a=candidate:2 1 TCP 2105524479 192.0.2.17 9 typ host tcptype active",
        "a=candidate:1 1 UDP 1686052863 203.0.113.8 45678 typ srflx raddr 192.0.2.17 rport 45678",
        "a=sendrecv", "a=end-of-candidates", "a=ice-pwd:cf79d51f0ddc7bd1c3a3d0d6a0b57a48", "a=ice-ufrag:a8cd0c5b",
        "a=mid:0", "a=setup:actpass", "a=sctp-port:5000", "a=max-message-size:1073741823")

    /// aiortc: three hashes, candidates inside, no trickle.
    static let aiortc = lines(
        "v=0", "o=- 3890232321 3890232321 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0",
        "a=msid-semantic:WMS *", "m=application 58123 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 192.0.2.31",
        "a=mid:0",
        "a=sctp-port:5000", "a=max-message-size:65536",
        "a=candidate:1c8ca9c5d1cf9d2b8f61fd2d7a08c7cb 1 udp 2130706431 192.0.2.31 58123 typ host",
        "a=candidate:2e24b6ae9de1a0bf6b70d8fd6be71a04 1 udp 2130706431 2001:db8::31 40012 typ host",
        "a=end-of-candidates", "a=ice-ufrag:9sFy", "a=ice-pwd:z5bYrR7fV8pUnLk5ApZXQ2",
        "a=fingerprint:sha-256 \(fingerprint)",
        "a=fingerprint:sha-384 \(fingerprint):\(fingerprint.prefix(47))",
        "a=setup:actpass")

    /// Pion: credentials in each section, fingerprint before them, an `a=ice-options` of its own; the offer of a call:
    /// audio, video and data in one bundle.
    static let pionCall = lines(
        "v=0", "o=- 5218309478651271532 1700000000 IN IP4 0.0.0.0", "s=-", "t=0 0",
        "a=msid-semantic:WMS*", "a=fingerprint:sha-256 \(fingerprint)", "a=extmap-allow-mixed",
        "a=group:BUNDLE audio video 2", "m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "c=IN IP4 0.0.0.0", "a=setup:actpass",
        "a=mid:audio", "a=ice-ufrag:bGvTfCtCwDUgMFGe", "a=ice-pwd:JUSHGLmHPzGXTYiWHiXnZlZqWQmmaTzO", "a=rtcp-mux",
        "a=rtcp-rsize", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1", "a=rtpmap:0 PCMU/8000",
        "a=ssrc:2596996162 cname:pion", "a=sendrecv",
        "a=candidate:233762139 1 udp 2130706431 192.0.2.44 39210 typ host ufrag bGvTfCtCwDUgMFGe",
        "m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=setup:actpass", "a=mid:video",
        "a=ice-ufrag:bGvTfCtCwDUgMFGe", "a=ice-pwd:JUSHGLmHPzGXTYiWHiXnZlZqWQmmaTzO", "a=rtcp-mux",
        "a=rtpmap:96 VP8/90000", "a=sendrecv", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0",
        "a=setup:actpass", "a=mid:2", "a=sendrecv", "a=sctp-port:5000", "a=ice-ufrag:bGvTfCtCwDUgMFGe",
        "a=ice-pwd:JUSHGLmHPzGXTYiWHiXnZlZqWQmmaTzO")

    static let all = [chromium, firefox, aiortc, pionCall]

    static func lines(_ lines: String...) -> String { lines.map { $0 + "\r\n" }.joined() }
}
