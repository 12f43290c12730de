#include "channel.h"

#include <string.h>

/// Of one certificate: more names than any has are an attack on who reads them.
#define MOST_NAMES 200

static copenssl_channel *channel_of(X509_STORE_CTX *store) {
    SSL *ssl = o_X509_STORE_CTX_get_ex_data(store, o_SSL_get_ex_data_X509_STORE_CTX_idx());
    return ssl == NULL ? NULL : o_SSL_get_ex_data(ssl, 0);
}

static int is_ignored(int error) {
    switch (error) {
    // Revocation lists are looked at where they were given, and are not asked for.
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_OK: return 1;
    default: return 0;
    }
}

static void note_fault(copenssl_channel *channel, int error, int depth) {
    for (int index = 0; index < channel->fault_count; index++) {
        if (channel->faults[index].error == error && channel->faults[index].depth == depth) return;
    }
    if (channel->fault_count == COPENSSL_MOST_FAULTS) return;
    channel->faults[channel->fault_count].error = error;
    channel->faults[channel->fault_count].depth = depth;
    channel->fault_count++;
}

/// Goes on after every fault, so that all of them come to light.
static int collect(int is_good, X509_STORE_CTX *store) {
    copenssl_channel *channel = channel_of(store);
    int error = o_X509_STORE_CTX_get_error(store);
    if (!is_good && channel != NULL && !is_ignored(error)) {
        note_fault(channel, error, o_X509_STORE_CTX_get_error_depth(store));
    }
    // While an error stands, OpenSSL does not say that the chain has no trusted root.
    o_X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

void copenssl_free_certificates(copenssl_channel *channel) {
    for (int index = 0; index < channel->certificate_count; index++) o_X509_free(channel->certificates[index]);
    channel->certificate_count = 0;
    o_X509_free(channel->anchor);
    channel->anchor = NULL;
}

static void keep_certificates(copenssl_channel *channel, OPENSSL_STACK *sent, OPENSSL_STACK *built) {
    copenssl_free_certificates(channel);
    for (int index = 0; index < o_OPENSSL_sk_num(sent) && index < COPENSSL_MOST_CERTIFICATES; index++) {
        X509 *certificate = o_OPENSSL_sk_value(sent, index);
        o_X509_up_ref(certificate);
        channel->certificates[channel->certificate_count++] = certificate;
    }
    int count = o_OPENSSL_sk_num(built);
    for (int index = 0; index < channel->fault_count; index++) {
        switch (channel->faults[index].error) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_CERT_CHAIN_TOO_LONG:
        case X509_V_ERR_UNSPECIFIED:
        case X509_V_ERR_CERT_UNTRUSTED: return;
        }
    }
    if (count == 0) return;
    channel->anchor = o_OPENSSL_sk_value(built, count - 1);
    o_X509_up_ref(channel->anchor);
}

/// Reads the system's file of roots where nothing that is known issued any of the chain.
static void read_roots_if_needed(copenssl_channel *channel, X509_STORE_CTX *store) {
    if (!channel->context->has_unread_roots) return;
    OPENSSL_STACK *sent = (OPENSSL_STACK *)o_X509_STORE_CTX_get0_untrusted(store);
    for (int index = 0; index < o_OPENSSL_sk_num(sent) && index < COPENSSL_MOST_CERTIFICATES; index++) {
        X509 *issuer = NULL;
        if (o_X509_STORE_CTX_get1_issuer(&issuer, store, o_OPENSSL_sk_value(sent, index)) == 1) {
            o_X509_free(issuer);
            return;
        }
    }
    channel->context->has_unread_roots = 0;
    (void)o_X509_STORE_set_default_paths(o_SSL_CTX_get_cert_store(channel->context->ssl));
    o_ERR_clear_error();
}

