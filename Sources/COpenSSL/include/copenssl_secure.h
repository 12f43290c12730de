/// TLS and DTLS as plain functions: bytes in, bytes out, and what the peer's certificates say. No function reads a
/// socket. libssl and libcrypto are loaded when the first context is made; without them the process ends in words.
#ifndef COPENSSL_SECURE_H
#define COPENSSL_SECURE_H

#include <stddef.h>
#include <stdint.h>

typedef struct copenssl_context copenssl_context;
typedef struct copenssl_channel copenssl_channel;

/// What all channels of a context share: the trusted roots, or a server's certificate.
typedef struct {
    int is_server;
    int is_datagram;
    /// The lowest and highest version, as TLS numbers them (0x0303 is TLS 1.2), 0 for the default; not for DTLS,
    /// which is 1.2.
    int lowest_version;
    int highest_version;
    /// An OpenSSL list of ciphers up to TLS 1.2, NULL for the default.
    const char *ciphers;
    /// The protocols (RFC 7301), each behind its length, in the order of preference.
    const uint8_t *protocols;
    size_t protocols_size;
    /// Client: whether the system's roots are trusted, and PEM certificates that are trusted as well, with CRLs.
    int uses_system_roots;
    const uint8_t *trusted;
    size_t trusted_size;
    /// Server, and a client that has one: a PEM chain, leaf first, and its PEM key.
    const uint8_t *chain;
    size_t chain_size;
    const uint8_t *key;
    size_t key_size;
    /// Server: whether a client that offers other protocols only is refused.
    int requires_protocol;
    /// Server: whether a client without a certificate is refused.
    int requires_client_certificate;
    /// DTLS server: whether the client's address is known to be its own, so that no cookie is asked for.
    int trusts_peer_address;
} copenssl_context_options;

/// NULL where `options` cannot be met; `reason` (256 bytes) then says why.
copenssl_context *copenssl_context_make(const copenssl_context_options *options, char *reason);
/// Frees the context when its last channel is freed.
void copenssl_context_free(copenssl_context *context);

typedef struct {
    /// SNI (RFC 6066 s3), NULL for none.
    const char *server_name;
    /// The DNS name that the certificate must have, or the address in 4 or 16 bytes; none of them: not checked.
    const char *expected_name;
    const uint8_t *expected_address;
    size_t expected_address_size;
    /// Whether the handshake goes on whatever the certificate is.
    int is_insecure;
    /// Seconds since 1970 at which the certificates are judged.
    int64_t now;
    /// DTLS: the first retransmission timeout in microseconds, and the bytes of an IP packet.
    uint32_t retransmission_timeout;
    uint32_t link_mtu;
} copenssl_channel_options;

copenssl_channel *copenssl_channel_make(copenssl_context *context, const copenssl_channel_options *options);
void copenssl_channel_free(copenssl_channel *channel);

/// DTLS server: whose cookie is checked, up to 20 bytes.
void copenssl_channel_set_peer(copenssl_channel *channel, const uint8_t *bytes, size_t size);

/// Takes bytes from the peer, for DTLS one datagram. 0 where they do not fit.
int copenssl_channel_receive(copenssl_channel *channel, const uint8_t *bytes, size_t size);
/// Gives bytes for the peer, for DTLS one datagram; 0 where there are none. `size` is at least 17000.
size_t copenssl_channel_take(copenssl_channel *channel, uint8_t *out, size_t size);

typedef enum {
    COPENSSL_DONE = 1,
    COPENSSL_WAITING = 0,
    COPENSSL_CLOSED = -1,
    COPENSSL_FAILED = -2,
} copenssl_outcome;

/// DTLS server before the cookie has come back: done when it has.
int copenssl_channel_listen(copenssl_channel *channel);
int copenssl_channel_handshake(copenssl_channel *channel);
/// Gives the number of plaintext bytes read, or waiting, closed (close_notify) or failed.
int copenssl_channel_read(copenssl_channel *channel, uint8_t *out, size_t size);
/// Gives done or failed.
int copenssl_channel_write(copenssl_channel *channel, const uint8_t *bytes, size_t size);
/// Sends close_notify.
void copenssl_channel_shut_down(copenssl_channel *channel);

/// DTLS: microseconds until the timer wants `copenssl_channel_handle_timeout`, -1 for none.
int64_t copenssl_channel_timeout(copenssl_channel *channel);
/// DTLS: retransmits where the timer is due. 0 where the handshake has been given up.
int copenssl_channel_handle_timeout(copenssl_channel *channel);

