"""`icecheck serve` as a test starts it and asks it."""

import socket
import time
from contextlib import closing

from fakes.stunwire import BINDING_REQUEST, message, with_fingerprint

from harness.addresses import ALTERNATE, PRIMARY

TRANSACTION = b"0123456789ab"
REQUEST = with_fingerprint(message(BINDING_REQUEST, TRANSACTION))


def free_ports():
    """Two ports that are free on both addresses and for both transports at the moment."""
    held, ports = [], []
    try:
        while len(ports) < 2:
            port = None
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                for address in (PRIMARY, ALTERNATE):
                    held.append(socket.socket(socket.AF_INET, kind))
                    held[-1].bind((address, port or 0))
                    port = held[-1].getsockname()[1]
            ports.append(port)
        return ports
    finally:
        for one in held:
            one.close()


def serving(port, other_port, alternate=ALTERNATE):
    return (
        "serve", "--listen", PRIMARY, "--alternate", alternate, "--port", port, "--alternate-port", other_port,
    )  # fmt: skip


class Served:
    def __init__(self, running, port, other_port):
        self.running, self.port, self.other_port = running, port, other_port

    def ask(self, request=REQUEST, to=PRIMARY, port=None, timeout=1.0):
        """The answer and where it came from, and the client's own address."""
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
            client.bind((PRIMARY, 0))
            client.settimeout(timeout)
            client.sendto(request, (to, port or self.port))
            data, source = client.recvfrom(65535)
            return data, source, client.getsockname()

    def connect(self, to=PRIMARY):
        return socket.create_connection((to, self.port), timeout=2)

    def memory(self):
        with open(f"/proc/{self.running.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def wait_until_served(served):
    deadline = time.monotonic() + 10
    while True:
        try:
            return served.ask(timeout=0.1)
        except (TimeoutError, ConnectionRefusedError):
            assert served.running.process.poll() is None, "the server has gone"
            assert time.monotonic() < deadline, "the server does not answer"