int copenssl_verify(X509_STORE_CTX *store, void *argument) {
    (void)argument;
    copenssl_channel *channel = channel_of(store);
    if (channel == NULL) return 0;
    channel->fault_count = 0;
    read_roots_if_needed(channel, store);
    o_X509_STORE_CTX_set_verify_cb(store, collect);
    o_X509_VERIFY_PARAM_set_auth_level(o_X509_STORE_CTX_get0_param(store), 2);
    if (o_X509_verify_cert(store) <= 0 && channel->fault_count == 0) {
        int error = o_X509_STORE_CTX_get_error(store);
        note_fault(channel, error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error, 0);
    }
    keep_certificates(
        channel, (OPENSSL_STACK *)o_X509_STORE_CTX_get0_untrusted(store),
        (OPENSSL_STACK *)o_X509_STORE_CTX_get0_chain(store));
    // The error chooses the alert that the server is sent.
    o_X509_STORE_CTX_set_error(store, channel->fault_count == 0 ? X509_V_OK : channel->faults[0].error);
    return channel->fault_count == 0 || channel->is_insecure;
}

int copenssl_channel_fault_count(const copenssl_channel *channel) { return channel->fault_count; }

static int fault_of(const copenssl_channel *channel, int error, int depth) {
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return COPENSSL_FAULT_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID: return COPENSSL_FAULT_NOT_YET_VALID;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return COPENSSL_FAULT_WRONG_NAME;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return COPENSSL_FAULT_SELF_SIGNED;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED: return COPENSSL_FAULT_UNKNOWN_ROOT;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        // A self-signed certificate that may not issue is its own missing issuer to OpenSSL.
        if (depth == 0 && channel->certificate_count > 0 && o_X509_self_signed(channel->certificates[0], 0) == 1) {
            return COPENSSL_FAULT_SELF_SIGNED;
        }
        return depth == 0 ? COPENSSL_FAULT_NO_ISSUER : COPENSSL_FAULT_UNKNOWN_ROOT;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL: return COPENSSL_FAULT_WEAK_KEY;
    case X509_V_ERR_CA_MD_TOO_WEAK: return COPENSSL_FAULT_WEAK_HASH;
    case X509_V_ERR_CERT_REVOKED: return COPENSSL_FAULT_REVOKED;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: return COPENSSL_FAULT_CHAIN_TOO_LONG;
    default: return COPENSSL_FAULT_OTHER;
    }
}

int copenssl_channel_fault(const copenssl_channel *channel, int index, int *depth, const char **words) {
    if (index < 0 || index >= channel->fault_count) return 0;
    *depth = channel->faults[index].depth;
    *words = o_X509_verify_cert_error_string(channel->faults[index].error);
    return fault_of(channel, channel->faults[index].error, *depth);
}

int copenssl_channel_certificate_count(const copenssl_channel *channel) { return channel->certificate_count; }
int copenssl_channel_has_anchor(const copenssl_channel *channel) { return channel->anchor != NULL; }

static X509 *certificate(const copenssl_channel *channel, int index) {
    if (index == -1) return channel->anchor;
    return index >= 0 && index < channel->certificate_count ? channel->certificates[index] : NULL;
}

static size_t copy(const void *bytes, size_t count, uint8_t *out, size_t size) {
    if (count > size) count = size;
    if (count > 0) memcpy(out, bytes, count);
    return count;
}

static size_t name_text(const X509_NAME *name, uint8_t *out, size_t size) {
    BIO *memory = name == NULL ? NULL : o_BIO_new(o_BIO_s_mem());
    if (memory == NULL) return 0;
    int count = 0;
    if (o_X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        count = o_BIO_read(memory, out, (int)size);
    }
    o_BIO_free(memory);
    return count > 0 ? (size_t)count : 0;
}

static size_t common_name(const X509_NAME *name, uint8_t *out, size_t size) {
    int place = name == NULL ? -1 : o_X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (place < 0) return 0;
    const ASN1_STRING *text = o_X509_NAME_ENTRY_get_data(o_X509_NAME_get_entry(name, place));
    return copy(o_ASN1_STRING_get0_data(text), (size_t)o_ASN1_STRING_length(text), out, size);
}

