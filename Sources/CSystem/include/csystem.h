// What Swift cannot express about the system's sockets: control data, socket address unions, signal handlers. No policy.
//
// Every function that can fail gives 0 (or a descriptor) for success and the negated errno otherwise. No pointer into a
// caller's buffer outlives its call. Linux only so far: a port adds files beside the *_linux.c ones.
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A socket address as numbers in host order; an IPv4 address is in `low`. `family` is 0 (absent), 4 or 6.
typedef struct {
    uint64_t high;
    uint64_t low;
    uint32_t scope;
    uint16_t port;
    uint8_t family;
} csys_endpoint;

// MARK: Sockets (sockets_linux.c)

/// A bound, unconnected, nonblocking UDP socket with error queue, receive stamps, TTL and packet information.
int csys_open_datagram(const csys_endpoint *local, const char *interface);
// A UDP socket at the wildcard address and a port that it shares, in a multicast group on the interface that has `own`:
// what it sends to the group leaves there, and stays on the link.
int csys_open_group(const csys_endpoint *group, const csys_endpoint *own, const char *interface);
/// A nonblocking TCP socket on its way to `remote`; `local` may be absent. One that shares its port may be bound to the
/// port of others that do, and is reset when it is closed.
int csys_open_connection(const csys_endpoint *remote, const csys_endpoint *local, const char *interface,
                         bool shares_port);
/// A nonblocking TCP listener.
int csys_open_listener(const csys_endpoint *local, const char *interface);
/// The next connection of a listener, nonblocking.
int csys_accept(int listener, csys_endpoint *remote);
int csys_local_endpoint(int descriptor, csys_endpoint *local);
/// The pending error of a socket as an errno, which this clears; 0 where there is none.
int csys_pending_error(int descriptor);
/// Stops ICMP errors from ending an established TCP connection.
int csys_ignore_icmp(int descriptor);
/// The address that a UDP socket would send from; nothing is sent.
int csys_route_source(const csys_endpoint *remote, const char *interface, csys_endpoint *source);
void csys_close(int descriptor);
/// A descriptor to give up when the process has no more of them.
int csys_spare_descriptor(void);

// MARK: Messages (messages_linux.c)

typedef struct {
    csys_endpoint source;
    /// The local address that it was sent to; absent where the system does not tell.
    csys_endpoint destination;
    /// CLOCK_REALTIME in nanoseconds when the kernel took it; 0 where there is no stamp.
    int64_t stamp;
    int32_t length;
    /// The TTL or hop limit that was left; -1 where the system does not tell.
    int32_t time_to_live;
    bool truncated;
} csys_datagram;

typedef struct {
    /// Who sent the ICMP message; absent where the error is local.
    csys_endpoint offender;
    /// Where the datagram that caused the error was sent to.
    csys_endpoint destination;
    /// CLOCK_REALTIME in nanoseconds: when a datagram of ours left, or when an ICMP message came; 0 without a stamp.
    int64_t stamp;
    /// Which datagram of the socket left, from 0.
    uint32_t sequence;
    /// No error, but the stamp of a datagram that left.
    bool is_transmit_stamp;
    int32_t error;
    /// The next hop's MTU in bytes for EMSGSIZE.
    uint32_t info;
    /// Bytes of that datagram's payload which are in the buffer.
    int32_t length;
    uint8_t type;
    uint8_t code;
    /// 4 for ICMP, 6 for ICMPv6, 0 for this machine.
    uint8_t origin;
} csys_queued_error;

int csys_receive(int descriptor, void *buffer, size_t capacity, csys_datagram *datagram);
int csys_receive_error(int descriptor, void *buffer, size_t capacity, csys_queued_error *error);
int csys_send_datagram(int descriptor, const void *bytes, size_t count, const csys_endpoint *destination);
/// Bytes taken from a connection, 0 at its end, or the negated errno.
int64_t csys_read_stream(int descriptor, void *buffer, size_t capacity);
int64_t csys_write_stream(int descriptor, const void *bytes, size_t count);

// MARK: Readiness (readiness_linux.c)

enum {
    CSYS_READABLE = 1,
    CSYS_WRITABLE = 2,
    /// An error is pending or in the error queue.
    CSYS_FAILED = 4,
    /// Both directions of a connection are closed.
    CSYS_HUNG_UP = 8,
};

typedef struct {
    uint64_t token;
    uint32_t events;
} csys_ready;

int csys_readiness_create(void);
int csys_readiness_add(int readiness, int descriptor, uint64_t token, uint32_t interest);
int csys_readiness_change(int readiness, int descriptor, uint64_t token, uint32_t interest);
int csys_readiness_remove(int readiness, int descriptor);
/// How many of `ready` were filled. Waits at most `nanoseconds`, for ever where that is negative.
int csys_readiness_wait(int readiness, csys_ready *ready, int capacity, int64_t nanoseconds);

// MARK: Arguments, clocks and signals (process.c)

/// An argument of this process as the system keeps it, NULL past the last; it may be written over.
char *csys_argument(int index);

int64_t csys_monotonic_nanoseconds(void);
int64_t csys_realtime_nanoseconds(void);
/// Catches SIGINT, SIGTERM and SIGHUP from now on: the first makes the descriptor that this gives readable, the second
/// ends the process with 128 + its number. SIGPIPE is ignored.
int csys_signals_catch(void);
/// From now on the first signal ends the process too, as where there is no loop any more that would take it.
void csys_signals_end_at_next(void);
/// The signal that came, 0 where none did since the last call.
int csys_signals_take(int descriptor);

