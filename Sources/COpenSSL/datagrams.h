/// A BIO that keeps datagrams apart. OpenSSL's memory BIO joins the records of a flight into one buffer, and its own
/// datagram pair needs 3.2.
#ifndef COPENSSL_DATAGRAMS_H
#define COPENSSL_DATAGRAMS_H

#include "loading.h"

#include <stdint.h>

/// NULL where memory is out.
BIO *copenssl_datagrams_make(void);
/// A datagram from the peer; 0 where too many wait.
int copenssl_datagrams_push(BIO *bio, const uint8_t *bytes, size_t size);
/// The next datagram for the peer; 0 where there is none.
size_t copenssl_datagrams_pop(BIO *bio, uint8_t *out, size_t size);

#endif
