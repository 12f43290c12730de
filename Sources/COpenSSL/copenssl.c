#include "copenssl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static const EVP_MD *message_digest(int algorithm) {
    switch (algorithm) {
    case COPENSSL_MD5: return EVP_md5();
    case COPENSSL_SHA1: return EVP_sha1();
    case COPENSSL_SHA256: return EVP_sha256();
    default: return NULL;
    }
}

int copenssl_digest(int algorithm, const uint8_t *data, size_t size, uint8_t *out) {
    const EVP_MD *digest = message_digest(algorithm);
    return digest != NULL && EVP_Digest(data, size, out, NULL, digest, NULL) == 1;
}

int copenssl_hmac(int algorithm, const uint8_t *key, size_t key_size, const uint8_t *data, size_t size, uint8_t *out) {
    static const uint8_t empty = 0;
    const EVP_MD *digest = message_digest(algorithm);
    if (digest == NULL) return 0;
    return HMAC(digest, key_size == 0 ? &empty : key, (int)key_size, data, size, out, NULL) != NULL;
}
