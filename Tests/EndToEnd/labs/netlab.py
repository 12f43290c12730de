"""Networks that a test makes itself, of namespaces, veth pairs and nftables, and that are gone when it ends.

    client 10.77.1.2 --- 10.77.1.1 router 10.77.2.1 --- 10.77.2.2 server
      fd77:1::2             fd77:1::1      fd77:2::1        fd77:2::2
"""

import ctypes
import itertools
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

PREFIX = "icecheck-test"
CLONE_NEWNET = 0x40000000
ROLES = ("client", "router", "server")

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


class Lab:
    """The network above, with both families and forwarding, until `remove`."""

    client_address, server_address = "10.77.1.2", "10.77.2.2"
    client_address6, server_address6 = "fd77:1::2", "fd77:2::2"
    router_inside, router_outside = "10.77.1.1", "10.77.2.1"
    router_inside6 = "fd77:1::1"

    def __init__(self):
        self.namespaces = {}
        try:
            for role in ROLES:
                self.namespaces[role] = Namespace(role)
            self._wire()
        except BaseException:
            self.remove()
            raise

    @property
    def client(self):
        return self.namespaces["client"]

    @property
    def router(self):
        return self.namespaces["router"]

    @property
    def server(self):
        return self.namespaces["server"]

    def _wire(self):
        for namespace in self.namespaces.values():
            namespace.ip("link", "set", "lo", "up")
            # No waiting for duplicate address detection: the addresses are ours.
            namespace.sysctl("net.ipv6.conf.default.accept_dad", 0)
        self._cable(self.client, self.router, "inside", 1)
        self._cable(self.server, self.router, "outside", 2)
        for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            self.router.sysctl(name, 1)
        # A rejecting router is asked for every datagram: no limit on how often it says so.
        self.router.sysctl("net.ipv4.icmp_ratelimit", 0)
        self.router.sysctl("net.ipv6.icmp.ratelimit", 0)

    @staticmethod
    def _cable(end, router, router_interface, number):
        end.ip("link", "add", "eth0", "type", "veth", "peer", "name", router_interface, "netns", router.name)
        end.ip("link", "set", "eth0", "up")
        router.ip("link", "set", router_interface, "up")
        end.ip("addr", "add", f"10.77.{number}.2/24", "dev", "eth0")
        end.ip("addr", "add", f"fd77:{number}::2/64", "dev", "eth0", "nodad")
        router.ip("addr", "add", f"10.77.{number}.1/24", "dev", router_interface)
        router.ip("addr", "add", f"fd77:{number}::1/64", "dev", router_interface, "nodad")
        end.ip("route", "add", "default", "via", f"10.77.{number}.1")
        end.ip("-6", "route", "add", "default", "via", f"fd77:{number}::1")

    def forward(self, *rules):
        """Rules in the router's forward chain."""
        self.router.nft(chain("forward", rules))

    def translate(self):
        """Makes the router a NAT for the client."""
        rule = "type nat hook postrouting priority 100; oifname outside masquerade;"
        self.router.nft(f"table ip nat {{ chain out {{ {rule} }}\n}}\n")

    def remove(self):
        for namespace in self.namespaces.values():
            namespace.remove()
        self.namespaces = {}


def chain(hook, rules):
    body = "\n".join(rules)
    return f"table inet test {{ chain {hook} {{ type filter hook {hook} priority 0; policy accept;\n{body}\n}}\n}}\n"
