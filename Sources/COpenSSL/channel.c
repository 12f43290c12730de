#include "channel.h"

#include "datagrams.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static void note_alert(const SSL *ssl, int where, int value) {
    copenssl_channel *channel = o_SSL_get_ex_data(ssl, 0);
    if (channel != NULL && (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value & 0xFF) != 0) {
        channel->alert = value & 0xFF;
    }
}

/// Doubles from the first timeout up to 1 s. RFC 6347 s4.2.4.1 allows up to 60 s: whoever waits for the verdict does not.
static unsigned next_timeout(SSL *ssl, unsigned previous) {
    copenssl_channel *channel = o_SSL_get_ex_data(ssl, 0);
    if (previous == 0) return channel->retransmission_timeout;
    return previous >= 500000 ? 1000000 : previous * 2;
}

static int attach_bios(copenssl_channel *channel, uint32_t link_mtu) {
    if (channel->context->is_datagram) {
        channel->incoming = channel->outgoing = copenssl_datagrams_make();
        if (channel->incoming == NULL) return 0;
        o_SSL_set_bio(channel->ssl, channel->incoming, channel->incoming);
        o_SSL_ctrl(channel->ssl, DTLS_CTRL_SET_LINK_MTU, link_mtu, NULL);
        o_DTLS_set_timer_cb(channel->ssl, next_timeout);
        return 1;
    }
    BIO *incoming = o_BIO_new(o_BIO_s_mem());
    BIO *outgoing = o_BIO_new(o_BIO_s_mem());
    if (incoming == NULL || outgoing == NULL) {
        if (incoming != NULL) o_BIO_free(incoming);
        if (outgoing != NULL) o_BIO_free(outgoing);
        return 0;
    }
    // An empty buffer is more to come, not an end.
    o_BIO_ctrl(incoming, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, NULL);
    o_BIO_ctrl(outgoing, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, NULL);
    channel->incoming = incoming;
    channel->outgoing = outgoing;
    o_SSL_set_bio(channel->ssl, incoming, outgoing);
    return 1;
}

static int set_expectations(copenssl_channel *channel, const copenssl_channel_options *options) {
    X509_VERIFY_PARAM *parameters = o_SSL_get0_param(channel->ssl);
    o_X509_VERIFY_PARAM_set_time(parameters, (time_t)options->now);
    o_X509_VERIFY_PARAM_set_depth(parameters, 10);
    // Browsers look at no common name, and at no wildcard inside a label (RFC 9525 s6.3).
    o_X509_VERIFY_PARAM_set_hostflags(
        parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (options->expected_name != NULL) {
        if (o_X509_VERIFY_PARAM_set1_host(parameters, options->expected_name, 0) != 1) return 0;
    } else if (options->expected_address_size > 0) {
        if (o_X509_VERIFY_PARAM_set1_ip(parameters, options->expected_address, options->expected_address_size) != 1) {
            return 0;
        }
    }
    if (options->server_name == NULL) return 1;
    return o_SSL_ctrl(
               channel->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)options->server_name)
        == 1;
}

copenssl_channel *copenssl_channel_make(copenssl_context *context, const copenssl_channel_options *options) {
    copenssl_channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL) return NULL;
    channel->alert = -1;
    channel->context = context;
    context->holders++;
    channel->is_insecure = options->is_insecure;
    channel->retransmission_timeout = options->retransmission_timeout;
    channel->ssl = o_SSL_new(context->ssl);
    if (channel->ssl == NULL) goto failed;
    o_SSL_set_ex_data(channel->ssl, 0, channel);
    o_SSL_set_info_callback(channel->ssl, note_alert);
    if (!attach_bios(channel, options->link_mtu)) goto failed;
    if (context->is_server) {
        o_SSL_set_accept_state(channel->ssl);
    } else {
        if (!set_expectations(channel, options)) goto failed;
        o_SSL_set_connect_state(channel->ssl);
    }
    return channel;
failed:
    o_ERR_clear_error();
    copenssl_channel_free(channel);
    return NULL;
}

