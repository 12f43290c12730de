#include "channel.h"

#include <stdlib.h>
#include <string.h>

static copenssl_channel *channel_of(SSL *ssl) { return o_SSL_get_ex_data(ssl, 0); }

/// The first protocol of ours that the client offers (RFC 7301 s3.2).
static int select_protocol(
    SSL *ssl, const unsigned char **out, unsigned char *out_size, const unsigned char *offered, unsigned offered_size,
    void *argument) {
    copenssl_context *context = argument;
    (void)ssl;
    unsigned char *found = NULL;
    if (o_SSL_select_next_proto(
            &found, out_size, context->protocols, (unsigned)context->protocols_size, offered, offered_size)
        == OPENSSL_NPN_NEGOTIATED) {
        *out = found;
        return SSL_TLSEXT_ERR_OK;
    }
    return context->requires_protocol ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
}

/// The cookie is a MAC of who asked, so that nothing is kept for those who only say that they are somebody
/// (RFC 6347 s4.2.1).
static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned *size) {
    copenssl_channel *channel = channel_of(ssl);
    *size = 32;
    return o_HMAC(
               o_EVP_sha256(), channel->context->cookie_secret, sizeof channel->context->cookie_secret, channel->peer,
               channel->peer_size, cookie, NULL)
        != NULL;
}

static int check_cookie(SSL *ssl, const unsigned char *cookie, unsigned size) {
    unsigned char expected[EVP_MAX_MD_SIZE];
    unsigned expected_size = 0;
    if (!make_cookie(ssl, expected, &expected_size) || size != expected_size) return 0;
    unsigned char difference = 0;
    for (unsigned index = 0; index < size; index++) difference |= cookie[index] ^ expected[index];
    return difference == 0;
}

/// Adds the certificates of a PEM file, and its revocation lists, which are then looked at.
static int add_trusted(X509_STORE *store, const uint8_t *bytes, size_t size) {
    BIO *memory = copenssl_memory(bytes, size);
    STACK_OF(X509_INFO) *stack = memory == NULL ? NULL : o_PEM_X509_INFO_read_bio(memory, NULL, NULL, NULL);
    int count = 0, lists = 0;
    for (int index = 0; stack != NULL && index < o_OPENSSL_sk_num((OPENSSL_STACK *)stack); index++) {
        X509_INFO *info = o_OPENSSL_sk_value((OPENSSL_STACK *)stack, index);
        if (info->x509 != NULL) count += o_X509_STORE_add_cert(store, info->x509) == 1;
        if (info->crl != NULL) lists += o_X509_STORE_add_crl(store, info->crl) == 1;
    }
    if (lists > 0) o_X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    o_OPENSSL_sk_pop_free((OPENSSL_STACK *)stack, (OPENSSL_sk_freefunc)o_X509_INFO_free);
    if (memory != NULL) o_BIO_free(memory);
    return count + lists > 0;
}

static const char *use_credentials(SSL_CTX *ssl, const copenssl_context_options *options) {
    const char *failure = "the file holds no PEM certificate";
    BIO *chain = copenssl_memory(options->chain, options->chain_size);
    BIO *key_bytes = copenssl_memory(options->key, options->key_size);
    X509 *leaf = chain == NULL ? NULL : o_PEM_read_bio_X509(chain, NULL, NULL, NULL);
    // An empty passphrase: OpenSSL must not ask at the terminal.
    EVP_PKEY *key = key_bytes == NULL ? NULL : o_PEM_read_bio_PrivateKey(key_bytes, NULL, NULL, "");
    if (leaf == NULL) goto end;
    failure = "the certificate cannot be used";
    if (o_SSL_CTX_use_certificate(ssl, leaf) != 1) goto end;
    failure = "the file holds no PEM key that can be read without a passphrase";
    if (key == NULL) goto end;
    failure = "the key is not that of the certificate";
    if (o_SSL_CTX_use_PrivateKey(ssl, key) != 1 || o_SSL_CTX_check_private_key(ssl) != 1) goto end;
    failure = NULL;
    for (X509 *next; (next = o_PEM_read_bio_X509(chain, NULL, NULL, NULL)) != NULL;) {
        // The context takes the certificate over.
        if (o_SSL_CTX_ctrl(ssl, SSL_CTRL_EXTRA_CHAIN_CERT, 0, next) != 1) o_X509_free(next);
    }
end:
    o_X509_free(leaf);
    o_EVP_PKEY_free(key);
    if (chain != NULL) o_BIO_free(chain);
    if (key_bytes != NULL) o_BIO_free(key_bytes);
    return failure;
}

