"""Kernel NATs of every kind, each between a client and a STUN server with two addresses, for as long as it is wanted.

    client eth0 --- inside router outside --- eth0 server
                 192.168.1.0/24        11.0.0.0/24       and 12.0.0.2 on the server
                 fd00:1::/64           2a00:11::/64      and 2a00:12::2

Behind a router that does not translate, the client is 13.0.0.2 and 2a00:13::2. In `double-nat` there is a router
`home` between them, whose outside is 100.64.0.2. The addresses look public, and exist in these namespaces only:
nothing leads out of them. No router turns a client's datagram to its own outside back to it (hairpin).
"""

import ctypes
import signal
import subprocess
import time
from dataclasses import dataclass

from labs import delay, natrules
from labs.natrules import FILTERINGS, MAPPINGS
from labs.netlab import Namespace, command

STUN_PORT, ALTERNATE_PORT = natrules.STUN_PORTS

SERVERS = {4: ("11.0.0.2", "12.0.0.2"), 6: ("2a00:11::2", "2a00:12::2")}
OUTSIDE = {4: "11.0.0.1", 6: "2a00:11::1"}
# Network of the client, without the last part.
PUBLIC = {4: "13.0.0.", 6: "2a00:13::"}
PRIVATE = {4: "192.168.1.", 6: "fd00:1::"}
CARRIER = {4: "100.64.0.", 6: "2a00:14::"}
LENGTH = {4: 24, 6: 64}

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Behaviour:
    """In the terms of RFC 4787, and "none" where nothing is translated or filtered."""

    mapping: str
    filtering: str


OPEN = Behaviour("none", "none")
FIREWALL = Behaviour("none", "address-and-port-dependent")
MASQUERADE = Behaviour("endpoint-independent", "address-and-port-dependent")
RANDOM = Behaviour("address-and-port-dependent", "address-and-port-dependent")


@dataclass(frozen=True)
class Label:
    """One network: what it is, and what is true of it over UDP. `None` for a family that the client does not have."""

    words: str
    ipv4: Behaviour | None
    ipv6: Behaviour | None
    nat: str = "none"  # "none", "table", "masquerade" or "double"
    flags: str = ""
    firewall: bool = False
    udp: str = "passes"  # or "dropped", "rejected"
    loss: int = 0  # percent each way

    def behaviour(self, family):
        return self.ipv4 if family == 4 else self.ipv6

    @property
    def families(self):
        return [family for family in (4, 6) if self.behaviour(family)]


def _both(words, behaviour, **more):
    return Label(words, behaviour, behaviour, **more)


_SHORT = dict(zip(MAPPINGS, ("ei", "ad", "apd")))

LABELS = {
    "no-nat": _both("public addresses, everything passes", OPEN),
    "firewall": _both("public addresses, a stateful firewall", FIREWALL, firewall=True),
    **{
        f"nat-{_SHORT[mapping]}m-{_SHORT[filtering]}f": _both(
            f"{mapping} mapping, {filtering} filtering", Behaviour(mapping, filtering), nat="table"
        )
        for mapping in MAPPINGS
        for filtering in FILTERINGS
    },
    "masquerade": _both("masquerade as most home routers do it", MASQUERADE, nat="masquerade"),
    # Either flag makes the kernel choose a port for each flow, without a look at the mappings that the socket has.
    "masquerade-random": _both("masquerade random", RANDOM, nat="masquerade", flags="random"),
    "masquerade-fully-random": _both("masquerade fully-random", RANDOM, nat="masquerade", flags="fully-random"),
    "double-nat": Label(
        "IPv4 behind a home router and a carrier's NAT, IPv6 behind the home router's firewall",
        MASQUERADE,
        FIREWALL,
        nat="double",
    ),
    "udp-dropped": _both("masquerade, and all UDP is dropped", MASQUERADE, nat="masquerade", udp="dropped"),
    "udp-rejected": _both("masquerade, and all UDP is rejected", MASQUERADE, nat="masquerade", udp="rejected"),
    "ipv6-only": Label("a public IPv6 address, no IPv4", None, OPEN),
    "loss-20": _both("masquerade, a fifth lost each way", MASQUERADE, nat="masquerade", loss=20),
}


