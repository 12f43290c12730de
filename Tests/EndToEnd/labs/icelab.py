"""Two ends that are to meet: each behind a router of its own, or both behind one, and the public network between.

    one eth0 --- inside [router] outside --- net --- outside [router] inside --- eth0 other
    192.168.1.2               21.0.0.2                22.0.0.2                   192.168.2.2
    fd00:1::2              2a00:21::2                2a00:22::2                    fd00:2::2

Behind a router that does not translate an end is 31.0.0.2 (2a00:31::2) or 32.0.0.2 (2a00:32::2). In `double-nat` there
is a router `home` beside the end, whose outside is 100.64.1.2 or 100.64.2.2. Behind one router both ends are on one
link: 192.168.1.2 and 192.168.1.3. On `net` are a STUN server with two addresses and a TURN server. The addresses look
public, and exist in these namespaces only: nothing leads out of them. No router turns back what an end sends to that
router's own outside (hairpin).

The labels are those of `natlab`. What is between the ends can become another network (`become`) while programs go on
in the ends' namespaces, as long as the ends keep their addresses: see `shape`.
"""

import signal
import socket
import struct
import subprocess
import time
from dataclasses import dataclass

from fakes.coturn import Coturn
from peers.chromium_end import Browser

from labs import natrules
from labs.natlab import LABELS, LENGTH, SERVERS, caretaker, tied_to_us
from labs.netlab import Namespace, command

STUN = SERVERS
TURN = {4: "14.0.0.2", 6: "2a00:14::2"}
TURN_PORT = 3478
RELAY_PORTS = (49152, 50175)

# Networks without their last part: `net` or the router is 1 there, and the end is 2.
PUBLIC = ({4: "31.0.0.", 6: "2a00:31::"}, {4: "32.0.0.", 6: "2a00:32::"})
PRIVATE = ({4: "192.168.1.", 6: "fd00:1::"}, {4: "192.168.2.", 6: "fd00:2::"})
CARRIER = ({4: "100.64.1.", 6: "2a00:41::"}, {4: "100.64.2.", 6: "2a00:42::"})
CORE = ({4: "21.0.0.", 6: "2a00:21::"}, {4: "22.0.0.", 6: "2a00:22::"})
DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}

# Apart, so that a NAT that keeps ports can keep those of both ends behind it. Few, for the tables of natrules.
END_PORTS = (range(20000, 20512), range(21000, 21512))
LIFETIME = 120


@dataclass(frozen=True)
class Shape:
    """What of a label an end's addresses depend on."""

    translates: tuple  # of IPv4 and IPv6
    double: bool
    families: tuple


def shape(label):
    nat = LABELS[label].nat
    return Shape((nat != "none", nat in ("table", "masquerade")), nat == "double", tuple(LABELS[label].families))


class End:
    """One of the two: its namespace, its router's, and its addresses."""

    def __init__(self, place, label):
        self.place, self.label, self.shape = place, label, shape(label)
        self.namespace = self.router = self.home = None
        # Which of the router's ends it is: the networks are the first one's.
        self.behind = place

    @property
    def number(self):
        return 2 if self.behind == self.place else 3

    def network(self, family):
        translates = self.shape.translates[family == 6]
        return (PRIVATE if translates else PUBLIC)[self.behind][family]

    def address(self, family):
        return f"{self.network(family)}{self.number}"

    def outside(self, family):
        """What the public network sees of it."""
        translates = self.shape.translates[family == 6]
        return CORE[self.behind][family] + "2" if translates else self.address(family)

    @property
    def nearest(self):
        return self.home or self.router


