#include "copenssl_secure.h"
#include "loading.h"

static int add_extension(X509 *certificate, X509 *issuer, int kind, const char *value) {
    X509V3_CTX context;
    o_X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    context.db = NULL;
    X509_EXTENSION *extension = o_X509V3_EXT_conf_nid(NULL, &context, kind, value);
    if (extension == NULL) return 0;
    int result = o_X509_add_ext(certificate, extension, -1);
    o_X509_EXTENSION_free(extension);
    return result == 1;
}

static int set_subject(X509 *certificate, const copenssl_certificate_request *request) {
    X509_NAME *name = o_X509_get_subject_name(certificate);
    if (request->organization != NULL
        && o_X509_NAME_add_entry_by_txt(
               name, "O", MBSTRING_UTF8, (const unsigned char *)request->organization, -1, -1, 0)
            != 1) {
        return 0;
    }
    return o_X509_NAME_add_entry_by_txt(
               name, "CN", MBSTRING_UTF8, (const unsigned char *)request->common_name, -1, -1, 0)
        == 1;
}

static int fill(X509 *certificate, EVP_PKEY *key, X509 *issuer, const copenssl_certificate_request *request) {
    unsigned char serial[8];
    uint64_t number = 0;
    if (o_RAND_bytes(serial, sizeof serial) != 1) return 0;
    for (unsigned index = 0; index < sizeof serial; index++) number = number << 8 | serial[index];
    // RFC 5280 s4.1.2.2: positive.
    number = (number >> 1) | 1;
    return o_X509_set_version(certificate, 2) == 1
        && o_ASN1_INTEGER_set_uint64(o_X509_get_serialNumber(certificate), number) == 1
        && o_ASN1_TIME_set(o_X509_getm_notBefore(certificate), (time_t)request->not_before) != NULL
        && o_ASN1_TIME_set(o_X509_getm_notAfter(certificate), (time_t)request->not_after) != NULL
        && set_subject(certificate, request)
        && o_X509_set_issuer_name(certificate, o_X509_get_subject_name(issuer)) == 1
        && o_X509_set_pubkey(certificate, key) == 1
        && add_extension(
               certificate, issuer, NID_basic_constraints, request->is_authority ? "critical,CA:TRUE" : "CA:FALSE")
        && add_extension(
               certificate, issuer, NID_key_usage,
               request->is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature,keyEncipherment")
        && (request->is_authority || add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth"))
        && add_extension(certificate, issuer, NID_subject_key_identifier, "hash")
        && (request->names == NULL || add_extension(certificate, issuer, NID_subject_alt_name, request->names));
}

/// Writes what `memory` holds; 0 where it does not fit.
static int give(BIO *memory, uint8_t *out, size_t *size) {
    int count = o_BIO_read(memory, out, (int)*size);
    if (count <= 0 || o_BIO_ctrl(memory, BIO_CTRL_PENDING, 0, NULL) > 0) return 0;
    *size = (size_t)count;
    return 1;
}

int copenssl_certificate_make(
    const copenssl_certificate_request *request, uint8_t *certificate, size_t *certificate_size, uint8_t *key,
    size_t *key_size) {
    copenssl_load();
    int is_done = 0;
    BIO *issuer_bytes = copenssl_memory(request->issuer, request->issuer_size);
    BIO *issuer_key_bytes = copenssl_memory(request->issuer_key, request->issuer_key_size);
    BIO *memory = o_BIO_new(o_BIO_s_mem());
    BIO *key_memory = o_BIO_new(o_BIO_s_mem());
    X509 *issuer = issuer_bytes == NULL ? NULL : o_PEM_read_bio_X509(issuer_bytes, NULL, NULL, NULL);
    EVP_PKEY *issuer_key =
        issuer_key_bytes == NULL ? NULL : o_PEM_read_bio_PrivateKey(issuer_key_bytes, NULL, NULL, "");
    EVP_PKEY *own_key = request->rsa_bits > 0 ? o_EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)request->rsa_bits)
                                              : o_EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *made = o_X509_new();
    int has_issuer = request->issuer != NULL;
    if (memory == NULL || key_memory == NULL || own_key == NULL || made == NULL) goto end;
    if (has_issuer && (issuer == NULL || issuer_key == NULL)) goto end;
    if (!fill(made, own_key, has_issuer ? issuer : made, request)) goto end;
    if (o_X509_sign(made, has_issuer ? issuer_key : own_key, request->uses_sha1 ? o_EVP_sha1() : o_EVP_sha256()) <= 0) {
        goto end;
    }
    is_done = o_PEM_write_bio_X509(memory, made) == 1
        && o_PEM_write_bio_PrivateKey(key_memory, own_key, NULL, NULL, 0, NULL, NULL) == 1
        && give(memory, certificate, certificate_size) && give(key_memory, key, key_size);
end:
    o_X509_free(made);
    o_X509_free(issuer);
    o_EVP_PKEY_free(own_key);
    o_EVP_PKEY_free(issuer_key);
    BIO *bios[] = {issuer_bytes, issuer_key_bytes, memory, key_memory};
    for (int index = 0; index < 4; index++) {
        if (bios[index] != NULL) o_BIO_free(bios[index]);
    }
    o_ERR_clear_error();
    return is_done;
}
