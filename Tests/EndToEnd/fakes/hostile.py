"""A STUN server that is wrong in a named way, on loopback, one behaviour for each row of the fault catalogue.

As a library: `with serve("wrong-transaction-id") as server: ... server.port`. By hand:
`python3 -m fakes.hostile NAME [PORT]` in Tests/EndToEnd, and without a name the list of them.
"""

import heapq
import selectors
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass
from typing import Callable

from harness.seeds import seeded

from fakes import hostile_datagrams, hostile_streams
from fakes.stunwire import transaction_of


@dataclass(frozen=True)
class Behaviour:
    name: str
    row: str
    transport: str
    run: Callable


BEHAVIOURS = {
    name: Behaviour(name, row, transport, run)
    for transport, table in (("udp", hostile_datagrams.TABLE), ("tcp", hostile_streams.TABLE))
    for name, (row, run) in table.items()
}


def serve(name, *, address="127.0.0.1", port=0, seed=1):
    behaviour = BEHAVIOURS[name]
    make = DatagramServer if behaviour.transport == "udp" else StreamServer
    return make(behaviour, address, port, seed)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Server:
    """What both transports share: a thread, a seed, and an end that leaves nothing open."""

    def __init__(self, behaviour, seed):
        self.behaviour = behaviour
        self.random = seeded(seed)
        self.received = []
        self.sent = 0
        self.failure = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._guarded, daemon=True)

    def _guarded(self):
        try:
            self.loop()
        except OSError as error:
            if not self.stopping.is_set():
                self.failure = error
        except Exception as error:
            self.failure = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stopping.set()
        self.close()
        self.thread.join(timeout=5)
        if kind is None and self.failure is not None:
            raise self.failure


class DatagramServer(Server):
    """Calls its behaviour once for each datagram; `later` sends at a time to come."""

    def __init__(self, behaviour, address, port, seed):
        super().__init__(behaviour, seed)
        self.main, self.other_address = self._pair(address, port)
        self.port = self.main.getsockname()[1]
        self.other_port = self._bound(address, 0)
        self.due = []
        self.sequence = 0

    @classmethod
    def _pair(cls, address, port):
        """Two sockets on one port: a port that is free on 127.0.0.1 may be taken on 127.0.0.2."""
        while True:
            first = cls._bound(address, port)
            if address != "127.0.0.1":
                return first, cls._bound(address, 0)
            try:
                return first, cls._bound("127.0.0.2", first.getsockname()[1])
            except OSError:
                first.close()
                if port:
                    raise

    @staticmethod
    def _bound(address, port):
        made = socket.socket(family_of(address), socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        made.bind((address, port))
        return made

    def loop(self):
        while not self.stopping.is_set():
            wait = 0.05 if not self.due else max(0.001, min(0.05, self.due[0][0] - time.monotonic()))
            self.main.settimeout(wait)
            try:
                data, source = self.main.recvfrom(65535)
            except TimeoutError:
                data = None
            except ConnectionRefusedError:
                continue
            while self.due and self.due[0][0] <= time.monotonic():
                _, _, payload, destination = heapq.heappop(self.due)
                self.send(payload, destination)
            if data is not None:
                self.received.append((time.monotonic(), data, source))
                self.behaviour.run(self, data, source)

    def send(self, data, destination, through=None):
        self.sent += 1
        try:
            (through or self.main).sendto(data, destination)
        except (ConnectionRefusedError, BlockingIOError):
            pass  # The client has gone: that is not this server's failure.

    def later(self, seconds, data, destination):
        self.sequence += 1
        heapq.heappush(self.due, (time.monotonic() + seconds, self.sequence, data, destination))

    def close(self):
        for made in (self.main, self.other_port, self.other_address):
            made.close()


class StreamServer(Server):
    """Calls its behaviour in a thread of its own for each connection."""

    def __init__(self, behaviour, address, port, seed):
        super().__init__(behaviour, seed)
        self.listener = socket.create_server((address, port), family=family_of(address), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.connections = []

    def loop(self):
        selector = selectors.DefaultSelector()
        selector.register(self.listener, selectors.EVENT_READ)
        while not self.stopping.is_set():
            if not selector.select(0.05):
                continue
            accepted, remote = self.listener.accept()
            connection = Connection(self, accepted, remote)
            self.connections.append(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    def close(self):
        self.listener.close()
        for connection in self.connections:
            connection.close()


class Connection:
    """One accepted connection, as a behaviour sees it."""

    def __init__(self, server, accepted, remote):
        self.server = server
        self.socket = accepted
        self.remote = remote
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self):
        try:
            self.server.behaviour.run(self)
        except OSError:
            pass  # The client went away, which it may do at any time.
        except Exception as error:
            self.server.failure = error
        finally:
            self.close()

    def read_request(self):
        """The first whole message of the client, and its transaction id."""
        data = b""
        while len(data) < 20 or len(data) < 20 + struct.unpack("!H", data[2:4])[0]:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionResetError
            data += more
        self.server.received.append((time.monotonic(), data, self.remote))
        return data, transaction_of(data)

    def send(self, data):
        self.socket.sendall(data)

    def stall(self):
        """Says nothing more until the client goes or the test ends."""
        self.socket.settimeout(0.05)
        while not self.server.stopping.is_set():
            try:
                if not self.socket.recv(65536):
                    return
            except TimeoutError:
                continue

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        try:
            self.socket.close()
        except OSError:
            pass


def main(arguments):
    if not arguments or arguments[0] not in BEHAVIOURS:
        for behaviour in BEHAVIOURS.values():
            print(f"{behaviour.row}  {behaviour.transport}  {behaviour.name}")
        return 64 if arguments else 0
    with serve(arguments[0], port=int(arguments[1]) if len(arguments) > 1 else 0) as server:
        print(f"{arguments[0]} on 127.0.0.1:{server.port}/{server.behaviour.transport}", flush=True)
        try:
            server.thread.join()
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
