#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "csystem.h"

static int64_t nanoseconds(clockid_t clock) {
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t csys_monotonic_nanoseconds(void) { return nanoseconds(CLOCK_MONOTONIC); }
int64_t csys_realtime_nanoseconds(void) { return nanoseconds(CLOCK_REALTIME); }

static int argument_count = 0;
static char **argument_values = NULL;

// The C library hands a constructor what it hands main. Swift reads /proc/self/cmdline, which a container may lack.
__attribute__((constructor)) static void keep_arguments(int count, char **values) {
    argument_count = count;
    argument_values = values;
}

char *csys_argument(int index) { return index >= 0 && index < argument_count ? argument_values[index] : NULL; }

static int signal_pipe[2] = {-1, -1};
static volatile sig_atomic_t signals_seen = 0;

static void on_signal(int number) {
    if (signals_seen) {
        csys_terminal_restore();
        _exit(128 + number);
    }
    signals_seen = 1;
    int error = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t written = write(signal_pipe[1], &byte, 1);
    (void)written;
    errno = error;
}

int csys_signals_catch(void) {
    if (signal_pipe[0] >= 0) return signal_pipe[0];
    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
    struct sigaction catching = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&catching.sa_mask);
    sigaction(SIGINT, &catching, NULL);
    sigaction(SIGTERM, &catching, NULL);
    struct sigaction before;
    // nohup asks for a hang-up to be ignored, and is obeyed.
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(SIGHUP, &catching, NULL);
    struct sigaction ignoring = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignoring, NULL);
    return signal_pipe[0];
}

void csys_signals_end_at_next(void) { signals_seen = 1; }

int csys_signals_take(int descriptor) {
    unsigned char byte = 0;
    return read(descriptor, &byte, 1) == 1 ? byte : 0;
}

int csys_write_all(int descriptor, const void *bytes, size_t count) {
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = write(descriptor, next, count);
        if (written >= 0) {
            next += written;
            count -= (size_t)written;
        } else if (errno == EAGAIN) {
            // Whoever gave us the terminal may have made it nonblocking.
            struct pollfd wait = {.fd = descriptor, .events = POLLOUT};
            poll(&wait, 1, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int csys_open_file(const char *path) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    struct stat status;
    if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
        close(descriptor);
        return -EISDIR;
    }
    return descriptor;
}

int csys_list_folder(const char *path, void *context, void (*each)(void *context, const char *name)) {
    DIR *folder = opendir(path);
    if (!folder) return -errno;
    errno = 0;
    for (struct dirent *entry; (entry = readdir(folder)); errno = 0) each(context, entry->d_name);
    int failure = errno;
    closedir(folder);
    return -failure;
}

int64_t csys_read_file(int descriptor, void *buffer, size_t capacity) {
    ssize_t length;
    do length = read(descriptor, buffer, capacity);
    while (length < 0 && errno == EINTR);
    return length >= 0 ? length : -errno;
}

bool csys_is_terminal(int descriptor) { return isatty(descriptor) == 1; }

int csys_terminal_width(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void csys_error_text(int error, char *text, size_t capacity) {
    const char *sentence = strerror_r(error, text, capacity);
    if (sentence != text) {
        strncpy(text, sentence, capacity - 1);
        text[capacity - 1] = 0;
    }
}