class NATLab:
    """The network of a label, until `remove`.

    `udp_timeout` (seconds) is how long a mapping lives that is not used, `round_trip` (seconds) what the way between
    router and server takes.
    """

    def __init__(self, label, udp_timeout=None, round_trip=0):
        self.name, self.label = label, LABELS[label]
        # The processes are killed when it ends.
        self.namespaces, self.servers = {}, []
        self.udp_timeout, self.round_trip = udp_timeout, round_trip
        # Family and port of each of the client's sockets so far, for those that must not follow another.
        self.client_ports_used = set()
        self._caretaker = None
        try:
            roles = ["client", "router", "server"] + ["home"] * (self.label.nat == "double")
            for role in roles:
                self.namespaces[role] = Namespace(role)
            self._caretaker = caretaker([namespace.name for namespace in self.namespaces.values()])
            self._wire()
            self._rule()
        except BaseException:
            self.remove()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    @property
    def client(self):
        return self.namespaces["client"]

    @property
    def router(self):
        return self.namespaces["router"]

    @property
    def server(self):
        return self.namespaces["server"]

    @property
    def translates(self):
        return {4: self.label.nat != "none", 6: self.label.nat in ("table", "masquerade")}

    def client_address(self, family):
        return (PRIVATE if self.translates[family] else PUBLIC)[family] + "2"

    def public_address(self, family):
        """What the server sees of the client."""
        return OUTSIDE[family] if self.translates[family] else self.client_address(family)

    @staticmethod
    def server_addresses(family):
        return SERVERS[family]

    def start_coturn(self, *more):
        """coturn on both addresses of each family, with RFC 5780, for anyone; stopped by `remove`.

        Ask the first address of a family: asked at the second, coturn 4.6.1 names that one itself in OTHER-ADDRESS.
        """
        listening = [one for family in (4, 6) for address in SERVERS[family] for one in ("-L", address)]
        return self.start(
            "turnserver", "-n", "-S", *listening, "-p", STUN_PORT, "--alt-listening-port", ALTERNATE_PORT,
            "--no-tls", "--no-dtls", "--no-cli", "--log-file", "stdout", "--simple-log", "--pidfile", "", *more,
        )  # fmt: skip

    def start_icecheck(self, binary):
        """`icecheck serve` in place of coturn, in the same places."""
        addresses = [one for family in (4, 6) for one in zip(("--listen", "--alternate"), SERVERS[family])]
        ports = ["--port", STUN_PORT, "--alternate-port", ALTERNATE_PORT]
        return self.start(binary, "serve", *[word for pair in addresses for word in pair], *ports)

    def start(self, *arguments, families=(4, 6)):
        """A program in the server's namespace, as soon as it listens on both ports of these families' addresses."""
        inside = ["ip", *self.server.prefix(), *map(str, arguments)]
        # Its end is tied to ours: no server outlives a lab that was killed.
        process = subprocess.Popen(
            inside, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, preexec_fn=tied_to_us(signal.SIGKILL),
        )  # fmt: skip
        self.servers.append(process)
        wanted = {(address, port) for family in families for address in SERVERS[family] for port in natrules.STUN_PORTS}
        deadline = time.monotonic() + 10
        while missing := wanted - self._listening():
            if process.poll() is not None:
                raise OSError(f"{arguments[0]} ended with {process.returncode}")
            if time.monotonic() > deadline:
                raise OSError(f"{arguments[0]} does not listen on {sorted(missing)}")
            time.sleep(0.02)
        return process

    def _listening(self):
        """Address and port of every UDP socket of the server's."""
        lines = command("ip", *self.server.prefix(), "ss", "-Hlnu").splitlines()
        ends = [line.split()[3].rpartition(":") for line in lines]
        return {(address.strip("[]"), int(port)) for address, _, port in ends if port.isdigit()}

    def remove(self):
        for process in self.servers:
            process.kill()
            process.wait()
        self.servers = []
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

    def _wire(self):
        for namespace in self.namespaces.values():
            namespace.ip("link", "set", "lo", "up")
            namespace.sysctl("net.ipv6.conf.default.accept_dad", 0)
        routers = [self.router]
        if self.round_trip:
            self._slow_cable(self.server, "eth0", self.router, "outside")
        else:
            _cable(self.server, "eth0", self.router, "outside")
        for family in (4, 6):
            first, second = SERVERS[family]
            _address(self.router, "outside", family, OUTSIDE[family])
            _address(self.server, "eth0", family, first)
            _address(self.server, "eth0", family, second, 32 if family == 4 else 128)
            _route(self.server, family, "default", OUTSIDE[family])
            _route(self.router, family, second, first)
        nearest = self.router
        if self.label.nat == "double":
            nearest = self.namespaces["home"]
            routers.append(nearest)
            _cable(nearest, "outside", self.router, "inside")
            for family in (4, 6):
                _address(self.router, "inside", family, CARRIER[family] + "1")
                _address(nearest, "outside", family, CARRIER[family] + "2")
                _route(nearest, family, "default", CARRIER[family] + "1")
            _route(self.router, 6, PUBLIC[6] + "/64", CARRIER[6] + "2")
        _cable(self.client, "eth0", nearest, "inside")
        for family in self.label.families:
            network = (PRIVATE if self.translates[family] else PUBLIC)[family]
            _address(nearest, "inside", family, network + "1")
            _address(self.client, "eth0", family, network + "2")
            _route(self.client, family, "default", network + "1")
        self.client.sysctl(
            "net.ipv4.ip_local_port_range", f"{natrules.CLIENT_PORTS.start} {natrules.CLIENT_PORTS.stop - 1}"
        )
        for router in routers:
            for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
                router.sysctl(name, 1)
            router.sysctl("net.ipv4.icmp_ratelimit", 0)
            router.sysctl("net.ipv6.icmp.ratelimit", 0)

    def _slow_cable(self, end, interface, router, router_interface):
        descriptors = []
        for namespace, name in ((end, interface), (router, router_interface)):
            with namespace.entered():
                descriptors.append(delay.open_tun(name))
        # Its end is tied to ours, and so are the devices.
        self.servers.append(delay.start(*descriptors, self.round_trip / 2, preexec_fn=tied_to_us(signal.SIGKILL)))
        for namespace, name in ((end, interface), (router, router_interface)):
            namespace.ip("link", "set", name, "up")

    def _rule(self):
        label = self.label
        rules = []
        if label.nat == "table":
            # One lifetime for conntrack and for the sets beside it, or they would tell two stories.
            lifetime = self.udp_timeout or 120
            self._age(lifetime)
            rules += [
                natrules.translation(
                    family, label.behaviour(family).mapping, label.behaviour(family).filtering,
                    outside=OUTSIDE[family], destinations=SERVERS[family], lifetime=lifetime,
                )
                for family in label.families
            ]  # fmt: skip
        elif label.nat == "masquerade":
            rules += [natrules.masquerade(family, label.flags) for family in label.families]
        elif label.nat == "double":
            home = natrules.masquerade(4) + natrules.firewall()
            self.namespaces["home"].nft(home)
            rules.append(natrules.masquerade(4))
        if label.firewall:
            rules.append(natrules.firewall())
        if label.udp == "dropped":
            rules.append(natrules.forward("meta l4proto udp drop"))
        elif label.udp == "rejected":
            rules.append(natrules.forward("meta l4proto udp reject with icmpx type admin-prohibited"))
        if label.loss:
            rules.append(natrules.forward(f"meta l4proto {{ tcp, udp }} numgen random mod 100 < {label.loss} drop"))
        for one in rules:
            self.router.nft(one)
        if self.udp_timeout:
            self._age(self.udp_timeout)

    def _age(self, seconds):
        for role in {"router", "home"} & self.namespaces.keys():
            for name in ("udp_timeout", "udp_timeout_stream"):
                self.namespaces[role].sysctl(f"net.netfilter.nf_conntrack_{name}", seconds)


def _cable(end, interface, router, router_interface):
    end.ip("link", "add", interface, "type", "veth", "peer", "name", router_interface, "netns", router.name)
    end.ip("link", "set", interface, "up")
    router.ip("link", "set", router_interface, "up")


def _address(namespace, interface, family, address, length=None):
    nodad = ["nodad"] if family == 6 else []
    namespace.ip("addr", "add", f"{address}/{length or LENGTH[family]}", "dev", interface, *nodad)


def _route(namespace, family, destination, via):
    namespace.ip(f"-{family}", "route", "add", destination, "via", via)


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
