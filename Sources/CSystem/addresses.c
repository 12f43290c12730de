#include "addresses.h"

#include <string.h>

static uint64_t load_big_endian(const uint8_t *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
    return value;
}

static void store_big_endian(uint64_t value, uint8_t *bytes) {
    for (int i = 7; i >= 0; i--, value >>= 8) bytes[i] = (uint8_t)value;
}

void csys_endpoint_set_ipv4(csys_endpoint *endpoint, const struct in_addr *address, uint16_t port) {
    *endpoint = (csys_endpoint){.family = 4, .low = ntohl(address->s_addr), .port = port};
}

void csys_endpoint_set_ipv6(csys_endpoint *endpoint, const struct in6_addr *address, uint16_t port, uint32_t scope) {
    *endpoint = (csys_endpoint){
        .family = 6,
        .high = load_big_endian(address->s6_addr),
        .low = load_big_endian(address->s6_addr + 8),
        .port = port,
        .scope = scope,
    };
}

void csys_endpoint_set(csys_endpoint *endpoint, const struct sockaddr *address) {
    *endpoint = (csys_endpoint){0};
    // Control data and getifaddrs promise no alignment, hence the copies.
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        csys_endpoint_set_ipv4(endpoint, &in.sin_addr, ntohs(in.sin_port));
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        csys_endpoint_set_ipv6(endpoint, &in6.sin6_addr, ntohs(in6.sin6_port), in6.sin6_scope_id);
    }
}

socklen_t csys_endpoint_fill(const csys_endpoint *endpoint, struct sockaddr_storage *address) {
    memset(address, 0, sizeof *address);
    if (endpoint->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)address;
        in->sin_family = AF_INET;
        in->sin_port = htons(endpoint->port);
        in->sin_addr.s_addr = htonl((uint32_t)endpoint->low);
        return sizeof *in;
    }
    if (endpoint->family == 6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(endpoint->port);
        in6->sin6_scope_id = endpoint->scope;
        store_big_endian(endpoint->high, in6->sin6_addr.s6_addr);
        store_big_endian(endpoint->low, in6->sin6_addr.s6_addr + 8);
        return sizeof *in6;
    }
    return 0;
}