void copenssl_channel_free(copenssl_channel *channel) {
    if (channel == NULL) return;
    copenssl_free_certificates(channel);
    o_SSL_free(channel->ssl);
    copenssl_context_free(channel->context);
    free(channel);
}

void copenssl_channel_set_peer(copenssl_channel *channel, const uint8_t *bytes, size_t size) {
    channel->peer_size = size < sizeof channel->peer ? size : sizeof channel->peer;
    if (channel->peer_size > 0) memcpy(channel->peer, bytes, channel->peer_size);
}

/// The least bytes of a record that is encrypted: what the cipher adds to an empty one (RFC 5288 s3, RFC 7905 s2,
/// RFC 6655 s3; block ciphers add more).
static size_t least_record(const copenssl_channel *channel) {
    const SSL_CIPHER *cipher = o_SSL_get_current_cipher(channel->ssl);
    const char *name = cipher == NULL ? NULL : o_SSL_CIPHER_get_name(cipher);
    return name == NULL || strstr(name, "CHACHA20") != NULL || strstr(name, "CCM8") != NULL ? 16 : 24;
}

/// Whether a datagram has an encrypted record that is shorter than any can be, and so is forged. Two of these make
/// OpenSSL 3.0.19 deaf to all that follows.
static int has_impossible_record(const copenssl_channel *channel, const uint8_t *bytes, size_t size) {
    const size_t header = 13;
    while (size >= header) {
        int epoch = bytes[3] << 8 | bytes[4];
        size_t length = (size_t)bytes[11] << 8 | bytes[12];
        if (length > size - header) return 0;
        if (epoch != 0 && length < least_record(channel)) return 1;
        bytes += header + length;
        size -= header + length;
    }
    return 0;
}

int copenssl_channel_receive(copenssl_channel *channel, const uint8_t *bytes, size_t size) {
    if (size == 0 || size > INT_MAX) return size == 0;
    if (channel->context->is_datagram && has_impossible_record(channel, bytes, size)) return 1;
    if (channel->context->is_datagram) return copenssl_datagrams_push(channel->incoming, bytes, size);
    return o_BIO_write(channel->incoming, bytes, (int)size) == (int)size;
}

size_t copenssl_channel_take(copenssl_channel *channel, uint8_t *out, size_t size) {
    if (channel->context->is_datagram) return copenssl_datagrams_pop(channel->outgoing, out, size);
    int count = o_BIO_read(channel->outgoing, out, (int)size);
    return count > 0 ? (size_t)count : 0;
}

static int fail(copenssl_channel *channel) {
    // The first error is the cause, those behind it are what it led to.
    unsigned long error = o_ERR_get_error();
    if (channel->reason == 0 && error != 0) {
        const char *words = o_ERR_reason_error_string(error);
        channel->reason = ERR_GET_REASON(error);
        if (words != NULL) strncpy(channel->reason_text, words, sizeof channel->reason_text - 1);
    }
    o_ERR_clear_error();
    return COPENSSL_FAILED;
}

static int outcome(copenssl_channel *channel, int result) {
    switch (o_SSL_get_error(channel->ssl, result)) {
    case SSL_ERROR_NONE: return COPENSSL_DONE;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return COPENSSL_WAITING;
    case SSL_ERROR_ZERO_RETURN: return COPENSSL_CLOSED;
    default: return fail(channel);
    }
}

int copenssl_channel_listen(copenssl_channel *channel) {
    o_ERR_clear_error();
    // Who the client is, is known without OpenSSL, which wants somewhere to write it all the same.
    BIO_ADDR *client = o_BIO_ADDR_new();
    if (client == NULL) return COPENSSL_FAILED;
    int result = o_DTLSv1_listen(channel->ssl, client);
    o_BIO_ADDR_free(client);
    o_ERR_clear_error();
    return result > 0 ? COPENSSL_DONE : COPENSSL_WAITING;
}

