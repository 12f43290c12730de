"""A second reading of RFC 8656 and of RFC 8489's long-term credentials, on top of `stunwire`; and a small client.

The client is there to hold an allocation while icecheck is tested, and to see that the servers of the tests do what
they are for.
"""

import base64
import hashlib
import hmac
import os
import socket
import struct
import time

from fakes.stunwire import ERROR_CODE, MAGIC_COOKIE, MESSAGE_INTEGRITY, attribute, parse, xor_address_value

ALLOCATE, REFRESH, SEND, DATA, CREATE_PERMISSION, CHANNEL_BIND = 0x003, 0x004, 0x006, 0x007, 0x008, 0x009
BINDING = 0x001
REQUEST, INDICATION, SUCCESS, ERROR = 0x000, 0x010, 0x100, 0x110
CLASS_BITS = 0x110

USERNAME = 0x0006
UNKNOWN_ATTRIBUTES = 0x000A
CHANNEL_NUMBER = 0x000C
LIFETIME = 0x000D
XOR_PEER_ADDRESS = 0x0012
DATA_VALUE = 0x0013
REALM_VALUE = 0x0014
NONCE_VALUE = 0x0015
XOR_RELAYED_ADDRESS = 0x0016
REQUESTED_ADDRESS_FAMILY = 0x0017
REQUESTED_TRANSPORT = 0x0019
MESSAGE_INTEGRITY_SHA256 = 0x001C
PASSWORD_ALGORITHM = 0x001D
USERHASH = 0x001E
PASSWORD_ALGORITHMS = 0x8002
ALTERNATE_DOMAIN = 0x8003
ALTERNATE_SERVER = 0x8023

MD5, SHA256 = 1, 2

# Whom the servers of the tests know. The password is a canary: it may appear in nothing that icecheck writes or sends.
REALM, USER, PASSWORD = "turn.example.test", "alice", "canary-4f1d9be2"
UDP_RELAY = attribute(REQUESTED_TRANSPORT, bytes([17, 0, 0, 0]))


def method_of(kind):
    return kind & ~CLASS_BITS


def class_of(kind):
    return kind & CLASS_BITS


def key_of(user, realm, password, algorithm=MD5):
    """The key of RFC 8489 s9.2.2, for names that need no preparation. `realm` as bytes."""
    text = user.encode() + b":" + realm + b":" + password.encode()
    return (hashlib.md5 if algorithm == MD5 else hashlib.sha256)(text).digest()


def userhash_of(user, realm):
    return hashlib.sha256(user.encode() + b":" + realm).digest()


def signed(plain, key, sha256=False):
    """The message with MESSAGE-INTEGRITY, or MESSAGE-INTEGRITY-SHA256, over all of it."""
    number, size, digest = (MESSAGE_INTEGRITY_SHA256, 32, "sha256") if sha256 else (MESSAGE_INTEGRITY, 20, "sha1")
    kind, length = struct.unpack("!HH", plain[:4])
    grown = struct.pack("!HH", kind, length + 4 + size) + plain[4:]
    return grown + attribute(number, hmac.new(key, grown, digest).digest())


def is_signed_with(data, key, sha256=False):
    """Whether the first integrity of this kind in `data` is that of this key."""
    number = MESSAGE_INTEGRITY_SHA256 if sha256 else MESSAGE_INTEGRITY
    offset = 20
    while offset + 4 <= len(data):
        found, size = struct.unpack("!HH", data[offset : offset + 4])
        if found == number:
            end = offset + 4 + size + (-size % 4)
            return signed(data[:2] + struct.pack("!H", offset - 20) + data[4:offset], key, sha256)[offset:end] == data[
                offset:end
            ]
        offset += 4 + size + (-size % 4)
    return False


def nonce_cookie(features, rest=b"0123456789abcdef"):
    """A nonce that names security features (RFC 8489 s9.2, with the order of bits of erratum 6268)."""
    return b"obMatJos2" + base64.b64encode(struct.pack("!I", features)[1:]) + rest


def algorithms(number, *numbers):
    """PASSWORD-ALGORITHM or PASSWORD-ALGORITHMS, without parameters."""
    return attribute(number, b"".join(struct.pack("!HH", one, 0) for one in numbers))


def code_of(answer):
    value = answer.value(ERROR_CODE)
    return value[2] * 100 + value[3] if value and len(value) >= 4 else None


def unxored(value, transaction):
    """The (ip, port) in the value of an XOR-...-ADDRESS."""
    mask = struct.pack("!I", MAGIC_COOKIE) + transaction
    family = socket.AF_INET if len(value) == 8 else socket.AF_INET6
    port = struct.unpack("!H", value[2:4])[0] ^ (MAGIC_COOKIE >> 16)
    return socket.inet_ntop(family, bytes(a ^ b for a, b in zip(value[4:], mask))), port


def framed(data):
    """The first whole message or ChannelData of a stream, and what follows it; (None, data) while there is none."""
    if len(data) < 4:
        return None, data
    kind, length = struct.unpack("!HH", data[:4])
    size = 20 + length if kind < 0x4000 else 4 + length + (-length % 4)
    return (data[:size], data[size:]) if len(data) >= size else (None, data)


