"""A network of its own for each process that runs tests, so that no two of them, and nothing of the machine, meet.

It is a network namespace with loopback and one interface that leads nowhere, as of a machine whose provider loses
everything, and a mount namespace in which /run/netns is empty, /sys is that network's, and the resolver is one that
does not run. What a test starts is in both too, and what it leaves behind is gone with its process.
"""

import ctypes
import functools
import os
import subprocess
from pathlib import Path

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000

# The other end of the cable takes nothing: frames are for someone else, as no address is asked for.
SCRIPT = """
set -e
mount --make-rprivate /
mkdir -p /run/netns
mount -t tmpfs none /run/netns
umount -l /sys
mount -t sysfs none /sys
mount --bind "$1" /etc/resolv.conf
ip link set lo up
ip link add eth0 type veth peer name nowhere
echo 1 >/proc/sys/net/ipv6/conf/nowhere/disable_ipv6
ip link set nowhere up
ip link set eth0 up arp off
ip addr add 10.200.0.2/24 dev eth0
ip addr add fd00:200::2/64 dev eth0 nodad
ip route add default via 10.200.0.1
ip -6 route add default via fd00:200::1
"""


COMMAND = ["sh", "-c", SCRIPT, "isolation", str(Path(__file__).with_name("resolv.conf"))]


@functools.cache
def why_not():
    """Why this machine does not permit it, or None: tried in a process that ends."""
    try:
        done = subprocess.run(
            ["unshare", "-m", "-n", *COMMAND], stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    except OSError as error:
        return str(error)
    return (done.stderr.strip() or f"exit {done.returncode}").splitlines()[-1] if done.returncode else None


def enter():
    """Takes this thread, and all that it starts, into a network of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare: " + os.strerror(ctypes.get_errno()))
    done = subprocess.run(COMMAND, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"a network of its own: {done.stderr.strip()}")