/// The alert that the peer sent last, -1 for none.
int copenssl_channel_alert(const copenssl_channel *channel);
/// OpenSSL's reason of the failure, one of the values below or another; 0 for none.
int copenssl_channel_reason(const copenssl_channel *channel);
typedef enum {
    COPENSSL_REASON_VERIFY = 134,
    COPENSSL_REASON_EXCESSIVE_SIZE = 152,
    COPENSSL_REASON_NO_SHARED_CIPHER = 193,
    COPENSSL_REASON_NO_PROTOCOL = 235,
    COPENSSL_REASON_UNSUPPORTED_VERSION = 258,
    COPENSSL_REASON_WRONG_VERSION = 267,
    COPENSSL_REASON_TOO_MANY_TIMEOUTS = 312,
} copenssl_reason;

typedef enum {
    COPENSSL_TEXT_VERSION,
    COPENSSL_TEXT_CIPHER,
    COPENSSL_TEXT_PROTOCOL,
    COPENSSL_TEXT_REASON,
} copenssl_channel_field;
/// Writes a text without a NUL and gives its size, cut to `size`.
size_t copenssl_channel_text(copenssl_channel *channel, int which, uint8_t *out, size_t size);
/// The name of an alert, "unknown" where it has none.
const char *copenssl_alert_name(int alert);

/// What a certificate is refused for; `other` are OpenSSL's own words for the rest.
typedef enum {
    COPENSSL_FAULT_EXPIRED = 1,
    COPENSSL_FAULT_NOT_YET_VALID,
    COPENSSL_FAULT_WRONG_NAME,
    COPENSSL_FAULT_NO_ISSUER,
    COPENSSL_FAULT_SELF_SIGNED,
    COPENSSL_FAULT_UNKNOWN_ROOT,
    COPENSSL_FAULT_WEAK_KEY,
    COPENSSL_FAULT_WEAK_HASH,
    COPENSSL_FAULT_REVOKED,
    COPENSSL_FAULT_CHAIN_TOO_LONG,
    COPENSSL_FAULT_OTHER,
} copenssl_fault;
int copenssl_channel_fault_count(const copenssl_channel *channel);
/// The fault, the place in the chain of the certificate that has it (0 is the leaf), and OpenSSL's words.
int copenssl_channel_fault(const copenssl_channel *channel, int index, int *depth, const char **words);

/// The certificates as the peer sent them, leaf first, up to 16; index -1 is the trusted root that was found.
int copenssl_channel_certificate_count(const copenssl_channel *channel);
/// Whether a trusted root was found.
int copenssl_channel_has_anchor(const copenssl_channel *channel);

typedef enum {
    COPENSSL_CERTIFICATE_SUBJECT,
    COPENSSL_CERTIFICATE_ISSUER,
    COPENSSL_CERTIFICATE_COMMON_NAME,
    COPENSSL_CERTIFICATE_KEY,
    COPENSSL_CERTIFICATE_SIGNATURE,
    COPENSSL_CERTIFICATE_FINGERPRINT,
    /// Each: 'D' or 'I', the length in one byte, the DNS name or the address.
    COPENSSL_CERTIFICATE_NAMES,
} copenssl_certificate_field;
size_t copenssl_certificate_text(const copenssl_channel *channel, int index, int which, uint8_t *out, size_t size);

typedef enum {
    COPENSSL_CERTIFICATE_NOT_BEFORE,
    COPENSSL_CERTIFICATE_NOT_AFTER,
    COPENSSL_CERTIFICATE_KEY_BITS,
    COPENSSL_CERTIFICATE_IS_SELF_SIGNED,
} copenssl_certificate_quantity;
int64_t copenssl_certificate_number(const copenssl_channel *channel, int index, int which);

/// A certificate to make.
typedef struct {
    const char *common_name;
    const char *organization;
    /// `DNS:a.example,IP:192.0.2.1`, NULL for none.
    const char *names;
    int64_t not_before;
    int64_t not_after;
    /// Whether it may issue others.
    int is_authority;
    /// PEM of the issuer's certificate and of its key; NULL for a self-signed one.
    const uint8_t *issuer;
    size_t issuer_size;
    const uint8_t *issuer_key;
    size_t issuer_key_size;
    /// 0 for an ECDSA key on P-256.
    int rsa_bits;
    int uses_sha1;
} copenssl_certificate_request;

/// Writes PEM; the sizes are those of the buffers, and become those of what was written. 0 where OpenSSL failed.
int copenssl_certificate_make(
    const copenssl_certificate_request *request, uint8_t *certificate, size_t *certificate_size, uint8_t *key,
    size_t *key_size);

#endif
