#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include <linux/errqueue.h>

#include "addresses.h"

// SO_TIMESTAMPNS delivers under its own option number.
#ifndef SCM_TIMESTAMPNS
#define SCM_TIMESTAMPNS SO_TIMESTAMPNS
#endif
#ifndef SCM_TIMESTAMPING
#define SCM_TIMESTAMPING SO_TIMESTAMPING
#endif

static ssize_t receive(int descriptor, struct msghdr *message, int flags) {
    ssize_t length;
    do length = recvmsg(descriptor, message, flags | MSG_DONTWAIT);
    while (length < 0 && errno == EINTR);
    return length;
}

static bool is(const struct cmsghdr *control, int level, int type, size_t size) {
    return control->cmsg_level == level && control->cmsg_type == type && control->cmsg_len >= CMSG_LEN(size);
}

static void read_control(struct cmsghdr *control, csys_datagram *datagram) {
    const void *data = CMSG_DATA(control);
    if (is(control, SOL_SOCKET, SCM_TIMESTAMPNS, sizeof(struct timespec))) {
        struct timespec time;
        memcpy(&time, data, sizeof time);
        datagram->stamp = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    } else if (is(control, IPPROTO_IP, IP_TTL, sizeof(int))
               || is(control, IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof(int))) {
        int value;
        memcpy(&value, data, sizeof value);
        datagram->time_to_live = value;
    } else if (is(control, IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo))) {
        struct in_pktinfo information;
        memcpy(&information, data, sizeof information);
        csys_endpoint_set_ipv4(&datagram->destination, &information.ipi_addr, 0);
    } else if (is(control, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo))) {
        struct in6_pktinfo information;
        memcpy(&information, data, sizeof information);
        uint32_t scope = IN6_IS_ADDR_LINKLOCAL(&information.ipi6_addr) ? (uint32_t)information.ipi6_ifindex : 0;
        csys_endpoint_set_ipv6(&datagram->destination, &information.ipi6_addr, 0, scope);
    }
}

int csys_receive(int descriptor, void *buffer, size_t capacity, csys_datagram *datagram) {
    struct sockaddr_storage source = {0};
    struct iovec vector = {.iov_base = buffer, .iov_len = capacity};
    _Alignas(struct cmsghdr) char control[512];
    struct msghdr message = {
        .msg_name = &source, .msg_namelen = sizeof source, .msg_iov = &vector, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof control,
    };
    ssize_t length = receive(descriptor, &message, 0);
    if (length < 0) return -errno;
    *datagram = (csys_datagram){
        .length = (int32_t)length, .time_to_live = -1, .truncated = (message.msg_flags & MSG_TRUNC) != 0,
    };
    csys_endpoint_set(&datagram->source, (struct sockaddr *)&source);
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item != NULL; item = CMSG_NXTHDR(&message, item)) {
        read_control(item, datagram);
    }
    return 0;
}

static void read_error(struct cmsghdr *control, csys_queued_error *error) {
    struct {
        struct sock_extended_err base;
        struct sockaddr_in6 offender;
    } whole = {0};
    size_t present = control->cmsg_len - CMSG_LEN(0);
    memcpy(&whole, CMSG_DATA(control), present < sizeof whole ? present : sizeof whole);
    error->is_transmit_stamp = whole.base.ee_origin == SO_EE_ORIGIN_TIMESTAMPING;
    if (error->is_transmit_stamp) {
        error->sequence = whole.base.ee_data;
        return;
    }
    error->error = (int32_t)whole.base.ee_errno;
    error->type = whole.base.ee_type;
    error->code = whole.base.ee_code;
    error->info = whole.base.ee_info;
    if (whole.base.ee_origin == SO_EE_ORIGIN_ICMP) error->origin = 4;
    if (whole.base.ee_origin == SO_EE_ORIGIN_ICMP6) error->origin = 6;
    if (error->origin != 0) csys_endpoint_set(&error->offender, (struct sockaddr *)&whole.offender);
}

int csys_receive_error(int descriptor, void *buffer, size_t capacity, csys_queued_error *error) {
    struct sockaddr_storage destination = {0};
    struct iovec vector = {.iov_base = buffer, .iov_len = capacity};
    _Alignas(struct cmsghdr) char control[512];
    struct msghdr message = {
        .msg_name = &destination, .msg_namelen = sizeof destination, .msg_iov = &vector, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof control,
    };
    ssize_t length = receive(descriptor, &message, MSG_ERRQUEUE);
    if (length < 0) return -errno;
    *error = (csys_queued_error){.length = (int32_t)length};
    if (message.msg_namelen > 0) csys_endpoint_set(&error->destination, (struct sockaddr *)&destination);
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item != NULL; item = CMSG_NXTHDR(&message, item)) {
        if (is(item, IPPROTO_IP, IP_RECVERR, sizeof(struct sock_extended_err))
            || is(item, IPPROTO_IPV6, IPV6_RECVERR, sizeof(struct sock_extended_err))) {
            read_error(item, error);
        } else if (is(item, SOL_SOCKET, SCM_TIMESTAMPING, sizeof(struct timespec))) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(item), sizeof time);
            error->stamp = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
        }
    }
    return 0;
}

int csys_send_datagram(int descriptor, const void *bytes, size_t count, const csys_endpoint *destination) {
    struct sockaddr_storage address;
    socklen_t length = csys_endpoint_fill(destination, &address);
    ssize_t sent;
    do sent = sendto(descriptor, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    while (sent < 0 && errno == EINTR);
    return sent >= 0 ? 0 : -errno;
}

int64_t csys_read_stream(int descriptor, void *buffer, size_t capacity) {
    ssize_t length;
    do length = recv(descriptor, buffer, capacity, MSG_DONTWAIT);
    while (length < 0 && errno == EINTR);
    return length >= 0 ? length : -errno;
}

int64_t csys_write_stream(int descriptor, const void *bytes, size_t count) {
    ssize_t length;
    do length = send(descriptor, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (length < 0 && errno == EINTR);
    return length >= 0 ? length : -errno;
}
