"""What a lab's network does to datagrams, seen from both of its ends at once with plain sockets.

No STUN, no icecheck: the server's side says itself which source it saw, and sends by itself what nobody asked for. So
what it finds does not rest on the method that it is there to hold to account.
"""

import itertools
import select
import socket
from contextlib import ExitStack, contextmanager

from labs.labels import Behaviour
from labs.natlab import SERVERS
from labs.natrules import STUN_PORTS

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

# At a loss of a fifth, the chance that all of these are lost is 0.2^40.
COPIES = 40
# How long a datagram may take between two namespaces of a busy machine.
PATIENCE = 0.25


class Probe:
    """Endpoints on two ports of both servers; A1, A2, B1 and B2 of the family, in this order."""

    def __init__(self, lab, family, ports=STUN_PORTS):
        self.lab, self.family = lab, family
        self._stack = ExitStack()
        self._marks = itertools.count(1)
        self.endpoints = []
        with lab.server.entered():
            for address in SERVERS[family]:
                for port in ports:
                    made = self._stack.enter_context(socket.socket(FAMILIES[family], socket.SOCK_DGRAM))
                    made.bind((address, port))
                    self.endpoints.append(made)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    @contextmanager
    def client(self, kind=socket.SOCK_DGRAM):
        """A fresh socket of the client's, bound to a port that the system chooses among those not used before.

        What an earlier socket opened in the router outlives it: the same port would inherit its filter.
        """
        used = self.lab.client_ports_used
        while True:
            with self.lab.client.entered():
                made = socket.socket(FAMILIES[self.family], kind)
            # The address is given, so that it can be compared with what the other side sees.
            made.bind((self.lab.client_address(self.family), 0))
            place = self.family, made.getsockname()[1]
            if place not in used:
                break
            made.close()
        used.add(place)
        with made:
            yield made

    def contact(self, client, number):
        """The source that an endpoint sees of this client, or None where nothing arrives."""
        endpoint = self.endpoints[number]
        mark = self._mark()
        for copy in range(COPIES):
            client.sendto(mark, endpoint.getsockname())
            # A lost one is sent again soon; the last one is waited for.
            for content, source in _received(endpoint, 4 * PATIENCE if copy == COPIES - 1 else 0.005):
                if content == mark:
                    return source
        return None

    def arrivals(self, client, target):
        """The endpoints whose datagrams to `target` reach this client, by their number."""
        for _ in _received(client, patience=0):
            pass
        marks = [self._mark() for _ in self.endpoints]
        for _ in range(COPIES):
            for endpoint, mark in zip(self.endpoints, marks):
                endpoint.sendto(mark, target)
        places = {endpoint.getsockname(): number for number, endpoint in enumerate(self.endpoints)}
        # A datagram counts for the endpoint that it says it is from, and only if it comes from there.
        return {places[source] for content, source in _received(client) if content == marks[places[source]]}

    def mapping(self):
        with self.client() as client:
            seen = [self.contact(client, number) for number in range(4)]
            return classify_mapping(client.getsockname(), seen)

    def filtering(self):
        """What gets in at a fresh socket after it has sent to the first endpoint only."""
        if self.before_contact():
            return "none"
        with self.client() as client:
            outside = self.contact(client, 0)
            return "unknown" if outside is None else classify_filtering(self.arrivals(client, outside))

    def before_contact(self):
        """What gets in at a socket that has sent nothing, at the port that it has."""
        with self.client() as client:
            port = client.getsockname()[1]
            return self.arrivals(client, (self.lab.public_address(self.family), port))

    def behaviour(self):
        return Behaviour(self.mapping(), self.filtering())

    def mapping_over_tcp(self):
        """The sources that the endpoints see of connections from one port."""
        seen = []
        with ExitStack() as stack:
            port = 0
            for endpoint in self.endpoints:
                with self.lab.server.entered():
                    listener = socket.create_server(endpoint.getsockname()[:2], family=endpoint.family)
                stack.enter_context(listener)
                with self.lab.client.entered():
                    client = stack.enter_context(socket.socket(FAMILIES[self.family], socket.SOCK_STREAM))
                client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                client.bind((self.lab.client_address(self.family), port))
                port = client.getsockname()[1]
                client.settimeout(5)
                client.connect(listener.getsockname())
                seen.append(listener.accept()[1])
            return classify_mapping(client.getsockname(), seen)

    def _mark(self):
        return b"mark %d" % next(self._marks)


def _received(end, patience=PATIENCE):
    """All that comes until nothing has come for a while, one by one."""
    while select.select([end], [], [], patience)[0]:
        yield end.recvfrom(2048)


def classify_mapping(own, seen):
    """RFC 4787, section 4.1, from what A1, A2, B1 and B2 saw of one socket."""
    if None in seen:
        return "unknown"
    first, same_address, *others = seen
    if len(set(seen)) == 1:
        return "none" if first == own else "endpoint-independent"
    if first == same_address and others[0] == others[1]:
        return "address-dependent"
    if len(set(seen)) == 4:
        return "address-and-port-dependent"
    return f"of no kind: {seen}"


def classify_filtering(arrived):
    """RFC 4787, section 5, from who got in after A1 alone was sent to."""
    kinds = {
        frozenset({0, 1, 2, 3}): "endpoint-independent",
        frozenset({0, 1}): "address-dependent",
        frozenset({0}): "address-and-port-dependent",
    }
    return kinds.get(frozenset(arrived), f"of no kind: {sorted(arrived)}")