// MARK: Files and terminals (process.c)

/// Writes everything.
int csys_write_all(int descriptor, const void *bytes, size_t count);
/// Opens a file for reading; a directory is EISDIR.
int csys_open_file(const char *path);
/// Calls for each name in a folder, in no order; 0 or a negated errno (ENOTDIR where it is none).
int csys_list_folder(const char *path, void *context, void (*each)(void *context, const char *name));
int64_t csys_read_file(int descriptor, void *buffer, size_t capacity);
bool csys_is_terminal(int descriptor);
/// Columns of a terminal; 0 where it is none.
int csys_terminal_width(int descriptor);
/// The system's own sentence for an errno, which is copied to `text`.
void csys_error_text(int error, char *text, size_t capacity);

// MARK: Channels of bytes (channels.c)

/// Lets a terminal give what is typed at once, as a line of 4096 bytes and more is never given whole otherwise. What is
/// typed is shown as before. One terminal at a time.
int csys_terminal_take_long_lines(int descriptor);
/// Undoes it; a signal handler may call this.
void csys_terminal_restore(void);
/// Whether a write of up to PIPE_BUF bytes would not wait, or would fail.
int csys_can_write(int descriptor);
int64_t csys_write_some(int descriptor, const void *bytes, size_t count);

typedef struct {
    int process;
    /// What is written to it, and read from it.
    int input;
    int output;
} csys_child;
/// Runs `sh -c command`, in a group of its own unless it shares the terminal: there it may ask for a password.
int csys_start_shell(const char *command, int joins_terminal, csys_child *child);
/// Whether it has ended; the status is 128 + N after signal N.
int csys_child_status(int process, int *status);
int csys_child_wait(int process, int milliseconds, int *status);
void csys_child_signal(int process, int number, int is_group);

typedef struct {
    int is_fifo;
    int is_directory;
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    int64_t modified;
} csys_file;
int csys_file_state(const char *path, csys_file *file);
/// Opens without waiting; a writer gets ENXIO while nobody reads.
int csys_open_fifo(const char *path, int is_writer);
/// Makes a file that only its owner reads.
int csys_create_private_file(const char *path);
/// Whether something has this name; a link is not followed.
bool csys_has_file(const char *path);
int csys_rename(const char *from, const char *to);
int csys_remove_file(const char *path);

// MARK: Interfaces (interfaces_linux.c)

typedef struct {
    char name[16];
    /// IFLA_INFO_KIND: "bridge", "veth", "wireguard"; empty for hardware.
    char link_kind[24];
    uint32_t index;
    uint32_t mtu;
    /// ARPHRD_*.
    uint16_t hardware_type;
    bool is_up;
    bool is_running;
    bool is_loopback;
    bool is_point_to_point;
    /// /sys/class/net/NAME has wireless or phy80211.
    bool is_wireless;
} csys_link;

typedef struct {
    csys_endpoint address;
    uint32_t index;
    uint8_t prefix_length;
    bool is_temporary;
    bool is_deprecated;
    bool is_tentative;
} csys_interface_address;

typedef struct {
    csys_link *links;
    csys_interface_address *addresses;
    int32_t link_count;
    int32_t address_count;
} csys_interface_table;

/// Reads every link and address; the table is to be freed.
int csys_interfaces_read(csys_interface_table *table);
void csys_interfaces_free(csys_interface_table *table);

// MARK: Resolver (resolver.c)

enum {
    CSYS_QUERY_IPV4 = 4,
    CSYS_QUERY_IPV6 = 6,
    CSYS_QUERY_SRV = 33,
    CSYS_QUERY_NAPTR = 35,
};

enum {
    CSYS_ANSWER_RECORDS = 0,
    CSYS_ANSWER_NO_SUCH_NAME = 1,
    CSYS_ANSWER_NO_RECORDS = 2,
    CSYS_ANSWER_FAILED = 3,
};

enum { csys_most_addresses = 64 };

typedef struct csys_answer {
    uint32_t query;
    int32_t kind;
    int32_t outcome;
    int32_t address_count;
    csys_endpoint addresses[csys_most_addresses];
    /// SRV, NAPTR: the whole DNS message, which is not examined here.
    uint8_t *response;
    int32_t response_length;
    char reason[128];
    struct csys_answer *next;
} csys_answer;

typedef struct csys_resolver csys_resolver;

/// A resolver whose threads outlive it harmlessly; NULL where the system has no descriptor or memory left.
csys_resolver *csys_resolver_create(void);
/// Readable while there are answers.
int csys_resolver_descriptor(const csys_resolver *resolver);
/// Starts one thread for one question. Its answer comes whatever happens, unless this fails.
int csys_resolver_ask(csys_resolver *resolver, uint32_t query, int kind, const char *name);
/// The next answer, to be freed; NULL where there is none.
csys_answer *csys_resolver_take(csys_resolver *resolver);
const csys_endpoint *csys_answer_addresses(const csys_answer *answer);
void csys_answer_free(csys_answer *answer);
/// Abandons what is still asked.
void csys_resolver_release(csys_resolver *resolver);

#endif
