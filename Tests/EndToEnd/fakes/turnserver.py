"""A small honest TURN server over UDP and TCP, made to be broken: `hostile_turn` overrides one method of it at a time.

It relays over real sockets, signs what it says, and takes one user. One thread, one selector.
"""

import os
import selectors
import socket
import struct
import time

from fakes.hostile import Server, family_of
from fakes.stunwire import (
    MESSAGE_INTEGRITY,
    XOR_MAPPED_ADDRESS,
    attribute,
    error_code,
    message,
    parse,
    xor_address_value,
)  # fmt: skip
from fakes.turnwire import (
    ALLOCATE,
    BINDING,
    CHANNEL_BIND,
    CHANNEL_NUMBER,
    CREATE_PERMISSION,
    DATA,
    DATA_VALUE,
    ERROR,
    INDICATION,
    LIFETIME,
    MD5,
    MESSAGE_INTEGRITY_SHA256,
    NONCE_VALUE,
    PASSWORD,
    PASSWORD_ALGORITHM,
    PASSWORD_ALGORITHMS,
    REALM,
    REALM_VALUE,
    REFRESH,
    REQUEST,
    REQUESTED_ADDRESS_FAMILY,
    SEND,
    SUCCESS,
    USER,
    USERHASH,
    USERNAME,
    XOR_PEER_ADDRESS,
    XOR_RELAYED_ADDRESS,
    algorithms,
    class_of,
    framed,
    is_signed_with,
    key_of,
    method_of,
    signed,
    unxored,
    userhash_of,
)  # fmt: skip


class Flow:
    """One client address at one of the server's places: a five-tuple."""

    def __init__(self, server, place, carrier, remote, is_stream):
        self.server, self.place, self.carrier, self.remote = server, place, carrier, remote
        self.is_stream = is_stream
        self.buffer = b""
        self.relay = None
        self.permissions, self.channels = set(), {}
        # What was asked, as method and whether it was signed.
        self.asked = []
        self.answers = {}

    def send(self, data):
        self.server.transmit(self, data)

    def count(self, method, *, was_signed):
        return self.asked.count((method, was_signed))