static const char *configure(copenssl_context *context, const copenssl_context_options *options) {
    SSL_CTX *ssl = context->ssl;
    int lowest = options->lowest_version != 0 ? options->lowest_version : TLS1_2_VERSION;
    int highest = options->highest_version;
    if (options->is_datagram) lowest = highest = DTLS1_2_VERSION;
    o_SSL_CTX_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, lowest, NULL);
    o_SSL_CTX_ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, highest, NULL);
    // Weak certificates are for the verification to name; the handshake itself keeps to level 1. Before TLS 1.2
    // there is nothing that level 1 takes.
    o_SSL_CTX_set_security_level(ssl, !options->is_datagram && lowest < TLS1_2_VERSION ? 0 : 1);
    const char *ciphers = options->ciphers != NULL ? options->ciphers : "DEFAULT:!aNULL:!eNULL:!3DES:!RC4:!MD5:!PSK:!SRP";
    if (o_SSL_CTX_set_cipher_list(ssl, ciphers) != 1) return "there is no such cipher";
    o_SSL_CTX_set_options(
        ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU
                 | (context->is_server && context->is_datagram && !options->trusts_peer_address
                        ? SSL_OP_COOKIE_EXCHANGE
                        : 0));
    o_SSL_CTX_ctrl(ssl, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, NULL);
    o_SSL_CTX_ctrl(ssl, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, NULL);
    if (context->is_server) {
        o_SSL_CTX_set_num_tickets(ssl, 0);
        if (context->protocols_size > 0) o_SSL_CTX_set_alpn_select_cb(ssl, select_protocol, context);
        if (o_RAND_bytes(context->cookie_secret, sizeof context->cookie_secret) != 1) return "no random bytes";
        o_SSL_CTX_set_cookie_generate_cb(ssl, make_cookie);
        o_SSL_CTX_set_cookie_verify_cb(ssl, check_cookie);
        if (options->requires_client_certificate) {
            o_SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
            o_SSL_CTX_set_cert_verify_callback(ssl, copenssl_verify, NULL);
        }
        return use_credentials(ssl, options);
    }
    if (options->chain_size > 0) {
        const char *failure = use_credentials(ssl, options);
        if (failure != NULL) return failure;
    }
    if (context->protocols_size > 0
        && o_SSL_CTX_set_alpn_protos(ssl, context->protocols, (unsigned)context->protocols_size) != 0) {
        return "the protocols cannot be offered";
    }
    o_SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    o_SSL_CTX_set_cert_verify_callback(ssl, copenssl_verify, NULL);
    X509_STORE *store = o_SSL_CTX_get_cert_store(ssl);
    if (options->uses_system_roots) {
        // The directory is looked into as it is needed. The file with all roots takes 20 to 40 ms to read, and is
        // read where the directory has none that fits.
        X509_LOOKUP *lookup = o_X509_STORE_add_lookup(store, o_X509_LOOKUP_hash_dir());
        if (lookup != NULL) (void)o_X509_LOOKUP_ctrl(lookup, X509_L_ADD_DIR, NULL, X509_FILETYPE_DEFAULT, NULL);
        context->has_unread_roots = 1;
    }
    if (options->trusted_size > 0 && !add_trusted(store, options->trusted, options->trusted_size)) {
        return "the file holds no PEM certificate";
    }
    return NULL;
}

copenssl_context *copenssl_context_make(const copenssl_context_options *options, char *reason) {
    copenssl_load();
    const char *failure = "memory is out";
    copenssl_context *context = calloc(1, sizeof *context);
    if (context == NULL) goto end;
    context->holders = 1;
    context->is_server = options->is_server;
    context->is_datagram = options->is_datagram;
    context->requires_protocol = options->requires_protocol;
    if (options->protocols_size > 0) {
        context->protocols = malloc(options->protocols_size);
        if (context->protocols == NULL) goto end;
        memcpy(context->protocols, options->protocols, options->protocols_size);
        context->protocols_size = options->protocols_size;
    }
    const SSL_METHOD *method = options->is_datagram
        ? (options->is_server ? o_DTLS_server_method() : o_DTLS_client_method())
        : (options->is_server ? o_TLS_server_method() : o_TLS_client_method());
    context->ssl = o_SSL_CTX_new(method);
    if (context->ssl == NULL) goto end;
    failure = configure(context, options);
end:
    o_ERR_clear_error();
    if (failure == NULL) return context;
    strncpy(reason, failure, 255);
    reason[255] = 0;
    copenssl_context_free(context);
    return NULL;
}

void copenssl_context_free(copenssl_context *context) {
    if (context == NULL || --context->holders > 0) return;
    o_SSL_CTX_free(context->ssl);
    free(context->protocols);
    free(context);
}
