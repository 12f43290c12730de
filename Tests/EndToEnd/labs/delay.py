"""A cable that takes its time: this kernel has no netem, so a process carries each packet from one TUN device to another.

    python3 delay.py ONE OTHER NANOSECONDS    (descriptors of two TUN devices, and how long a packet is under way)

Nothing is lost and nothing overtakes. The devices are gone with the process that holds them.
"""

import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
# A packet of any size that a device of the usual MTU can have, and more under way than any test sends.
_LARGEST, _MOST = 65536, 10000


def open_tun(name):
    """The descriptor of a new TUN device, in the network namespace of this thread."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return descriptor


def start(one, other, seconds, **options):
    """The process that joins two devices; they are its own from now on."""
    ends = (one, other)
    arguments = [sys.executable, __file__, *map(str, ends), str(round(seconds * 1e9))]
    try:
        return subprocess.Popen(arguments, pass_fds=ends, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    finally:
        for end in ends:
            os.close(end)


def carry(one, other, nanoseconds):
    under_way = {one: deque(), other: deque()}
    while True:
        due = min((queue[0][0] for queue in under_way.values() if queue), default=None)
        wait = None if due is None else max(0, due - time.monotonic_ns()) / 1e9
        for source in select.select([one, other], [], [], wait)[0]:
            packet = os.read(source, _LARGEST)
            queue = under_way[other if source == one else one]
            if len(queue) < _MOST:
                queue.append((time.monotonic_ns() + nanoseconds, packet))
        for end, queue in under_way.items():
            while queue and queue[0][0] <= time.monotonic_ns():
                os.write(end, queue.popleft()[1])


if __name__ == "__main__":
    carry(*map(int, sys.argv[1:]))