class Honest:
    """What a TURN server does. A scenario overrides what it does wrong."""

    realm = REALM.encode()
    nonce = b"0123456789abcdef"
    # Numbers in PASSWORD-ALGORITHMS; none leaves it out.
    offered = ()
    # Whether it takes USERHASH (its nonce has to say so).
    takes_userhash = False
    lifetime = 600
    # How many addresses it listens on: a redirect leads from one to another.
    places = 1

    def __init__(self, server):
        self.server = server

    # What comes

    def receive(self, flow, data):
        """One datagram, or one whole message of a stream."""
        if data[0] & 0xC0 == 0x40:
            channel, length = struct.unpack("!HH", data[:4])
            if channel in flow.channels:
                self.to_peer(flow, flow.channels[channel], data[4 : 4 + length])
            return
        request = parse(data)
        method, class_ = method_of(request.kind), class_of(request.kind)
        if class_ == INDICATION and method == SEND:
            peer = unxored(request.value(XOR_PEER_ADDRESS), request.transaction)
            if flow.relay and peer[0] in flow.permissions:
                self.to_peer(flow, peer, request.value(DATA_VALUE))
        if class_ != REQUEST:
            return
        was_signed = any(number in (MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256) for number, _ in request.attributes)
        # A retransmission gets the answer that its first got, as from a server without a memory of its own.
        again = flow.answers.get(request.transaction)
        if again is None:
            flow.asked.append((method, was_signed))
            again = flow.answers[request.transaction] = self.as_list(self.answer(flow, request, data, was_signed))
        for one in again:
            flow.send(one)

    @staticmethod
    def as_list(answer):
        return answer if isinstance(answer, list) else [] if answer is None else [answer]

    def answer(self, flow, request, data, was_signed):
        """Bytes, a list of them, or None for silence."""
        if method_of(request.kind) == BINDING:
            return message(BINDING | SUCCESS, request.transaction, self.mapped(flow, request))
        if not was_signed:
            return self.challenge(flow, request)
        if not self.is_authentic(flow, request, data):
            return self.refuse_credentials(flow, request)
        work = {
            ALLOCATE: self.allocate, REFRESH: self.refresh, CREATE_PERMISSION: self.permit, CHANNEL_BIND: self.bind,
        }.get(method_of(request.kind))  # fmt: skip
        return work(flow, request) if work else self.error(flow, request, 400)

    # Who asks

    @property
    def algorithm(self):
        return max(self.offered, default=MD5)

    @property
    def uses_sha256_integrity(self):
        return bool(self.offered)

    def key(self, flow):
        return key_of(USER, self.realm, PASSWORD, self.algorithm)

    def challenge_attributes(self, flow):
        more = [algorithms(PASSWORD_ALGORITHMS, *self.offered)] if self.offered else []
        return [attribute(REALM_VALUE, self.realm), attribute(NONCE_VALUE, self.nonce), *more]

    def challenge(self, flow, request):
        return self.error(flow, request, 401, *self.challenge_attributes(flow), sign=False)

    def refuse_credentials(self, flow, request):
        return self.challenge(flow, request)

    def is_authentic(self, flow, request, data):
        named = request.value(USERNAME) == USER.encode() or (
            self.takes_userhash and request.value(USERHASH) == userhash_of(USER, self.realm)
        )
        if self.offered:
            right = algorithms(PASSWORD_ALGORITHM, self.algorithm)[4:]
            if request.value(PASSWORD_ALGORITHM) != right:
                return False
            if request.value(PASSWORD_ALGORITHMS) != algorithms(PASSWORD_ALGORITHMS, *self.offered)[4:]:
                return False
        return (
            named
            and request.value(REALM_VALUE) == self.realm
            and request.value(NONCE_VALUE) == self.nonce
            and is_signed_with(data, self.key(flow), self.uses_sha256_integrity)
        )

    # What it says

    def sign(self, flow, plain):
        return signed(plain, self.key(flow), self.uses_sha256_integrity)

    def success(self, flow, request, *attributes):
        return self.sign(flow, message(method_of(request.kind) | SUCCESS, request.transaction, *attributes))

    def error(self, flow, request, code, *attributes, sign=True, reason=None):
        words = error_code(code, REASONS.get(code, b"Error") if reason is None else reason)
        plain = message(method_of(request.kind) | ERROR, request.transaction, words, *attributes)
        return self.sign(flow, plain) if sign else plain

    def mapped(self, flow, request):
        return attribute(XOR_MAPPED_ADDRESS, xor_address_value(request.transaction, *flow.remote[:2]))

    # Requests with the right credential

    def allocate(self, flow, request):
        if flow.relay is not None:
            return self.error(flow, request, 437)
        family = socket.AF_INET6 if (request.value(REQUESTED_ADDRESS_FAMILY) or b"\1")[0] == 2 else socket.AF_INET
        if family != family_of(self.server.address):
            return self.error(flow, request, 440)
        flow.relay = self.server.open_relay(flow)
        return self.success(flow, request, *self.allocation(flow, request))

    def allocation(self, flow, request):
        relayed = xor_address_value(request.transaction, *self.relayed_address(flow))
        return [attribute(XOR_RELAYED_ADDRESS, relayed), self.mapped(flow, request), *self.granted(self.lifetime)]

    def relayed_address(self, flow):
        return flow.relay.getsockname()[:2]

    @staticmethod
    def granted(seconds):
        return [attribute(LIFETIME, struct.pack("!I", seconds))]

    def refresh(self, flow, request):
        wanted = request.value(LIFETIME)
        seconds = self.lifetime if wanted is None else struct.unpack("!I", wanted)[0]
        if seconds == 0:
            self.server.close_relay(flow)
        return self.success(flow, request, *self.granted(min(seconds, self.lifetime)))

    def peers(self, request):
        named = [value for number, value in request.attributes if number == XOR_PEER_ADDRESS]
        return [unxored(value, request.transaction) for value in named]

    def permit(self, flow, request):
        flow.permissions |= {address for address, _ in self.peers(request)}
        return self.success(flow, request)

    def bind(self, flow, request):
        [peer] = self.peers(request)
        flow.channels[struct.unpack("!HH", request.value(CHANNEL_NUMBER))[0]] = peer
        flow.permissions.add(peer[0])
        return self.success(flow, request)

    # Bytes

    def to_peer(self, flow, peer, data):
        self.server.send_from_relay(flow, peer, data)

    def from_peer(self, flow, peer, data):
        for channel, bound in flow.channels.items():
            if bound == peer:
                return flow.send(channel_data(channel, data, flow.is_stream))
        flow.send(data_indication(peer, data))


REASONS = {
    300: b"Try Alternate", 400: b"Bad Request", 401: b"Unauthorized", 403: b"Forbidden", 437: b"Allocation Mismatch",
    438: b"Stale Nonce", 440: b"Address Family not Supported", 441: b"Wrong Credentials",
    442: b"Unsupported Transport Protocol", 443: b"Peer Address Family Mismatch",
    446: b"Connection Already Exists", 447: b"Connection Timeout or Failure", 486: b"Allocation Quota Reached",
    500: b"Server Error", 508: b"Insufficient Capacity",
}  # fmt: skip


def channel_data(channel, data, padded):
    return struct.pack("!HH", channel, len(data)) + data + (b"\0" * (-len(data) % 4) if padded else b"")


