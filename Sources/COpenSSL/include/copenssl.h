/// OpenSSL's digests as plain functions: bytes in, digest out. Each returns 1, or 0 where OpenSSL failed.
#ifndef COPENSSL_H
#define COPENSSL_H

#include <stddef.h>
#include <stdint.h>

enum { COPENSSL_MD5 = 0, COPENSSL_SHA1 = 1, COPENSSL_SHA256 = 2 };

/// Writes the digest of `size` bytes at `data` to `out` (16, 20 or 32 bytes).
int copenssl_digest(int algorithm, const uint8_t *data, size_t size, uint8_t *out);

/// Writes the HMAC of `size` bytes at `data` to `out` (16, 20 or 32 bytes).
int copenssl_hmac(int algorithm, const uint8_t *key, size_t key_size, const uint8_t *data, size_t size, uint8_t *out);

#endif
