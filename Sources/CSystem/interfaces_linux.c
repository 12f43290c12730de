// Links and addresses over rtnetlink: getifaddrs asks the same socket, and leaves out the address flags and link kinds.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <linux/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addresses.h"

enum { most_entries = 4096, most_tries = 4 };

typedef int visitor(csys_interface_table *table, const struct nlmsghdr *header);

// Room for one more; arrays grow at powers of two.
static void *grown(void *array, int32_t count, size_t size) {
    if (count & (count - 1)) return array;
    return realloc(array, (size_t)(count == 0 ? 1 : count * 2) * size);
}

static void copy_text(char *text, size_t capacity, const struct rtattr *attribute) {
    size_t length = RTA_PAYLOAD(attribute);
    if (length >= capacity) length = capacity - 1;
    memcpy(text, RTA_DATA(attribute), length);
    text[length] = 0;
}

static uint32_t number(const struct rtattr *attribute) {
    uint32_t value = 0;
    if (RTA_PAYLOAD(attribute) >= sizeof value) memcpy(&value, RTA_DATA(attribute), sizeof value);
    return value;
}

static bool has_entry(const char *name, const char *entry) {
    char path[96];
    snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, entry);
    return access(path, F_OK) == 0;
}

static int visit_link(csys_interface_table *table, const struct nlmsghdr *header) {
    if (header->nlmsg_type != RTM_NEWLINK || header->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg))) return 0;
    const struct ifinfomsg *message = NLMSG_DATA(header);
    csys_link *links = grown(table->links, table->link_count, sizeof *links);
    if (links == NULL) return -ENOMEM;
    table->links = links;
    csys_link *link = &links[table->link_count];
    *link = (csys_link){
        .index = (uint32_t)message->ifi_index,
        .hardware_type = message->ifi_type,
        .is_up = (message->ifi_flags & IFF_UP) != 0,
        .is_running = (message->ifi_flags & IFF_RUNNING) != 0,
        .is_loopback = (message->ifi_flags & IFF_LOOPBACK) != 0,
        .is_point_to_point = (message->ifi_flags & IFF_POINTOPOINT) != 0,
    };
    int left = (int)IFLA_PAYLOAD(header);
    for (struct rtattr *item = IFLA_RTA(message); RTA_OK(item, left); item = RTA_NEXT(item, left)) {
        if (item->rta_type == IFLA_IFNAME) copy_text(link->name, sizeof link->name, item);
        if (item->rta_type == IFLA_MTU) link->mtu = number(item);
        if ((item->rta_type & NLA_TYPE_MASK) != IFLA_LINKINFO) continue;
        int inner = (int)RTA_PAYLOAD(item);
        for (struct rtattr *part = RTA_DATA(item); RTA_OK(part, inner); part = RTA_NEXT(part, inner)) {
            if (part->rta_type == IFLA_INFO_KIND) copy_text(link->link_kind, sizeof link->link_kind, part);
        }
    }
    link->is_wireless = has_entry(link->name, "wireless") || has_entry(link->name, "phy80211");
    table->link_count++;
    return 0;
}