/// Whether DTLS has only discarded a record, such as a forged one (RFC 6347 s4.1.2.7). OpenSSL 3.0.19 gives
/// SSL_ERROR_SYSCALL then and no error; what ends a channel leaves one.
static int has_discarded(copenssl_channel *channel, int result) {
    return channel->context->is_datagram && result <= 0
        && o_SSL_get_error(channel->ssl, result) == SSL_ERROR_SYSCALL && o_ERR_peek_error() == 0;
}

/// More records than one datagram holds.
#define MOST_DISCARDED 8192

int copenssl_channel_handshake(copenssl_channel *channel) {
    for (int tries = 0; tries < MOST_DISCARDED; tries++) {
        o_ERR_clear_error();
        int result = o_SSL_do_handshake(channel->ssl);
        if (!has_discarded(channel, result)) return outcome(channel, result);
    }
    return COPENSSL_WAITING;
}

int copenssl_channel_read(copenssl_channel *channel, uint8_t *out, size_t size) {
    for (int tries = 0; tries < MOST_DISCARDED; tries++) {
        o_ERR_clear_error();
        int count = o_SSL_read(channel->ssl, out, size > INT_MAX ? INT_MAX : (int)size);
        if (count > 0) return count;
        if (!has_discarded(channel, count)) return outcome(channel, count);
    }
    return COPENSSL_WAITING;
}

int copenssl_channel_write(copenssl_channel *channel, const uint8_t *bytes, size_t size) {
    if (size == 0) return COPENSSL_DONE;
    if (size > INT_MAX) return COPENSSL_FAILED;
    o_ERR_clear_error();
    return o_SSL_write(channel->ssl, bytes, (int)size) > 0 ? COPENSSL_DONE : fail(channel);
}

void copenssl_channel_shut_down(copenssl_channel *channel) {
    if (!o_SSL_is_init_finished(channel->ssl)) return;
    o_ERR_clear_error();
    (void)o_SSL_shutdown(channel->ssl);
    o_ERR_clear_error();
}

int64_t copenssl_channel_timeout(copenssl_channel *channel) {
    struct timeval left = {0, 0};
    if (!channel->context->is_datagram) return -1;
    if (o_SSL_ctrl(channel->ssl, DTLS_CTRL_GET_TIMEOUT, 0, &left) != 1) return -1;
    return (int64_t)left.tv_sec * 1000000 + left.tv_usec;
}

int copenssl_channel_handle_timeout(copenssl_channel *channel) {
    if (!channel->context->is_datagram) return 1;
    o_ERR_clear_error();
    if (o_SSL_ctrl(channel->ssl, DTLS_CTRL_HANDLE_TIMEOUT, 0, NULL) >= 0) return 1;
    (void)fail(channel);
    return 0;
}

int copenssl_channel_alert(const copenssl_channel *channel) { return channel->alert; }
int copenssl_channel_reason(const copenssl_channel *channel) { return channel->reason; }

size_t copenssl_channel_text(copenssl_channel *channel, int which, uint8_t *out, size_t size) {
    const char *text = "";
    size_t count = 0;
    switch (which) {
    case COPENSSL_TEXT_VERSION: text = o_SSL_get_version(channel->ssl); break;
    case COPENSSL_TEXT_CIPHER: {
        const SSL_CIPHER *cipher = o_SSL_get_current_cipher(channel->ssl);
        text = cipher == NULL ? "" : o_SSL_CIPHER_get_name(cipher);
        break;
    }
    case COPENSSL_TEXT_PROTOCOL: {
        const unsigned char *protocol = NULL;
        unsigned length = 0;
        o_SSL_get0_alpn_selected(channel->ssl, &protocol, &length);
        count = length < size ? length : size;
        if (count > 0) memcpy(out, protocol, count);
        return count;
    }
    case COPENSSL_TEXT_REASON: text = channel->reason_text; break;
    }
    count = strlen(text);
    if (count > size) count = size;
    memcpy(out, text, count);
    return count;
}

const char *copenssl_alert_name(int alert) {
    copenssl_load();
    return o_SSL_alert_desc_string_long(alert);
}
