#include "datagrams.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// A flight of the longest chain that is taken (100 KB) is this many datagrams; what comes above it is lost, as
// datagrams may be.
#define MOST_WAITING 128
#define LARGEST 17000

struct datagram {
    struct datagram *next;
    size_t size;
    uint8_t bytes[];
};

struct queue {
    struct datagram *first, *last;
    int count;
};

struct datagrams {
    struct queue incoming, outgoing;
};

static int push(struct queue *queue, const uint8_t *bytes, size_t size) {
    if (queue->count >= MOST_WAITING || size > LARGEST) return 0;
    struct datagram *datagram = malloc(sizeof *datagram + size);
    if (datagram == NULL) return 0;
    datagram->next = NULL;
    datagram->size = size;
    if (size > 0) memcpy(datagram->bytes, bytes, size);
    if (queue->last == NULL) queue->first = datagram; else queue->last->next = datagram;
    queue->last = datagram;
    queue->count++;
    return 1;
}

static size_t pop(struct queue *queue, uint8_t *out, size_t size) {
    struct datagram *datagram = queue->first;
    if (datagram == NULL) return 0;
    size_t count = datagram->size < size ? datagram->size : size;
    memcpy(out, datagram->bytes, count);
    queue->first = datagram->next;
    if (queue->first == NULL) queue->last = NULL;
    queue->count--;
    free(datagram);
    return count;
}

static void clear(struct queue *queue) {
    while (queue->first != NULL) {
        struct datagram *next = queue->first->next;
        free(queue->first);
        queue->first = next;
    }
}

static int bio_create(BIO *bio) {
    struct datagrams *state = calloc(1, sizeof *state);
    if (state == NULL) return 0;
    o_BIO_set_data(bio, state);
    o_BIO_set_init(bio, 1);
    return 1;
}

static int bio_destroy(BIO *bio) {
    struct datagrams *state = bio == NULL ? NULL : o_BIO_get_data(bio);
    if (state == NULL) return 0;
    clear(&state->incoming);
    clear(&state->outgoing);
    free(state);
    o_BIO_set_data(bio, NULL);
    return 1;
}

static int bio_read(BIO *bio, char *out, int size) {
    struct datagrams *state = o_BIO_get_data(bio);
    o_BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
    if (out == NULL || size <= 0) return 0;
    if (state->incoming.first == NULL) {
        o_BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
        return -1;
    }
    return (int)pop(&state->incoming, (uint8_t *)out, (size_t)size);
}

static int bio_write(BIO *bio, const char *bytes, int size) {
    struct datagrams *state = o_BIO_get_data(bio);
    o_BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
    if (bytes == NULL || size <= 0) return 0;
    // What does not fit is lost on the way, and so it counts as sent.
    (void)push(&state->outgoing, (const uint8_t *)bytes, (size_t)size);
    return size;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer) {
    struct datagrams *state = o_BIO_get_data(bio);
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_PENDING: return state->incoming.first == NULL ? 0 : (long)state->incoming.first->size;
    // An IPv6 header and UDP's: the MTU that is set is the packet's.
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: return 48;
    default: return 0;
    }
}

static pthread_once_t making = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

static void make_method(void) {
    BIO_METHOD *made = o_BIO_meth_new(o_BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
    if (made == NULL) return;
    o_BIO_meth_set_create(made, bio_create);
    o_BIO_meth_set_destroy(made, bio_destroy);
    o_BIO_meth_set_read(made, bio_read);
    o_BIO_meth_set_write(made, bio_write);
    o_BIO_meth_set_ctrl(made, bio_ctrl);
    method = made;
}

BIO *copenssl_datagrams_make(void) {
    pthread_once(&making, make_method);
    return method == NULL ? NULL : o_BIO_new(method);
}

int copenssl_datagrams_push(BIO *bio, const uint8_t *bytes, size_t size) {
    struct datagrams *state = o_BIO_get_data(bio);
    return push(&state->incoming, bytes, size);
}

size_t copenssl_datagrams_pop(BIO *bio, uint8_t *out, size_t size) {
    struct datagrams *state = o_BIO_get_data(bio);
    return pop(&state->outgoing, out, size);
}
