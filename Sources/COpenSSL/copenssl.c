#include "copenssl.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

// libcrypto is loaded when the first digest is asked for: loading it takes a millisecond, a fifth of a whole run of
// `icecheck stun`, and most runs need no digest.
#define LIBRARY "libcrypto.so.3"

static __typeof__(EVP_md5) *md5;
static __typeof__(EVP_sha1) *sha1;
static __typeof__(EVP_sha256) *sha256;
static __typeof__(EVP_Digest) *digest;
static __typeof__(HMAC) *hmac;

static pthread_once_t loading = PTHREAD_ONCE_INIT;

/// Without its digests a diagnostic can neither believe nor send anything that is signed, so it ends here, in words.
static void leave(void) {
    fprintf(stderr, "icecheck: %s; install OpenSSL 3 (on Debian: apt-get install libssl3)\n", dlerror());
    _exit(70);
}

static void *symbol(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (found == NULL) leave();
    return found;
}

static void load(void) {
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) leave();
    md5 = symbol(library, "EVP_md5");
    sha1 = symbol(library, "EVP_sha1");
    sha256 = symbol(library, "EVP_sha256");
    digest = symbol(library, "EVP_Digest");
    hmac = symbol(library, "HMAC");
}

static const EVP_MD *message_digest(int algorithm) {
    pthread_once(&loading, load);
    switch (algorithm) {
    case COPENSSL_MD5: return md5();
    case COPENSSL_SHA1: return sha1();
    case COPENSSL_SHA256: return sha256();
    default: return NULL;
    }
}

int copenssl_digest(int algorithm, const uint8_t *data, size_t size, uint8_t *out) {
    const EVP_MD *type = message_digest(algorithm);
    return type != NULL && digest(data, size, out, NULL, type, NULL) == 1;
}

int copenssl_hmac(int algorithm, const uint8_t *key, size_t key_size, const uint8_t *data, size_t size, uint8_t *out) {
    static const uint8_t empty = 0;
    const EVP_MD *type = message_digest(algorithm);
    if (type == NULL) return 0;
    return hmac(type, key_size == 0 ? &empty : key, (int)key_size, data, size, out, NULL) != NULL;
}
