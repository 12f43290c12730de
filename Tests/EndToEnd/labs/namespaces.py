"""Network namespaces, and processes that end with the test that wants them, however it ends."""

import ctypes
import itertools
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

PREFIX = "icecheck-test"
CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count()


def command(*arguments, text=None):
    """Runs a command; a failure carries its own words."""
    done = subprocess.run([str(one) for one in arguments], input=text, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(map(str, arguments))}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def why_not():
    """Why this machine cannot make such a network, or None where it can."""
    for tool in ("ip", "nft"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    name = f"{PREFIX}-{os.getpid()}-probe"
    try:
        command("ip", "netns", "add", name)
    except OSError as error:
        return f"network namespaces are not permitted here ({error})"
    try:
        command("ip", "-n", name, "link", "add", "a0", "type", "veth", "peer", "name", "a1")
        command("ip", "netns", "exec", name, "nft", "add", "table", "inet", "probe")
    except OSError as error:
        return f"veth or nftables is not permitted here ({error})"
    finally:
        command("ip", "netns", "del", name)
    return None


def remove_leftovers():
    """Namespaces of test runs that were killed: their process is gone, so no one else will remove them."""
    for line in command("ip", "netns", "list").splitlines():
        name = line.split()[0]
        if name.startswith(PREFIX + "-"):
            owner = name.removeprefix(PREFIX + "-").split("-")[0]
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                command("ip", "netns", "del", name)


def namespaces_of(process):
    """The names of those that a process has made and that are not gone."""
    return [line for line in command("ip", "netns", "list").splitlines() if line.startswith(f"{PREFIX}-{process}-")]


class Namespace:
    def __init__(self, role):
        self.name = f"{PREFIX}-{os.getpid()}-{next(_numbers)}-{role}"
        command("ip", "netns", "add", self.name)

    def ip(self, *arguments):
        return command("ip", "-n", self.name, *arguments)

    def nft(self, rules):
        command("ip", "netns", "exec", self.name, "nft", "-f", "-", text=rules)

    def sysctl(self, name, value):
        with self.entered():
            Path("/proc/sys/" + name.replace(".", "/")).write_text(str(value))

    def prefix(self):
        """What to put before a command, so that it runs inside (with a /sys of its own)."""
        return ["netns", "exec", self.name]

    def listening(self):
        """Address and port of every UDP socket in it."""
        lines = command("ip", *self.prefix(), "ss", "-Hlnu").splitlines()
        ends = [line.split()[3].rpartition(":") for line in lines]
        return {(address.strip("[]"), int(port)) for address, _, port in ends if port.isdigit()}

    @contextmanager
    def entered(self):
        """This thread is inside for as long as it lasts; sockets made meanwhile stay inside."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as inside:
            _enter(inside.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def remove(self):
        command("ip", "netns", "del", self.name)


def _enter(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def tied_to_us(number):
    """What a child runs before its program, so that it gets this signal when we are gone, however we went."""

    def tie():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _libc.prctl(_PR_SET_PDEATHSIG, number)

    return tie


def caretaker(names):
    """Removes the namespaces when this process is gone, however it went: its end of the pipe closes then."""
    script = 'cat >/dev/null; for one do ip netns del "$one" 2>/dev/null; done; :'
    return subprocess.Popen(
        ["sh", "-c", script, "caretaker", *names], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