static int visit_address(csys_interface_table *table, const struct nlmsghdr *header) {
    if (header->nlmsg_type != RTM_NEWADDR || header->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifaddrmsg))) return 0;
    const struct ifaddrmsg *message = NLMSG_DATA(header);
    uint32_t flags = message->ifa_flags;
    const struct rtattr *chosen = NULL;
    int left = (int)IFA_PAYLOAD(header);
    for (struct rtattr *item = IFA_RTA(message); RTA_OK(item, left); item = RTA_NEXT(item, left)) {
        // On a point-to-point link IFA_ADDRESS is the peer's; IFA_LOCAL is always ours.
        if (item->rta_type == IFA_LOCAL || (item->rta_type == IFA_ADDRESS && chosen == NULL)) chosen = item;
        if (item->rta_type == IFA_FLAGS) flags = number(item);
    }
    if (chosen == NULL) return 0;
    csys_endpoint address = {0};
    if (message->ifa_family == AF_INET && RTA_PAYLOAD(chosen) == sizeof(struct in_addr)) {
        csys_endpoint_set_ipv4(&address, RTA_DATA(chosen), 0);
    } else if (message->ifa_family == AF_INET6 && RTA_PAYLOAD(chosen) == sizeof(struct in6_addr)) {
        bool is_link_local = IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)RTA_DATA(chosen));
        csys_endpoint_set_ipv6(&address, RTA_DATA(chosen), 0, is_link_local ? message->ifa_index : 0);
    } else {
        return 0;
    }
    csys_interface_address *addresses = grown(table->addresses, table->address_count, sizeof *addresses);
    if (addresses == NULL) return -ENOMEM;
    table->addresses = addresses;
    addresses[table->address_count++] = (csys_interface_address){
        .address = address,
        .index = message->ifa_index,
        .prefix_length = message->ifa_prefixlen,
        // The bit says "secondary" of an IPv4 address.
        .is_temporary = address.family == 6 && (flags & IFA_F_TEMPORARY) != 0,
        .is_deprecated = (flags & IFA_F_DEPRECATED) != 0,
        .is_tentative = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0,
    };
    return 0;
}

static int request(int descriptor, uint16_t type) {
    struct {
        struct nlmsghdr header;
        struct ifinfomsg body;
    } message = {
        .header = {.nlmsg_len = sizeof message, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .body = {.ifi_family = AF_UNSPEC},
    };
    return send(descriptor, &message, sizeof message, MSG_NOSIGNAL) == (ssize_t)sizeof message ? 0 : -errno;
}

// 0, or -EAGAIN where the tables changed under the dump, or another negated errno.
static int dump(int descriptor, uint16_t type, visitor *visit, csys_interface_table *table) {
    int result = request(descriptor, type);
    if (result < 0) return result;
    size_t capacity = 1 << 16;
    char *buffer = malloc(capacity);
    if (buffer == NULL) return -ENOMEM;
    bool is_done = false, is_interrupted = false;
    while (!is_done && result == 0) {
        ssize_t length = recv(descriptor, buffer, capacity, 0);
        if (length < 0 && errno == EINTR) continue;
        if (length <= 0) { result = length < 0 ? -errno : -EIO; break; }
        unsigned left = (unsigned)length;
        for (struct nlmsghdr *header = (struct nlmsghdr *)buffer; NLMSG_OK(header, left) && result == 0;
             header = NLMSG_NEXT(header, left)) {
            if (header->nlmsg_flags & NLM_F_DUMP_INTR) is_interrupted = true;
            if (header->nlmsg_type == NLMSG_DONE) { is_done = true; break; }
            if (header->nlmsg_type == NLMSG_ERROR) {
                const struct nlmsgerr *error = NLMSG_DATA(header);
                result = error->error < 0 ? error->error : -EIO;
            } else if (table->link_count < most_entries && table->address_count < most_entries) {
                result = visit(table, header);
            }
        }
    }
    free(buffer);
    return result == 0 && is_interrupted ? -EAGAIN : result;
}

static int read_once(csys_interface_table *table) {
    // A socket for each try: what is left of an abandoned dump must not be read as the next one's.
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (descriptor < 0) return -errno;
    struct timeval limit = {.tv_sec = 1};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    int result = dump(descriptor, RTM_GETLINK, visit_link, table);
    if (result == 0) result = dump(descriptor, RTM_GETADDR, visit_address, table);
    close(descriptor);
    return result;
}

int csys_interfaces_read(csys_interface_table *table) {
    int result = -EAGAIN;
    for (int try = 0; try < most_tries && result == -EAGAIN; try++) {
        *table = (csys_interface_table){0};
        result = read_once(table);
        if (result < 0) csys_interfaces_free(table);
    }
    return result;
}

void csys_interfaces_free(csys_interface_table *table) {
    free(table->links);
    free(table->addresses);
    *table = (csys_interface_table){0};
}
