// Between the system's socket addresses and the flat ones; inside this target only.
#ifndef CSYSTEM_ADDRESSES_H
#define CSYSTEM_ADDRESSES_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "csystem.h"

void csys_endpoint_set_ipv4(csys_endpoint *endpoint, const struct in_addr *address, uint16_t port);
void csys_endpoint_set_ipv6(csys_endpoint *endpoint, const struct in6_addr *address, uint16_t port, uint32_t scope);
/// Absent where `address` is of no known family.
void csys_endpoint_set(csys_endpoint *endpoint, const struct sockaddr *address);
/// The length of what was filled; 0 for an absent endpoint.
socklen_t csys_endpoint_fill(const csys_endpoint *endpoint, struct sockaddr_storage *address);

#endif