class Refused(Exception):
    def __init__(self, code):
        super().__init__(f"error {code}")
        self.code = code


class Client:
    """One five-tuple to a TURN server. It waits for each answer, and believes signed successes only."""

    def __init__(self, server, user, password, *, stream=False, patience=3):
        self.user, self.password, self.stream, self.patience = user, password, stream, patience
        self.realm = self.nonce = self.offered = None
        self.algorithm = MD5
        self.buffer, self.waiting = b"", []
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
        self.socket.settimeout(patience)
        self.socket.connect(server)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @property
    def key(self):
        return key_of(self.user, self.realm, self.password, self.algorithm)

    def request(self, method, *attributes):
        """The success, after as many challenges as one of each kind; Refused carries the code of an error."""
        for _ in range(4):
            had_credentials = self.realm is not None
            answer, data = self.ask(method, *attributes)
            if class_of(answer.kind) == SUCCESS:
                if had_credentials and not is_signed_with(data, self.key, self.offered is not None):
                    raise ValueError("the success is not signed")
                return answer
            code = code_of(answer)
            if code == 438 or (code == 401 and answer.value(REALM_VALUE) != self.realm):
                self.realm, self.nonce = answer.value(REALM_VALUE) or self.realm, answer.value(NONCE_VALUE)
                self.offered = answer.value(PASSWORD_ALGORITHMS)
                if self.offered is not None:
                    starts = range(0, len(self.offered), 4)
                    numbers = [struct.unpack("!H", self.offered[at : at + 2])[0] for at in starts]
                    self.algorithm = max(one for one in numbers if one in (MD5, SHA256))
                continue
            raise Refused(code)
        raise Refused(code)

    def ask(self, method, *attributes):
        """One request, signed once a challenge was met, and the first answer to it: parsed, and as it came."""
        transaction = os.urandom(12)
        body = b"".join(one(transaction) if callable(one) else one for one in attributes)
        if self.realm is not None:
            body += attribute(USERNAME, self.user.encode()) + attribute(REALM_VALUE, self.realm)
            body += attribute(NONCE_VALUE, self.nonce)
            if self.offered is not None:
                body += attribute(PASSWORD_ALGORITHMS, self.offered) + algorithms(PASSWORD_ALGORITHM, self.algorithm)
        data = struct.pack("!HHI", method | REQUEST, len(body), MAGIC_COOKIE) + transaction + body
        if self.realm is not None:
            data = signed(data, self.key, self.offered is not None)
        self.socket.send(data)
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            received = self._receive()
            kinds = [struct.pack("!H", method | class_) for class_ in (SUCCESS, ERROR)]
            if received[:2] in kinds and received[8:20] == transaction:
                return parse(received), received
            self.waiting.append(received)
        raise TimeoutError("nothing of it answers the request")

    def _receive(self):
        if not self.stream:
            return self.socket.recv(65535)
        while True:
            one, self.buffer = framed(self.buffer)
            if one is not None:
                return one
            more = self.socket.recv(65535)
            if not more:
                raise ConnectionResetError("closed")
            self.buffer += more

    def allocate(self, *attributes):
        """The relayed address."""
        answer = self.request(ALLOCATE, UDP_RELAY, *attributes)
        return unxored(answer.value(XOR_RELAYED_ADDRESS), answer.transaction)

    def permit(self, address):
        return self.request(CREATE_PERMISSION, peer((address, 0)))

    def bind(self, channel, address):
        return self.request(CHANNEL_BIND, attribute(CHANNEL_NUMBER, struct.pack("!HH", channel, 0)), peer(address))

    def refresh(self, lifetime):
        return self.request(REFRESH, attribute(LIFETIME, struct.pack("!I", lifetime)))

    def send_to(self, address, data):
        """A Send indication."""
        transaction = os.urandom(12)
        body = peer(address)(transaction) + attribute(DATA_VALUE, data)
        self.socket.send(struct.pack("!HHI", SEND | INDICATION, len(body), MAGIC_COOKIE) + transaction + body)

    def send_on(self, channel, data):
        padding = b"\0" * (-len(data) % 4) if self.stream else b""
        self.socket.send(struct.pack("!HH", channel, len(data)) + data + padding)

    def received(self):
        """The next that is no answer: (peer, data) of a Data indication, (channel, data) of ChannelData."""
        while True:
            one = self.waiting.pop(0) if self.waiting else self._receive()
            if 0x40 <= one[0] < 0x50 and len(one) >= 4:
                channel, length = struct.unpack("!HH", one[:4])
                return channel, one[4 : 4 + length]
            try:
                indication = parse(one)
            except ValueError:
                continue
            if indication.kind == DATA | INDICATION:
                peer_address = unxored(indication.value(XOR_PEER_ADDRESS), indication.transaction)
                return peer_address, indication.value(DATA_VALUE)


def peer(address):
    """XOR-PEER-ADDRESS, as soon as the transaction is known that an IPv6 address is masked with."""
    return lambda transaction: attribute(XOR_PEER_ADDRESS, xor_address_value(transaction, *address))
