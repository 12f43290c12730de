"""Kernel NATs of every kind, each between a client and a STUN server with two addresses, for as long as it is wanted.

    client eth0 --- inside router outside --- eth0 server
                 192.168.1.0/24        11.0.0.0/24       and 12.0.0.2 on the server
                 fd00:1::/64           2a00:11::/64      and 2a00:12::2

Behind a router that does not translate, the client is 13.0.0.2 and 2a00:13::2. In `double-nat` there is a router
`home` between them, whose outside is 100.64.0.2. The addresses look public, and exist in these namespaces only:
nothing leads out of them. No router turns a client's datagram to its own outside back to it (hairpin).
"""

import signal

from harness.stopwatch import watch

from labs import delay, natrules
from labs.lab import INSIDE, OUTSIDE, WHOLE, Lab
from labs.labels import LABELS
from labs.namespaces import tied_to_us

STUN_PORT, ALTERNATE_PORT = natrules.STUN_PORTS

SERVERS = {4: ("11.0.0.2", "12.0.0.2"), 6: ("2a00:11::2", "2a00:12::2")}
# The router's own address there.
ROUTER = {4: "11.0.0.1", 6: "2a00:11::1"}
# Networks, without the last part.
PUBLIC = {4: "13.0.0.", 6: "2a00:13::"}
PRIVATE = {4: "192.168.1.", 6: "fd00:1::"}
CARRIER = {4: "100.64.0.", 6: "2a00:14::"}


class NATLab(Lab):
    """The network of a label.

    `udp_timeout` (seconds) is how long a mapping lives that is not used, `round_trip` (seconds) what the way between
    router and server takes.
    """

    def __init__(self, label, udp_timeout=None, round_trip=0):
        self.name, self.label = label, LABELS[label]
        self.round_trip = round_trip
        # Family and port of each of the client's sockets so far, for those that must not follow another.
        self.client_ports_used = set()
        self._slow_ends = []
        homes = ["home"] * self.label.is_double
        super().__init__(["client", "router", "server", *homes], routers=["router", *homes])
        try:
            if self._slow_ends:
                self._carry()
            self._rule(udp_timeout)
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

    def client_address(self, family):
        return (PRIVATE if self.label.translates(family) else PUBLIC)[family] + "2"

    def public_address(self, family):
        """What the server sees of the client."""
        return ROUTER[family] if self.label.translates(family) else self.client_address(family)

    @staticmethod
    def server_addresses(family):
        return SERVERS[family]

    def start_coturn(self, *more):
        """coturn on both addresses of each family, with RFC 5780, for anyone; stopped by `remove`.

        Ask the first address of a family: asked at the second, coturn 4.6.1 names that one itself in OTHER-ADDRESS.
        """
        return self.start_server(*coturn_words([one for family in (4, 6) for one in SERVERS[family]]), *more)

    def start_icecheck(self, binary):
        """`icecheck serve` in place of coturn, in the same places."""
        addresses = [one for family in (4, 6) for one in zip(("--listen", "--alternate"), SERVERS[family])]
        ports = ["--port", STUN_PORT, "--alternate-port", ALTERNATE_PORT]
        return self.start_server(binary, "serve", *[word for pair in addresses for word in pair], *ports)

    def start_server(self, *arguments, families=(4, 6)):
        """A program in the server's namespace, as soon as it listens on both ports of these families' addresses."""
        addresses = [address for family in families for address in SERVERS[family]]
        wanted = [(address, port) for address in addresses for port in natrules.STUN_PORTS]
        return self.start("server", *arguments, wanted=wanted)

    def wire(self, wires):
        if self.round_trip:
            self._slow_cable(wires)
        else:
            wires.cable("server", "eth0", "router", OUTSIDE)
        for family in (4, 6):
            first, second = SERVERS[family]
            wires.address("router", OUTSIDE, family, ROUTER[family])
            wires.address("server", "eth0", family, first)
            wires.address("server", "eth0", family, second, WHOLE[family])
            wires.default("server", family, via=ROUTER[family])
            wires.route("router", second, via=first)
        nearest = "router"
        if self.label.is_double:
            nearest = "home"
            wires.cable("home", OUTSIDE, "router", INSIDE)
            for family in (4, 6):
                wires.address("router", INSIDE, family, CARRIER[family] + "1")
                wires.address("home", OUTSIDE, family, CARRIER[family] + "2")
                wires.default("home", family, via=CARRIER[family] + "1")
            wires.route("router", PUBLIC[6] + "/64", via=CARRIER[6] + "2")
        wires.cable("client", "eth0", nearest, INSIDE)
        for family in self.label.families:
            network = (PRIVATE if self.label.translates(family) else PUBLIC)[family]
            wires.address(nearest, INSIDE, family, network + "1")
            wires.address("client", "eth0", family, network + "2")
            wires.default("client", family, via=network + "1")
        ports = natrules.CLIENT_PORTS
        self.client.sysctl("net.ipv4.ip_local_port_range", f"{ports.start} {ports.stop - 1}")

    def _slow_cable(self, wires):
        for role, interface in (("server", "eth0"), ("router", OUTSIDE)):
            with self.namespaces[role].entered():
                self._slow_ends.append(delay.open_tun(interface))
            wires.up(role, interface)

    def _carry(self):
        """From when both devices are up: before, they take nothing. Its end is tied to ours, and so are the devices."""
        cable = delay.start(*self._slow_ends, self.round_trip / 2, preexec_fn=tied_to_us(signal.SIGKILL))
        self.servers.append(watch(cable))

    def _rule(self, udp_timeout):
        # One lifetime for conntrack and for the sets beside it, or they would tell two stories.
        lifetime = udp_timeout or natrules.LIFETIME
        self.router.nft(natrules.router(self.label, outside=ROUTER, destinations=SERVERS, lifetime=lifetime))
        if self.label.is_double:
            self.namespaces["home"].nft(natrules.home())
        if udp_timeout or self.label.nat == "table":
            self.age(lifetime)


def coturn_words(addresses):
    """The command line of a coturn that answers Binding on both ports of these addresses, with RFC 5780, for anyone."""
    listening = [word for address in addresses for word in ("-L", address)]
    return [
        "turnserver", "-n", "-S", *listening, "-p", STUN_PORT, "--alt-listening-port", ALTERNATE_PORT, "--no-tls",
        "--no-dtls", "--no-cli", "--log-file", "stdout", "--simple-log", "--pidfile", "",
    ]  # fmt: skip
