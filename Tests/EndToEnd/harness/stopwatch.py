"""Time, and how much of it a busy machine took.

A test may hold icecheck to a time, and must not fail because the machine had other things to do. The kernel says of
each thread how long it was ready and had no processor (proc_pid_schedstat): for icecheck, for the servers of this
process and for the programs that it has started, that is nothing that icecheck could help.
"""

import os
import time
import weakref
from pathlib import Path

_watched = weakref.WeakSet()


def watch(process):
    """Whatever a measured run waits for, if it is a program of its own (a Popen)."""
    _watched.add(process)
    return process


def end_of(process, patience):
    """Waits for the end of a program, by force after `patience` seconds; gives the seconds that it had no processor."""
    deadline = time.monotonic() + patience
    # As long as nobody has asked for its status, what the kernel knows of it is to be read.
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > deadline:
            process.kill()
            break
        time.sleep(0.002)
    stalled = sum(_waits([process.pid]).values()) / 1e9
    process.wait()
    return stalled


class Stopwatch:
    def __init__(self):
        self._waits = _waits(_everyone())
        self._started = time.monotonic()

    @property
    def seconds(self):
        return time.monotonic() - self._started

    def stalled(self, *more):
        """The seconds since the start in which one of those concerned had no processor; `more` are pids, begun since.

        Where several waited at once each is counted, so this is at most too much.
        """
        now = _waits([*_everyone(), *more])
        return sum(waited - self._waits.get(thread, 0) for thread, waited in now.items()) / 1e9

    @property
    def unhindered(self):
        """The seconds that it would have taken on a machine that has nothing else to do."""
        return max(0, self.seconds - self.stalled())


def _everyone():
    return [os.getpid(), *(process.pid for process in _watched if process.returncode is None)]


def _waits(pids):
    """Nanoseconds by thread; nothing for what is gone, or where the kernel does not say."""
    found = {}
    for pid in pids:
        try:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                found[thread.name] = int((thread / "schedstat").read_text().split()[1])
        except (OSError, IndexError):
            continue
    return found
