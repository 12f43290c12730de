#ifndef COPENSSL_CHANNEL_H
#define COPENSSL_CHANNEL_H

#include "copenssl_secure.h"
#include "loading.h"

#define COPENSSL_MOST_FAULTS 32
#define COPENSSL_MOST_CERTIFICATES 16

struct copenssl_context {
    SSL_CTX *ssl;
    int is_server, is_datagram, requires_protocol;
    /// Whether the system's file of roots is trusted and has not been read.
    int has_unread_roots;
    uint8_t *protocols;
    size_t protocols_size;
    uint8_t cookie_secret[32];
    int holders;
};

struct copenssl_channel {
    copenssl_context *context;
    SSL *ssl;
    /// Owned by `ssl`; for DTLS both are the same.
    BIO *incoming, *outgoing;
    uint8_t peer[20];
    size_t peer_size;
    int is_insecure;
    uint32_t retransmission_timeout;
    int alert, reason;
    char reason_text[128];
    struct { int error, depth; } faults[COPENSSL_MOST_FAULTS];
    int fault_count;
    X509 *certificates[COPENSSL_MOST_CERTIFICATES];
    int certificate_count;
    X509 *anchor;
};

/// What libssl calls instead of its own verification: notes every fault, not the first alone.
int copenssl_verify(X509_STORE_CTX *store, void *argument);
void copenssl_free_certificates(copenssl_channel *channel);

#endif
