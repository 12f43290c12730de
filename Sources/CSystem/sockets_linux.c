#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "addresses.h"

static int set_option(int descriptor, int level, int option, int value) {
    return setsockopt(descriptor, level, option, &value, sizeof value) == 0 ? 0 : -errno;
}

static int fail(int descriptor) {
    int error = errno;
    close(descriptor);
    return -error;
}

static int open_socket(uint8_t family, int type, const char *interface) {
    int descriptor = socket(family == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    if (family == 6 && set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0) return fail(descriptor);
    if (interface != NULL
        && setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface) + 1) != 0) {
        return fail(descriptor);
    }
    return descriptor;
}

static int bind_socket(int descriptor, const csys_endpoint *local) {
    struct sockaddr_storage address;
    socklen_t length = csys_endpoint_fill(local, &address);
    return bind(descriptor, (struct sockaddr *)&address, length);
}

// What is missing on an old kernel is missing in the datagram's description; a socket without it still works.
static void ask_for_control_data(int descriptor, uint8_t family) {
    if (family == 4) {
        set_option(descriptor, IPPROTO_IP, IP_RECVERR, 1);
        set_option(descriptor, IPPROTO_IP, IP_RECVTTL, 1);
        set_option(descriptor, IPPROTO_IP, IP_PKTINFO, 1);
    } else {
        set_option(descriptor, IPPROTO_IPV6, IPV6_RECVERR, 1);
        set_option(descriptor, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
        set_option(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    }
    set_option(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    set_option(descriptor, SOL_SOCKET, SO_TIMESTAMPING,
               SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID
                   | SOF_TIMESTAMPING_OPT_TSONLY);
    // A flood from one server must not push out another's answer; the kernel holds this to its own limit.
    set_option(descriptor, SOL_SOCKET, SO_RCVBUF, 1 << 20);
}

int csys_open_datagram(const csys_endpoint *local, const char *interface) {
    int descriptor = open_socket(local->family, SOCK_DGRAM, interface);
    if (descriptor < 0) return descriptor;
    ask_for_control_data(descriptor, local->family);
    if (bind_socket(descriptor, local) != 0) return fail(descriptor);
    return descriptor;
}

int csys_open_group(const csys_endpoint *group, const csys_endpoint *own, const char *interface) {
    int descriptor = open_socket(group->family, SOCK_DGRAM, interface);
    if (descriptor < 0) return descriptor;
    ask_for_control_data(descriptor, group->family);
    // Other responders of the machine have the port as well.
    if (set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) < 0) return fail(descriptor);
    csys_endpoint wildcard = {.family = group->family, .port = group->port};
    if (bind_socket(descriptor, &wildcard) != 0) return fail(descriptor);
    struct sockaddr_storage group_address, own_address;
    csys_endpoint_fill(group, &group_address);
    csys_endpoint_fill(own, &own_address);
    if (group->family == 4) {
        struct ip_mreqn request = {
            .imr_multiaddr = ((struct sockaddr_in *)&group_address)->sin_addr,
            .imr_address = ((struct sockaddr_in *)&own_address)->sin_addr,
            .imr_ifindex = interface ? (int)if_nametoindex(interface) : 0,
        };
        if (setsockopt(descriptor, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) != 0
            || setsockopt(descriptor, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) != 0) {
            return fail(descriptor);
        }
        set_option(descriptor, IPPROTO_IP, IP_MULTICAST_TTL, 255);
    } else {
        unsigned index = interface ? if_nametoindex(interface) : 0;
        struct ipv6_mreq request = {
            .ipv6mr_multiaddr = ((struct sockaddr_in6 *)&group_address)->sin6_addr, .ipv6mr_interface = index};
        if (setsockopt(descriptor, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) != 0
            || setsockopt(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index) != 0) {
            return fail(descriptor);
        }
        set_option(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255);
    }
    return descriptor;
}

int csys_open_connection(const csys_endpoint *remote, const csys_endpoint *local, const char *interface,
                         bool shares_port) {
    int descriptor = open_socket(remote->family, SOCK_STREAM, interface);
    if (descriptor < 0) return descriptor;
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    if (shares_port) {
        const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        if (set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) < 0
            || setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) != 0) {
            return fail(descriptor);
        }
    }
    // The error queue then names the router that refused the SYN (Linux 5.9).
    if (remote->family == 4) set_option(descriptor, IPPROTO_IP, IP_RECVERR, 1);
    else set_option(descriptor, IPPROTO_IPV6, IPV6_RECVERR, 1);
    if (local->family != 0 && bind_socket(descriptor, local) != 0) return fail(descriptor);
    struct sockaddr_storage address;
    socklen_t length = csys_endpoint_fill(remote, &address);
    if (connect(descriptor, (struct sockaddr *)&address, length) != 0 && errno != EINPROGRESS) return fail(descriptor);
    return descriptor;
}

int csys_open_listener(const csys_endpoint *local, const char *interface) {
    int descriptor = open_socket(local->family, SOCK_STREAM, interface);
    if (descriptor < 0) return descriptor;
    // A server that is started again must not wait for its old connections' TIME-WAIT.
    set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind_socket(descriptor, local) != 0 || listen(descriptor, SOMAXCONN) != 0) return fail(descriptor);
    return descriptor;
}

int csys_accept(int listener, csys_endpoint *remote) {
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    int descriptor = accept4(listener, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return -errno;
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    csys_endpoint_set(remote, (struct sockaddr *)&address);
    return descriptor;
}

int csys_local_endpoint(int descriptor, csys_endpoint *local) {
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) return -errno;
    csys_endpoint_set(local, (struct sockaddr *)&address);
    return 0;
}

int csys_pending_error(int descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

int csys_ignore_icmp(int descriptor) {
    int first = set_option(descriptor, IPPROTO_IP, IP_RECVERR, 0);
    int second = set_option(descriptor, IPPROTO_IPV6, IPV6_RECVERR, 0);
    return first == 0 ? 0 : second;
}

int csys_route_source(const csys_endpoint *remote, const char *interface, csys_endpoint *source) {
    int descriptor = open_socket(remote->family, SOCK_DGRAM, interface);
    if (descriptor < 0) return descriptor;
    struct sockaddr_storage address;
    socklen_t length = csys_endpoint_fill(remote, &address);
    if (connect(descriptor, (struct sockaddr *)&address, length) != 0) return fail(descriptor);
    int result = csys_local_endpoint(descriptor, source);
    close(descriptor);
    return result;
}

void csys_close(int descriptor) { close(descriptor); }

int csys_spare_descriptor(void) {
    int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return descriptor >= 0 ? descriptor : -errno;
}
