#include "loading.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

// libssl is loaded at the first TLS target and not linked, as libcrypto is: most runs have no such target.
#define COPENSSL_DEFINE(name) __typeof__(name) *o_##name;
COPENSSL_CRYPTO_FUNCTIONS(COPENSSL_DEFINE)
COPENSSL_SSL_FUNCTIONS(COPENSSL_DEFINE)

static pthread_once_t loading = PTHREAD_ONCE_INIT;

static void leave(void) {
    fprintf(stderr, "icecheck: %s; install OpenSSL 3 (on Debian: apt-get install libssl3)\n", dlerror());
    _exit(70);
}

static void *open_library(const char *name) {
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) leave();
    return library;
}

static void *symbol(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (found == NULL) leave();
    return found;
}

static void load(void) {
    void *crypto = open_library("libcrypto.so.3");
    void *ssl = open_library("libssl.so.3");
#define COPENSSL_FIND_CRYPTO(name) o_##name = symbol(crypto, #name);
#define COPENSSL_FIND_SSL(name) o_##name = symbol(ssl, #name);
    COPENSSL_CRYPTO_FUNCTIONS(COPENSSL_FIND_CRYPTO)
    COPENSSL_SSL_FUNCTIONS(COPENSSL_FIND_SSL)
}

void copenssl_load(void) { pthread_once(&loading, load); }

BIO *copenssl_memory(const void *bytes, size_t size) {
    if (bytes == NULL || size > INT_MAX) return NULL;
    return o_BIO_new_mem_buf(bytes, (int)size);
}
