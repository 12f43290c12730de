"""Two ends that are to meet: each behind a router of its own, or both behind one, and the public network between.

    one eth0 --- inside [router] outside --- net --- outside [router] inside --- eth0 other
    192.168.1.2               21.0.0.2                22.0.0.2                   192.168.2.2
    fd00:1::2              2a00:21::2                2a00:22::2                    fd00:2::2

Behind a router that does not translate an end is 31.0.0.2 (2a00:31::2) or 32.0.0.2 (2a00:32::2). In `double-nat` there
is a router `home` beside the end, whose outside is 100.64.1.2 or 100.64.2.2. Behind one router both ends are on one
link: 192.168.1.2 and 192.168.1.3. On `net` are a STUN server with two addresses and a TURN server. The addresses look
public, and exist in these namespaces only: nothing leads out of them. No router turns back what an end sends to that
router's own outside (hairpin).

The labels are those of `labels`. What is between the ends can become another network (`become`) while programs go on
in the ends' namespaces, as long as the ends keep their addresses: see `shape`.
"""

import socket
import struct
from dataclasses import dataclass

from fakes.coturn import Coturn
from peers.chromium_end import Browser, browsing

from labs import natrules
from labs.lab import INSIDE, LENGTH, OUTSIDE, WHOLE, Lab
from labs.labels import LABELS
from labs.natlab import SERVERS, coturn_words

STUN = SERVERS
TURN = {4: "14.0.0.2", 6: "2a00:14::2"}
TURN_PORT = 3478
RELAY_PORTS = (49152, 50175)

# Networks without their last part: `net` or the router is 1 there, and the end is 2.
PUBLIC = ({4: "31.0.0.", 6: "2a00:31::"}, {4: "32.0.0.", 6: "2a00:32::"})
PRIVATE = ({4: "192.168.1.", 6: "fd00:1::"}, {4: "192.168.2.", 6: "fd00:2::"})
CARRIER = ({4: "100.64.1.", 6: "2a00:41::"}, {4: "100.64.2.", 6: "2a00:42::"})
CORE = ({4: "21.0.0.", 6: "2a00:21::"}, {4: "22.0.0.", 6: "2a00:22::"})

# Apart, so that a NAT that keeps ports can keep those of both ends behind it. Few, for the tables of natrules.
END_PORTS = (range(20000, 20512), range(21000, 21512))


@dataclass(frozen=True)
class Shape:
    """What of a label an end's addresses depend on."""

    translates: tuple  # of IPv4 and IPv6
    double: bool
    families: tuple


def shape(label):
    label = LABELS[label]
    return Shape((label.translates(4), label.translates(6)), label.is_double, tuple(label.families))


class End:
    """One of the two: its namespace, its router's, and its addresses."""

    def __init__(self, place, label):
        self.place, self.label, self.shape = place, label, shape(label)
        self.namespace = None
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


