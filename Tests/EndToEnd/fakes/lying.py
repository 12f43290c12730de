"""A STUN server of RFC 5780 on 127.0.0.1 and 127.0.0.2 that tells the truth but for one thing."""

import selectors
import socket
import threading
import time
from contextlib import contextmanager

from harness.addresses import ALTERNATE, PRIMARY

from fakes.stunwire import (
    BINDING_ERROR,
    BINDING_REQUEST,
    BINDING_SUCCESS,
    CHANGE_REQUEST,
    CHANGED_ADDRESS,
    MAPPED_ADDRESS,
    OTHER_ADDRESS,
    RESPONSE_ORIGIN,
    SOURCE_ADDRESS,
    XOR_MAPPED_ADDRESS,
    address_value,
    attribute,
    error_code,
    message,
    parse,
    xor_address_value,
)  # fmt: skip

ADDRESSES = (PRIMARY, ALTERNATE)
LIES = {
    "ignores-change-request": "it ignores CHANGE-REQUEST",
    "refuses-change-request": "it answers CHANGE-REQUEST with error 420",
    "drops-change-request": "where the way from there was open",
    "other-address-is-its-own": "is not another address with another port",
    "other-address-has-its-port": "is not another address with another port",
    "other-address-of-other-family": "is of the other family",
    "other-address-is-silent": "127.0.0.9",
    "answers-changes-from-other-port": "it answered from 127.0.0.1",
    "answers-all-from-elsewhere": "not from where it was asked",
    "response-origin-differs": "its RESPONSE-ORIGIN 10.0.0.9:5 is not where",
    "stops-answering": "gave no answer",
    "mapped-address-only": "MAPPED-ADDRESS only",
    "legacy": "MAPPED-ADDRESS only",
    "rewrites-ports": "rewrites ports",
    "changes-its-mind": "it saw one socket at",
}


class LyingServer:
    def __init__(self, lie=None):
        self.lie = lie
        self.sockets = {}
        self.asked, self.has_stopped = 0, False
        ports = None
        for place, address in enumerate(ADDRESSES):
            for column in (0, 1):
                one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                one.bind((address, 0 if place == 0 else ports[column]))
                self.sockets[place, column] = one
            ports = [self.sockets[0, column].getsockname()[1] for column in (0, 1)]
        self.port = ports[0]

    def answer(self, place, data, source):
        request = parse(data)
        if request.kind != BINDING_REQUEST:
            return
        self.asked += 1
        flags = next((value[3] for number, value in request.attributes if number == CHANGE_REQUEST), 0)
        change = (flags >> 2 & 1, flags >> 1 & 1)
        # After the first question that only a server with two addresses can answer.
        self.has_stopped |= self.lie == "stops-answering" and (any(change) or place != (0, 0))
        if self.has_stopped:
            return
        if any(change) and self.lie == "drops-change-request":
            return
        if any(change) and self.lie == "refuses-change-request":
            refusal = message(BINDING_ERROR, request.transaction, error_code(420, b"no"))
            return self.sockets[place].sendto(refusal, source)
        if self.lie == "ignores-change-request":
            change = (0, 0)
        if any(change) and self.lie == "answers-changes-from-other-port":
            change = (0, 1)
        if self.lie == "answers-all-from-elsewhere":
            change = (change[0], 1)
        origin = self.sockets[place[0] ^ change[0], place[1] ^ change[1]]
        other = self.sockets[place[0] ^ 1, place[1] ^ 1].getsockname()
        origin.sendto(self.success(request, source, origin.getsockname(), other, self.sockets[place].getsockname()), source)

    def success(self, request, source, origin, other, asked):
        mapped = source
        if self.lie == "rewrites-ports":
            mapped = (source[0], source[1] ^ 1)
        if self.lie == "changes-its-mind":
            mapped = (f"9.9.9.{self.asked % 250}", source[1])
        if self.lie in ("mapped-address-only", "legacy"):
            shown = attribute(MAPPED_ADDRESS, address_value(*mapped))
        else:
            shown = attribute(XOR_MAPPED_ADDRESS, xor_address_value(request.transaction, *mapped))
        other = {
            "other-address-is-its-own": asked,
            "other-address-has-its-port": (other[0], asked[1]),
            "other-address-of-other-family": ("::2", other[1]),
            "other-address-is-silent": ("127.0.0.9", other[1]),
        }.get(self.lie, other)
        if self.lie == "response-origin-differs":
            origin = ("10.0.0.9", 5)
        names = (SOURCE_ADDRESS, CHANGED_ADDRESS) if self.lie == "legacy" else (RESPONSE_ORIGIN, OTHER_ADDRESS)
        more = [attribute(name, address_value(*value)) for name, value in zip(names, (origin, other))]
        return message(BINDING_SUCCESS, request.transaction, shown, *more)


@contextmanager
def lying(lie=None):
    server = LyingServer(lie)
    ends = threading.Event()

    def work():
        with selectors.DefaultSelector() as selector:
            for place, one in server.sockets.items():
                one.setblocking(False)
                selector.register(one, selectors.EVENT_READ, place)
            while not ends.is_set():
                for key, _ in selector.select(0.05):
                    try:
                        data, source = key.fileobj.recvfrom(65536)
                        server.answer(key.data, data, source)
                    except OSError:
                        time.sleep(0)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        ends.set()
        thread.join()
        for one in server.sockets.values():
            one.close()