class ICELab:
    """The network of two labels, or, with one label for both, of two ends behind one router, until `remove`."""

    def __init__(self, first, second=None, families=(4, 6)):
        self.families = families
        self.namespaces, self.servers = {}, []
        self.ends = [End(0, first), End(1, first if second is None else second)]
        self.is_shared = second is None
        # One for each end, once they are started.
        self.browsers = []
        self._caretaker = self._turn = None
        # Another one each time: a port that was seen before is one that a server may know.
        self._seed = 0
        roles = ["net", "router0", "end0", "end1"] + ["router1"] * (not self.is_shared)
        roles += [f"home{end.place}" for end in self._routed if end.shape.double]
        try:
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
    def net(self):
        return self.namespaces["net"]

    @property
    def _routed(self):
        """The ends with a router of their own."""
        return self.ends[:1] if self.is_shared else self.ends

    # The servers

    def start_stun(self):
        """coturn on both addresses of each family, with RFC 5780, for anyone; stopped by `remove`."""
        addresses = [address for family in self.families for address in STUN[family]]
        process = subprocess.Popen(
            ["ip", *self.net.prefix(), "turnserver", "-n", "-S", *[word for one in addresses for word in ("-L", one)],
             "-p", str(natrules.STUN_PORTS[0]), "--alt-listening-port", str(natrules.STUN_PORTS[1]), "--no-tls",
             "--no-dtls", "--no-cli", "--log-file", "stdout", "--simple-log", "--pidfile", ""],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=tied_to_us(signal.SIGKILL),
        )  # fmt: skip
        self.servers.append(process)
        wanted = {(address, port) for address in addresses for port in natrules.STUN_PORTS}
        deadline = time.monotonic() + 10
        while missing := wanted - self._listening():
            if process.poll() is not None or time.monotonic() > deadline:
                raise OSError(f"turnserver does not listen on {sorted(missing)}")
            time.sleep(0.02)

    def start_turn(self):
        """coturn as a TURN server over UDP and TCP for `turnwire.USER`; stopped by `remove`."""
        server = Coturn(
            addresses=[TURN[family] for family in self.families], prefix=["ip", *self.net.prefix()],
            ports=(TURN_PORT, TURN_PORT + 1), relay_ports=RELAY_PORTS, loopback_peers=False,
        )  # fmt: skip
        server.__enter__()
        self.servers.append(server)
        self._turn = server

    def start_browsers(self, hides_addresses=True):
        for end in self.ends:
            self.browsers.append(Browser(end.namespace, hides_addresses))

    def _listening(self):
        lines = command("ip", *self.net.prefix(), "ss", "-Hlnu").splitlines()
        ends = [line.split()[3].rpartition(":") for line in lines]
        return {(address.strip("[]"), int(port)) for address, _, port in ends if port.isdigit()}

    def remove(self):
        for browser in self.browsers:
            browser.close()
        self.browsers = []
        for server in self.servers:
            if isinstance(server, Coturn):
                server.stop()
            else:
                server.kill()
                server.wait()
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

    # The network

    def become(self, first, second=None):
        """The same ends, and other routers between them: without memory of what passed before."""
        labels = (first, first if second is None else second)
        if self.is_shared != (second is None) or [shape(one) for one in labels] != [end.shape for end in self.ends]:
            raise ValueError(f"the ends' addresses are not those of {labels}")
        for end, label in zip(self.ends, labels):
            end.label = label
        self._rule()
        if self._turn:
            # An allocation that an end left behind would meet the next one with that address and port.
            self._turn.stop()
            self._turn.__enter__()

    def _wire(self):
        """All commands of a namespace at once, which takes a tenth of the time."""
        wires = {role: ["link set lo up"] for role in self.namespaces}
        for role, namespace in self.namespaces.items():
            namespace.sysctl("net.ipv6.conf.default.accept_dad", 0)
            if not role.startswith("end"):
                for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
                    namespace.sysctl(name, 1)
                namespace.sysctl("net.ipv4.icmp_ratelimit", 0)
                namespace.sysctl("net.ipv6.icmp.ratelimit", 0)
        self._wire_net(wires["net"])
        for end in self._routed:
            self._wire_router(end, wires)
        if self.is_shared:
            self._wire_switch(wires)
        for end in self.ends:
            own = wires[f"end{end.place}"]
            for family in self._families(end):
                own.append(_address("eth0", family, end.address(family)))
                own.append(_route(DEFAULT[family], end.network(family) + "1"))
            ports = END_PORTS[end.place]
            end.namespace.sysctl("net.ipv4.ip_local_port_range", f"{ports.start} {ports.stop - 1}")
        # Both ends of a cable are there before anyone uses one.
        for only_cables in (True, False):
            for role, lines in wires.items():
                chosen = [line for line in lines if line.startswith("link add") == only_cables]
                command("ip", "-n", self.namespaces[role].name, "-batch", "-", text="\n".join(chosen) + "\n")

    def _wire_net(self, own):
        # A cable whose other end takes nothing: no address is asked for, and all frames are for someone else.
        own += ["link add servers type veth peer name nowhere", "link set servers up arp off", "link set nowhere up"]
        for family in self.families:
            own += [_address("servers", family, one, whole=True) for one in (*STUN[family], TURN[family])]
            # What is for nobody here is lost without a word, as it is with most providers.
            own.append(f"route add {DEFAULT[family]} dev servers")

    def _wire_router(self, end, wires):
        """The router of an end, and the home router if there is one, from `net` up to the inside."""
        place, router = end.place, f"router{end.place}"
        end.router, end.namespace = self.namespaces[router], self.namespaces[f"end{place}"]
        self._cable(wires, router, "outside", "net", f"to{place}")
        nearest = router
        if end.shape.double:
            nearest = f"home{place}"
            end.home = self.namespaces[nearest]
            self._cable(wires, nearest, "outside", router, "inside")
        if not self.is_shared:
            self._cable(wires, f"end{place}", "eth0", nearest, "inside")
        for family in self.families:
            core, carrier = CORE[place][family], CARRIER[place][family]
            network = f"{PUBLIC[place][family]}{'0' if family == 4 else ''}/{LENGTH[family]}"
            wires["net"] += [_address(f"to{place}", family, core + "1"), _route(network, core + "2")]
            wires[router] += [_address("outside", family, core + "2"), _route(DEFAULT[family], core + "1")]
            if end.home:
                wires[router].append(_address("inside", family, carrier + "1"))
                wires[nearest].append(_address("outside", family, carrier + "2"))
                wires[nearest].append(_route(DEFAULT[family], carrier + "1"))
                wires[router].append(_route(network, carrier + "2"))
            if family in self._families(end):
                wires[nearest].append(_address("inside", family, end.network(family) + "1"))

    def _wire_switch(self, wires):
        """The inside of the one router is a switch, with both ends at it."""
        first, second = self.ends
        second.behind, second.router, second.home = 0, first.router, first.home
        second.namespace = self.namespaces["end1"]
        nearest = "home0" if first.home else "router0"
        # The switch must be there before its addresses.
        wires[nearest].insert(0, "link add inside type bridge")
        wires[nearest].append("link set inside up")
        for end in self.ends:
            self._cable(wires, f"end{end.place}", "eth0", nearest, f"port{end.place}")
            wires[nearest].append(f"link set port{end.place} master inside")

    def _cable(self, wires, role, interface, other, other_interface):
        peer = self.namespaces[other].name
        wires[role].append(f"link add {interface} type veth peer name {other_interface} netns {peer}")
        # Before addresses and routes.
        wires[role].insert(0, f"link set {interface} up")
        wires[other].insert(0, f"link set {other_interface} up")

    def _families(self, end):
        return [family for family in self.families if family in end.shape.families]

    # The routers' rules

    def _rule(self):
        self._seed += 2
        for end in self._routed:
            rules = self._rules(end)
            for router in [end.router] + [end.home] * (end.home is not None):
                for name in ("udp_timeout", "udp_timeout_stream"):
                    router.sysctl(f"net.netfilter.nf_conntrack_{name}", LIFETIME)
            end.router.nft("flush ruleset\n" + "\n".join(rules))
            if end.home:
                end.home.nft("flush ruleset\n" + natrules.masquerade(4) + natrules.firewall())
        for router in {end.router for end in self.ends} | {end.home for end in self.ends if end.home}:
            forget_flows(router)

    def _rules(self, end):
        label = LABELS[end.label]
        families = self._families(end)
        ports = END_PORTS[end.place]
        if self.is_shared:
            ports = [port for one in END_PORTS for port in one]
        if label.nat == "table":
            for family in families:
                kind, peer = label.behaviour(family), self.ends[1 - end.place]
                yield natrules.translation(
                    family, kind.mapping, kind.filtering, outside=end.outside(family), lifetime=LIFETIME,
                    destinations=dict.fromkeys((*STUN[family], TURN[family], peer.outside(family))),
                    client_ports=ports, seed=self._seed + end.place,
                )  # fmt: skip
        elif label.nat == "masquerade":
            for family in families:
                yield natrules.masquerade(family, label.flags)
        elif label.nat == "double" and 4 in families:
            yield natrules.masquerade(4)
        if label.firewall:
            yield natrules.firewall()
        if label.udp == "dropped":
            yield natrules.forward("meta l4proto udp drop")
        elif label.udp == "rejected":
            yield natrules.forward("meta l4proto udp reject with icmpx type admin-prohibited")
        if label.loss:
            yield natrules.forward(f"meta l4proto {{ tcp, udp }} numgen random mod 100 < {label.loss} drop")


def forget_flows(router):
    """Empties conntrack's table, as a router does that is switched off."""
    netfilter, subsystem, delete, request, acknowledge = 12, 1, 2, 1, 4
    with router.entered():
        made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, netfilter)
    with made:
        made.settimeout(5)
        made.send(struct.pack("=IHHII4x", 20, subsystem << 8 | delete, request | acknowledge, 1, 0))
        error = -struct.unpack_from("=i", made.recv(4096), 16)[0]
        if error:
            raise OSError(error, "conntrack's table cannot be emptied")


def _address(interface, family, address, whole=False):
    length = {4: 32, 6: 128}[family] if whole else LENGTH[family]
    return f"addr add {address}/{length} dev {interface}{' nodad' * (family == 6)}"


def _route(destination, via):
    return f"route add {destination} via {via}"
