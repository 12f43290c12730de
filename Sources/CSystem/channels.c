#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "csystem.h"

extern char **environ;

// The terminal as it was. The flag is read by a signal handler.
static struct termios terminal_before;
static volatile sig_atomic_t terminal_descriptor = -1;

int csys_terminal_take_long_lines(int descriptor) {
    struct termios changed;
    if (terminal_descriptor >= 0) return 0;
    if (tcgetattr(descriptor, &terminal_before) != 0) return -errno;
    changed = terminal_before;
    changed.c_lflag &= ~(tcflag_t)ICANON;
    changed.c_cc[VMIN] = 1;
    changed.c_cc[VTIME] = 0;
    // A background job that changes the terminal is stopped: it reads nothing, either.
    pid_t foreground = tcgetpgrp(descriptor);
    if (foreground >= 0 && foreground != getpgrp()) return -EIO;
    if (tcsetattr(descriptor, TCSANOW, &changed) != 0) return -errno;
    terminal_descriptor = descriptor;
    return 0;
}

void csys_terminal_restore(void) {
    int descriptor = terminal_descriptor;
    if (descriptor < 0) return;
    terminal_descriptor = -1;
    tcsetattr(descriptor, TCSANOW, &terminal_before);
}

int csys_can_write(int descriptor) {
    struct pollfd wait = {.fd = descriptor, .events = POLLOUT};
    int count = poll(&wait, 1, 0);
    return count > 0 || (count < 0 && errno != EINTR);
}

int64_t csys_write_some(int descriptor, const void *bytes, size_t count) {
    ssize_t written;
    do written = write(descriptor, bytes, count);
    while (written < 0 && errno == EINTR);
    return written >= 0 ? written : -errno;
}

int csys_start_shell(const char *command, int joins_terminal, csys_child *child) {
    int input[2], output[2];
    if (pipe2(input, O_CLOEXEC) != 0) return -errno;
    if (pipe2(output, O_CLOEXEC) != 0) {
        int error = errno;
        close(input[0]);
        close(input[1]);
        return -error;
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, input[0], 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], 1);
    // What this process ignores or blocks is not for the command.
    sigset_t usual, none;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setsigmask(&attributes, &none);
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    if (!joins_terminal) {
        posix_spawnattr_setpgroup(&attributes, 0);
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    posix_spawnattr_setflags(&attributes, flags);
    char *arguments[] = {"sh", "-c", (char *)command, NULL};
    pid_t process = 0;
    int error = posix_spawn(&process, "/bin/sh", &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(input[0]);
    close(output[1]);
    if (error != 0) {
        close(input[1]);
        close(output[0]);
        return -error;
    }
    *child = (csys_child){.process = process, .input = input[1], .output = output[0]};
    return 0;
}

int csys_child_status(int process, int *status) {
    int raw = 0;
    pid_t ended;
    do ended = waitpid(process, &raw, WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended == 0) return 0;
    *status = ended < 0 ? -1 : WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    return 1;
}

int csys_child_wait(int process, int milliseconds, int *status) {
    for (int waited = 0;; waited += 5) {
        if (csys_child_status(process, status)) return 1;
        if (waited >= milliseconds) return 0;
        usleep(5000);
    }
}

void csys_child_signal(int process, int number, int is_group) { kill(is_group ? -process : process, number); }

int csys_file_state(const char *path, csys_file *file) {
    struct stat status;
    if (stat(path, &status) != 0) return -errno;
    *file = (csys_file){
        .is_fifo = S_ISFIFO(status.st_mode),
        .is_directory = S_ISDIR(status.st_mode),
        .device = (uint64_t)status.st_dev,
        .inode = (uint64_t)status.st_ino,
        .size = (uint64_t)status.st_size,
        .modified = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
    };
    return 0;
}

int csys_open_fifo(const char *path, int is_writer) {
    int descriptor = open(path, (is_writer ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
    return descriptor >= 0 ? descriptor : -errno;
}

int csys_create_private_file(const char *path) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return descriptor >= 0 ? descriptor : -errno;
}

bool csys_has_file(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

int csys_rename(const char *from, const char *to) { return rename(from, to) == 0 ? 0 : -errno; }

int csys_remove_file(const char *path) { return unlink(path) == 0 ? 0 : -errno; }