static size_t alternative_names(X509 *certificate, uint8_t *out, size_t size) {
    size_t used = 0;
    GENERAL_NAMES *names = o_X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    if (names == NULL) return 0;
    int count = o_OPENSSL_sk_num((OPENSSL_STACK *)names);
    for (int index = 0; index < count && index < MOST_NAMES; index++) {
        const GENERAL_NAME *name = o_OPENSSL_sk_value((OPENSSL_STACK *)names, index);
        const ASN1_STRING *text = name->type == GEN_DNS ? name->d.dNSName
            : name->type == GEN_IPADD                   ? name->d.iPAddress
                                                        : NULL;
        if (text == NULL) continue;
        size_t length = (size_t)o_ASN1_STRING_length(text);
        if (length > 255) length = 255;
        if (used + 2 + length > size) break;
        out[used] = name->type == GEN_DNS ? 'D' : 'I';
        out[used + 1] = (uint8_t)length;
        copy(o_ASN1_STRING_get0_data(text), length, out + used + 2, length);
        used += 2 + length;
    }
    o_GENERAL_NAMES_free(names);
    return used;
}

size_t copenssl_certificate_text(const copenssl_channel *channel, int index, int which, uint8_t *out, size_t size) {
    X509 *found = certificate(channel, index);
    if (found == NULL || size == 0) return 0;
    const char *text = NULL;
    switch (which) {
    case COPENSSL_CERTIFICATE_SUBJECT: return name_text(o_X509_get_subject_name(found), out, size);
    case COPENSSL_CERTIFICATE_ISSUER: return name_text(o_X509_get_issuer_name(found), out, size);
    case COPENSSL_CERTIFICATE_COMMON_NAME: return common_name(o_X509_get_subject_name(found), out, size);
    case COPENSSL_CERTIFICATE_NAMES: return alternative_names(found, out, size);
    case COPENSSL_CERTIFICATE_KEY: {
        EVP_PKEY *key = o_X509_get0_pubkey(found);
        text = key == NULL ? NULL : o_EVP_PKEY_get0_type_name(key);
        break;
    }
    case COPENSSL_CERTIFICATE_SIGNATURE: text = o_OBJ_nid2ln(o_X509_get_signature_nid(found)); break;
    case COPENSSL_CERTIFICATE_FINGERPRINT: {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned count = 0;
        if (o_X509_digest(found, o_EVP_sha256(), digest, &count) != 1) return 0;
        return copy(digest, count, out, size);
    }
    }
    return text == NULL ? 0 : copy(text, strlen(text), out, size);
}

static int64_t seconds_since_1970(const ASN1_TIME *time) {
    ASN1_TIME *epoch = o_ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    if (epoch != NULL && time != NULL) (void)o_ASN1_TIME_diff(&days, &seconds, epoch, time);
    o_ASN1_TIME_free(epoch);
    return (int64_t)days * 86400 + seconds;
}

int64_t copenssl_certificate_number(const copenssl_channel *channel, int index, int which) {
    X509 *found = certificate(channel, index);
    if (found == NULL) return 0;
    switch (which) {
    case COPENSSL_CERTIFICATE_NOT_BEFORE: return seconds_since_1970(o_X509_get0_notBefore(found));
    case COPENSSL_CERTIFICATE_NOT_AFTER: return seconds_since_1970(o_X509_get0_notAfter(found));
    case COPENSSL_CERTIFICATE_KEY_BITS: {
        EVP_PKEY *key = o_X509_get0_pubkey(found);
        return key == NULL ? 0 : o_EVP_PKEY_get_bits(key);
    }
    case COPENSSL_CERTIFICATE_IS_SELF_SIGNED: return o_X509_self_signed(found, 0) == 1;
    default: return 0;
    }
}