def data_indication(peer, data):
    transaction = os.urandom(12)
    return message(
        DATA | INDICATION, transaction, attribute(XOR_PEER_ADDRESS, xor_address_value(transaction, *peer)),
        attribute(DATA_VALUE, data),
    )  # fmt: skip


class TURNServer(Server):
    """The sockets of a scenario. `received` has (time, data, source, place), `deleted` the five-tuples given up.

    It listens to UDP and to TCP on one port.
    """

    def __init__(self, scenario, address="127.0.0.1", port=0, seed=1):
        super().__init__(scenario, seed)
        self.address = address
        self.selector = selectors.DefaultSelector()
        self.flows, self.open = {}, set()
        self.made, self.deleted = [], []
        self.places = [self._listen(place, port if place == 0 else 0) for place in range(scenario.places)]
        self.port = self.places[0][1]
        self.script = scenario(self)

    def _listen(self, place, port):
        for _ in range(50):
            datagrams = socket.socket(family_of(self.address), socket.SOCK_DGRAM)
            datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            datagrams.bind((self.address, port))
            chosen = datagrams.getsockname()[1]
            try:
                listener = socket.create_server((self.address, chosen), family=family_of(self.address), backlog=64)
            except OSError:
                datagrams.close()
                if port:
                    raise
                continue
            self._watch(datagrams, lambda: self._datagram(place, datagrams))
            self._watch(listener, lambda: self._accepted(place, listener))
            return (self.address, chosen)
        raise OSError("no port is free for both UDP and TCP")

    def _watch(self, one, act):
        one.setblocking(False)
        self.open.add(one)
        self.selector.register(one, selectors.EVENT_READ, act)

    def _drop(self, one):
        if one in self.open:
            self.open.discard(one)
            self.selector.unregister(one)
            one.close()

    def loop(self):
        while not self.stopping.is_set():
            for key, _ in self.selector.select(0.05):
                if key.fileobj in self.open:
                    key.data()

    def _datagram(self, place, carrier):
        try:
            data, source = carrier.recvfrom(65535)
        except (BlockingIOError, ConnectionRefusedError):
            return
        self.received.append((time.monotonic(), data, source, place))
        flow = self.flows.setdefault((place, source), Flow(self, place, carrier, source, False))
        if data:
            self._hand_over(flow, data)

    def _hand_over(self, flow, data):
        try:
            self.script.receive(flow, data)
        except ValueError:
            pass  # No message: an honest server ignores it.

    def _accepted(self, place, listener):
        try:
            carrier, remote = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        carrier.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        flow = Flow(self, place, carrier, remote, True)
        self._watch(carrier, lambda: self._bytes(flow))

    def _bytes(self, flow):
        try:
            more = flow.carrier.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        if not more:
            self.close_relay(flow)
            return self._drop(flow.carrier)
        flow.buffer += more
        while True:
            one, flow.buffer = framed(flow.buffer)
            if one is None:
                return
            self.received.append((time.monotonic(), one, flow.remote, flow.place))
            self._hand_over(flow, one)

    def transmit(self, flow, data):
        self.sent += 1
        try:
            if flow.is_stream:
                # A client of the tests that does not read is given what its window takes.
                flow.carrier.settimeout(2)
                try:
                    flow.carrier.sendall(data)
                finally:
                    flow.carrier.setblocking(False)
            else:
                flow.carrier.sendto(data, flow.remote)
        except OSError:
            pass  # The client has gone, or the scenario says what no datagram can carry: not this server's failure.

    def open_relay(self, flow):
        relay = socket.socket(family_of(self.address), socket.SOCK_DGRAM)
        relay.bind((self.address, 0))
        self._watch(relay, lambda: self._from_peer(flow, relay))
        self.made.append((flow.place, flow.remote))
        return relay

    def close_relay(self, flow):
        if flow.relay is not None:
            self._drop(flow.relay)
            flow.relay = None
            self.deleted.append((flow.place, flow.remote))

    def left(self):
        """The allocations that nobody has given up."""
        return [one for one in self.made if one not in self.deleted]

    def _from_peer(self, flow, relay):
        try:
            data, source = relay.recvfrom(65535)
        except (BlockingIOError, ConnectionRefusedError):
            return
        if source[0] in flow.permissions:
            self.script.from_peer(flow, source[:2], data)

    def send_from_relay(self, flow, peer, data):
        try:
            if flow.relay is not None:
                flow.relay.sendto(data, peer)
        except OSError:
            pass  # Nobody listens there, or the peer is no address to send to.

    def close(self):
        # The loop may be in the selector: it is left before anything in it is closed.
        self.thread.join(timeout=5)
        for one in list(self.open):
            self._drop(one)
        self.selector.close()
