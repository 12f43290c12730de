#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "csystem.h"

enum { batch = 64 };

int csys_readiness_create(void) {
    int descriptor = epoll_create1(EPOLL_CLOEXEC);
    return descriptor >= 0 ? descriptor : -errno;
}

static int control(int readiness, int operation, int descriptor, uint64_t token, uint32_t interest) {
    struct epoll_event event = {.data.u64 = token};
    if (interest & CSYS_READABLE) event.events |= EPOLLIN;
    if (interest & CSYS_WRITABLE) event.events |= EPOLLOUT;
    return epoll_ctl(readiness, operation, descriptor, &event) == 0 ? 0 : -errno;
}

int csys_readiness_add(int readiness, int descriptor, uint64_t token, uint32_t interest) {
    return control(readiness, EPOLL_CTL_ADD, descriptor, token, interest);
}

int csys_readiness_change(int readiness, int descriptor, uint64_t token, uint32_t interest) {
    return control(readiness, EPOLL_CTL_MOD, descriptor, token, interest);
}

int csys_readiness_remove(int readiness, int descriptor) {
    return control(readiness, EPOLL_CTL_DEL, descriptor, 0, 0);
}

static int wait_coarsely(int readiness, struct epoll_event *events, int capacity, int64_t nanoseconds) {
    // Rounded up: an early wake would find no timer due and spin.
    int64_t milliseconds = nanoseconds < 0 ? -1 : (nanoseconds + 999999) / 1000000;
    if (milliseconds > 3600000) milliseconds = 3600000;
    return epoll_wait(readiness, events, capacity, (int)milliseconds);
}

static int wait_finely(int readiness, struct epoll_event *events, int capacity, int64_t nanoseconds) {
#ifdef SYS_epoll_pwait2
    // By number, so that a binary built here runs with a C library older than 2.35.
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return (int)syscall(SYS_epoll_pwait2, readiness, events, capacity, nanoseconds < 0 ? NULL : &timeout, NULL, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}

int csys_readiness_wait(int readiness, csys_ready *ready, int capacity, int64_t nanoseconds) {
    struct epoll_event events[batch];
    int limit = capacity < batch ? capacity : batch;
    int count = wait_finely(readiness, events, limit, nanoseconds);
    // A kernel before 5.11 has no such call, a sandbox may forbid it.
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) count = wait_coarsely(readiness, events, limit, nanoseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        uint32_t flags = events[i].events;
        ready[i] = (csys_ready){
            .token = events[i].data.u64,
            .events = (flags & EPOLLIN ? CSYS_READABLE : 0) | (flags & EPOLLOUT ? CSYS_WRITABLE : 0)
                | (flags & EPOLLERR ? CSYS_FAILED : 0) | (flags & EPOLLHUP ? CSYS_HUNG_UP : 0),
        };
    }
    return count;
}
