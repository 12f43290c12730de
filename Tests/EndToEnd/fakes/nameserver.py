"""A name server that answers each name of `.test` in its own way, right or wrong, over UDP and TCP.

A behaviour takes the question and gives the whole answer, or None for silence (over TCP: for a hang-up). The records
are written here by hand (RFC 1035 s4, RFC 2782, RFC 3403), so that wrong ones are as easy as right ones.
"""

import ipaddress
import selectors
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass

A, CNAME, AAAA, SRV, NAPTR = 1, 5, 28, 33, 35
KINDS = {A: "A", AAAA: "AAAA", SRV: "SRV", NAPTR: "NAPTR"}
FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 1, 2, 3, 4, 5

ADDRESS, ADDRESS6 = "10.88.0.1", "fd88::1"
# What no entry of a report may ever name: it comes only in answers that are not to be believed.
OWNER = b"\xc0\x0c"  # A pointer to the name in the question.


@dataclass(frozen=True)
class Question:
    number: int
    name: str
    kind: int
    wire: bytes
    over: str

    @property
    def host(self):
        """The name without its service labels: `_stun._udp.a.test` is asked for `a.test`."""
        labels = self.name.split(".")
        while labels and labels[0].startswith("_"):
            labels.pop(0)
        return ".".join(labels)


def labels(name):
    """A name on the wire; bytes are taken as a single label, whatever is in them, below `.test`."""
    parts = [name, b"test"] if isinstance(name, bytes) else [part.encode() for part in name.split(".") if part]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def read_question(data, over):
    number, _, count = struct.unpack("!HHH", data[:6])
    assert count == 1
    parts, position = [], 12
    while data[position]:
        parts.append(data[position + 1 : position + 1 + data[position]].decode("latin-1"))
        position += 1 + data[position]
    end = position + 5
    kind = struct.unpack("!H", data[position + 1 : position + 3])[0]
    return Question(number, ".".join(parts).lower(), kind, data[12:end], over)


def record(kind, data, owner=OWNER):
    return owner + struct.pack("!HHIH", kind, 1, 0, len(data)) + data


def a(address=ADDRESS):
    return record(A, ipaddress.IPv4Address(address).packed)


def aaaa(address=ADDRESS6):
    return record(AAAA, ipaddress.IPv6Address(address).packed)


def srv(target, port=3478, priority=0, weight=0):
    return record(SRV, struct.pack("!HHH", priority, weight, port) + labels(target))


def naptr(replacement, flags="", service="RELAY:turn.udp", expression="", order=0):
    def text(value):
        return bytes([len(value)]) + value.encode("latin-1")

    head = struct.pack("!HH", order, 0)
    return record(NAPTR, head + text(flags) + text(service) + text(expression) + labels(replacement))


def reply(question, *records, code=0, truncated=False, number=None, wire=None):
    flags = 0x8180 | code | (0x0200 if truncated else 0)
    header = struct.pack(
        "!HHHHHH", question.number if number is None else number, flags, 1, len(records), 0, 0
    )
    return header + (wire or question.wire) + b"".join(records)


def zone(**records):
    """The records of each kind, by its name; what is not named is empty."""

    def answer(question):
        return fit(question, reply(question, *records.get(KINDS.get(question.kind, ""), [])))

    return answer


def fit(question, whole):
    """Over UDP, an answer that is longer than 512 bytes becomes the wish to be asked over TCP."""
    return whole if question.over == "tcp" or len(whole) <= 512 else reply(question, truncated=True)


def failing(code):
    return lambda question: reply(question, code=code)


class NameServer:
    """Answers from its table; `asked` counts the questions."""

    def __init__(self, table, address="127.0.0.53", port=53):
        self.table = table
        self.asked = Counter()
        self.failure = None
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind((address, port))
        # For an answer from a port that was not asked.
        self.elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.elsewhere.bind((address, 0))
        self.listener = socket.create_server((address, port), backlog=64)
        self.ends = socket.socketpair()
        self.thread = threading.Thread(target=self._guarded, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.ends[0].send(b".")
        self.thread.join(timeout=5)
        for one in (self.datagrams, self.elsewhere, self.listener, *self.ends):
            one.close()
        if kind is None and self.failure is not None:
            raise self.failure

    def _guarded(self):
        try:
            self._loop()
        except Exception as error:
            self.failure = error

    def _loop(self):
        selector = selectors.DefaultSelector()
        for one in (self.datagrams, self.listener, self.ends[1]):
            selector.register(one, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if self.ends[1] in ready:
                return
            if self.datagrams in ready:
                data, source = self.datagrams.recvfrom(4096)
                answer = self._answer(read_question(data, "udp"))
                if isinstance(answer, FromElsewhere):
                    self.elsewhere.sendto(answer.bytes, source)
                elif answer is not None:
                    self.datagrams.sendto(answer, source)
            if self.listener in ready:
                self._serve_connection()

    def _serve_connection(self):
        connection, _ = self.listener.accept()
        connection.settimeout(2)
        with connection:
            try:
                length = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))[0]
                answer = self._answer(read_question(connection.recv(length, socket.MSG_WAITALL), "tcp"))
                if answer is not None:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)
                    connection.recv(1)  # The client hangs up first, or the answer may be lost in a reset.
            except OSError:
                pass  # The client has gone: that is not this server's failure.

    def _answer(self, question):
        self.asked[f"{KINDS.get(question.kind, question.kind)} {question.name}"] += 1
        behaviour = self.table.get(question.host, failing(NXDOMAIN))
        return behaviour(question)


@dataclass(frozen=True)
class FromElsewhere:
    bytes: bytes