class ICELab(Lab):
    """The network of two labels, or, with one label for both, of two ends behind one router."""

    def __init__(self, first, second=None, families=(4, 6)):
        self.families = families
        self.ends = [End(0, first), End(1, first if second is None else second)]
        self.is_shared = second is None
        if self.is_shared:
            self.ends[1].behind = 0
        # One for each end, once they are started.
        self.browsers = []
        self._turn = None
        # Another one each time: a port that was seen before is one that a server may know.
        self._seed = 0
        homes = [f"home{end.place}" for end in self._routed if end.shape.double]
        routers = [f"router{end.place}" for end in self._routed] + homes
        super().__init__(["net", "end0", "end1", *routers], routers=["net", *routers])
        try:
            self._rule()
        except BaseException:
            self.remove()
            raise

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
        wanted = [(address, port) for address in addresses for port in natrules.STUN_PORTS]
        self.start("net", *coturn_words(addresses), wanted=wanted)

    def start_turn(self):
        """coturn as a TURN server over UDP and TCP for `turnwire.USER`; stopped by `remove`."""
        self._turn = Coturn(
            addresses=[TURN[family] for family in self.families], prefix=["ip", *self.net.prefix()],
            ports=(TURN_PORT, TURN_PORT + 1), relay_ports=RELAY_PORTS, loopback_peers=False,
        )  # fmt: skip
        self._turn.__enter__()

    def start_browsers(self, hides_addresses=True):
        with browsing():
            for end in self.ends:
                self.browsers.append(Browser(end.namespace, hides_addresses))

    def remove(self):
        for browser in self.browsers:
            browser.close()
        self.browsers = []
        if self._turn:
            self._turn.stop()
            self._turn = None
        super().remove()

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

    def wire(self, wires):
        wires.sink("net", "servers")
        for family in self.families:
            for one in (*STUN[family], TURN[family]):
                wires.address("net", "servers", family, one, WHOLE[family])
            # What is for nobody here is lost without a word, as it is with most providers.
            wires.default("net", family, interface="servers")
        for end in self._routed:
            self._wire_router(end, wires)
        if self.is_shared:
            wires.switch(self._nearest(0), INSIDE, ["port0", "port1"])
        for end in self.ends:
            role = f"end{end.place}"
            end.namespace = self.namespaces[role]
            port = f"port{end.place}" if self.is_shared else INSIDE
            wires.cable(role, "eth0", self._nearest(end.behind), port)
            for family in self._families(end):
                wires.address(role, "eth0", family, end.address(family))
                wires.default(role, family, via=end.network(family) + "1")
            ports = END_PORTS[end.place]
            end.namespace.sysctl("net.ipv4.ip_local_port_range", f"{ports.start} {ports.stop - 1}")

    def _nearest(self, place):
        """The router that an end is at."""
        home = f"home{place}"
        return home if home in self.namespaces else f"router{place}"

    def _wire_router(self, end, wires):
        """The router of an end, and the home router if there is one, from `net` up to the inside."""
        place, router, nearest = end.place, f"router{end.place}", self._nearest(end.place)
        wires.cable(router, OUTSIDE, "net", f"to{place}")
        if nearest != router:
            wires.cable(nearest, OUTSIDE, router, INSIDE)
        for family in self.families:
            core, carrier = CORE[place][family], CARRIER[place][family]
            network = f"{PUBLIC[place][family]}{'0' if family == 4 else ''}/{LENGTH[family]}"
            wires.address("net", f"to{place}", family, core + "1")
            wires.route("net", network, via=core + "2")
            wires.address(router, OUTSIDE, family, core + "2")
            wires.default(router, family, via=core + "1")
            if nearest != router:
                wires.address(router, INSIDE, family, carrier + "1")
                wires.address(nearest, OUTSIDE, family, carrier + "2")
                wires.default(nearest, family, via=carrier + "1")
                wires.route(router, network, via=carrier + "2")
            if family in self._families(end):
                wires.address(nearest, INSIDE, family, end.network(family) + "1")

    def _families(self, end):
        return [family for family in self.families if family in end.shape.families]

    # The routers' rules

    def _rule(self):
        self._seed += 2
        self.age(natrules.LIFETIME)
        for end in self._routed:
            peer = self.ends[1 - end.place]
            ports = [port for one in END_PORTS for port in one] if self.is_shared else END_PORTS[end.place]
            self.namespaces[f"router{end.place}"].nft(natrules.router(
                LABELS[end.label], families=self.families, client_ports=ports, seed=self._seed + end.place,
                outside={family: end.outside(family) for family in self.families},
                destinations={
                    family: dict.fromkeys((*STUN[family], TURN[family], peer.outside(family)))
                    for family in self.families
                },
            ))  # fmt: skip
            if end.shape.double:
                self.namespaces[f"home{end.place}"].nft(natrules.home())
        for role, router in self.routers.items():
            if role != "net":
                forget_flows(router)


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
