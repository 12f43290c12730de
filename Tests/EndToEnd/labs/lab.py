"""What every lab is: namespaces and cables, routers with rules, servers, and an end that leaves nothing."""

import signal
import subprocess
import time

from harness.stopwatch import watch

from labs.namespaces import Namespace, caretaker, command, tied_to_us

LENGTH = {4: 24, 6: 64}
WHOLE = {4: 32, 6: 128}
DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}
# Of the routers that translate, on the side of the servers and on that of the clients.
OUTSIDE, INSIDE = "outside", "inside"


class Lab:
    """A network, until `remove` or the end of its `with`. Whoever makes one says what its roles are and wires them."""

    def __init__(self, roles, routers):
        self.namespaces, self.routers = {}, {}
        # Processes, and whatever else has `kill` and `wait`: they end with the lab.
        self.servers = []
        self._caretaker = None
        try:
            for role in roles:
                self.namespaces[role] = Namespace(role)
            self._caretaker = caretaker([namespace.name for namespace in self.namespaces.values()])
            self.routers = {role: self.namespaces[role] for role in routers}
            self._prepare()
            wires = Wires(self.namespaces)
            self.wire(wires)
            wires.lay()
        except BaseException:
            self.remove()
            raise

    def wire(self, wires):
        """Says which cables, addresses and routes there are."""
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        servers, self.servers = self.servers, []
        for server in servers:
            server.kill()
            server.wait()
        namespaces, self.namespaces = self.namespaces, {}
        try:
            for namespace in namespaces.values():
                namespace.remove()
        finally:
            # What could not be removed here, the caretaker tries once more.
            if self._caretaker:
                self._caretaker.stdin.close()
                self._caretaker.wait()
                self._caretaker = None

    def start(self, role, *arguments, wanted=(), patience=10):
        """A program in a role's namespace, as soon as it listens on all wanted UDP addresses and ports."""
        namespace = self.namespaces[role]
        process = subprocess.Popen(
            ["ip", *namespace.prefix(), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, preexec_fn=tied_to_us(signal.SIGKILL),
        )  # fmt: skip
        self.servers.append(watch(process))
        deadline = time.monotonic() + patience
        while missing := set(wanted) - namespace.listening():
            if process.poll() is not None:
                raise OSError(f"{arguments[0]} ended with {process.returncode}")
            if time.monotonic() > deadline:
                raise OSError(f"{arguments[0]} does not listen on {sorted(missing)}")
            time.sleep(0.02)
        return process

    def age(self, seconds):
        """How long a UDP mapping lives in the routers' conntrack that is not used."""
        for router in self.routers.values():
            for name in ("udp_timeout", "udp_timeout_stream"):
                router.sysctl(f"net.netfilter.nf_conntrack_{name}", seconds)

    def _prepare(self):
        for namespace in self.namespaces.values():
            # No waiting for duplicate address detection: the addresses are ours.
            namespace.sysctl("net.ipv6.conf.default.accept_dad", 0)
        for router in self.routers.values():
            for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
                router.sysctl(name, 1)
            # A rejecting router is asked for every datagram: no limit on how often it says so.
            for name in ("net.ipv4.icmp_ratelimit", "net.ipv6.icmp.ratelimit"):
                router.sysctl(name, 0)


class Wires:
    """What `ip` is told, all of a namespace at once: that takes a tenth of the time of a command for each."""

    def __init__(self, namespaces):
        self._namespaces = namespaces
        self._stages = [{role: [] for role in namespaces} for _ in range(4)]
        self._links, self._ups, self._addresses, self._routes = self._stages
        for role in namespaces:
            self.up(role, "lo")

    def cable(self, role, interface, other, other_interface):
        peer = self._namespaces[other].name
        self._links[role].append(f"link add {interface} type veth peer name {other_interface} netns {peer}")
        self.up(role, interface)
        self.up(other, other_interface)

    def sink(self, role, interface):
        """A cable whose other end takes nothing: no address is asked for, and all frames are for someone else."""
        self._links[role].append(f"link add {interface} type veth peer name nowhere")
        self._ups[role] += [f"link set {interface} up arp off", "link set nowhere up"]

    def switch(self, role, interface, ports):
        """A bridge, with these interfaces of the namespace at it."""
        self._links[role].append(f"link add {interface} type bridge")
        self.up(role, interface)
        self._addresses[role] += [f"link set {port} master {interface}" for port in ports]

    def up(self, role, interface):
        self._ups[role].append(f"link set {interface} up")

    def address(self, role, interface, family, address, length=None):
        nodad = " nodad" * (family == 6)
        self._addresses[role].append(f"addr add {address}/{length or LENGTH[family]} dev {interface}{nodad}")

    def route(self, role, destination, via):
        self._routes[role].append(f"route add {destination} via {via}")

    def default(self, role, family, via=None, interface=None):
        way = f"via {via}" if via else f"dev {interface}"
        self._routes[role].append(f"route add {DEFAULT[family]} {way}")

    def lay(self):
        # Both ends of a cable are there before anyone uses one.
        for stages in (self._stages[:1], self._stages[1:]):
            for role, namespace in self._namespaces.items():
                lines = [line for stage in stages for line in stage[role]]
                if lines:
                    command("ip", "-n", namespace.name, "-batch", "-", text="\n".join(lines) + "\n")
