"""A second reading of RFC 8489, so that icecheck is not tested against its own understanding of it.

It writes wrong messages as readily as right ones, and shares no code with the Swift codec.
"""

import socket
import struct
import zlib
from dataclasses import dataclass

MAGIC_COOKIE = 0x2112A442

BINDING_REQUEST = 0x0001
BINDING_INDICATION = 0x0011
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111
ALLOCATE_SUCCESS = 0x0103

MAPPED_ADDRESS = 0x0001
CHANGE_REQUEST = 0x0003
SOURCE_ADDRESS = 0x0004
CHANGED_ADDRESS = 0x0005
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
XOR_MAPPED_ADDRESS = 0x0020
PADDING = 0x0026
RESPONSE_PORT = 0x0027
SOFTWARE = 0x8022
FINGERPRINT = 0x8028
RESPONSE_ORIGIN = 0x802B
OTHER_ADDRESS = 0x802C


def attribute(number, value=b"", *, length=None, padding=b"\0"):
    """One attribute, padded to a multiple of four; `length` overrides what the length field says."""
    declared = len(value) if length is None else length
    return struct.pack("!HH", number, declared) + value + padding * (-len(value) % 4)


def message(kind, transaction, *attributes, length=None, cookie=MAGIC_COOKIE):
    """A message with a 12-byte transaction id; `length` and `cookie` override what the header says."""
    body = b"".join(attributes)
    return struct.pack("!HHI", kind, len(body) if length is None else length, cookie) + transaction + body


def address_value(ip, port, family=None):
    version = socket.AF_INET6 if ":" in ip else socket.AF_INET
    number = (2 if version == socket.AF_INET6 else 1) if family is None else family
    return struct.pack("!BBH", 0, number, port) + socket.inet_pton(version, ip)


def xor_address_value(transaction, ip, port, family=None):
    plain = address_value(ip, port, family)
    mask = struct.pack("!I", MAGIC_COOKIE) + transaction
    masked_port = struct.unpack("!H", plain[2:4])[0] ^ (MAGIC_COOKIE >> 16)
    return plain[:2] + struct.pack("!H", masked_port) + bytes(a ^ b for a, b in zip(plain[4:], mask))


def mapped(source):
    return attribute(MAPPED_ADDRESS, address_value(*source[:2]))


def xor_mapped(transaction, source):
    return attribute(XOR_MAPPED_ADDRESS, xor_address_value(transaction, *source[:2]))


def error_code(code, reason=b"", *, class_=None, number=None):
    """ERROR-CODE; `class_` and `number` override the two digits that `code` gives."""
    hundreds = code // 100 if class_ is None else class_
    rest = code % 100 if number is None else number
    return attribute(ERROR_CODE, struct.pack("!HBB", 0, hundreds, rest) + reason)


def with_fingerprint(plain, xor=0x5354554E):
    """The message with FINGERPRINT appended; another `xor` makes it a wrong one."""
    kind, length = struct.unpack("!HH", plain[:4])
    grown = struct.pack("!HH", kind, length + 8) + plain[4:]
    return grown + attribute(FINGERPRINT, struct.pack("!I", (zlib.crc32(grown) ^ xor) & 0xFFFFFFFF))


def transaction_of(data):
    return data[8:20]


@dataclass
class Message:
    kind: int
    transaction: bytes
    attributes: list

    def value(self, number):
        return next((value for found, value in self.attributes if found == number), None)

    def address(self, number):
        """The (ip, port) of a plain or an XORed address attribute, or None."""
        value = self.value(number)
        if value is None or len(value) not in (8, 20):
            return None
        if number == XOR_MAPPED_ADDRESS:
            mask = struct.pack("!I", MAGIC_COOKIE) + self.transaction
            value = (
                value[:2]
                + bytes(a ^ b for a, b in zip(value[2:4], mask))
                + bytes(a ^ b for a, b in zip(value[4:], mask))
            )
        version = socket.AF_INET if len(value) == 8 else socket.AF_INET6
        return socket.inet_ntop(version, value[4:]), struct.unpack("!H", value[2:4])[0]


def parse(data):
    """The message in `data`; ValueError says what is wrong with it."""
    if len(data) < 20:
        raise ValueError("shorter than a header")
    kind, length, cookie = struct.unpack("!HHI", data[:8])
    if kind & 0xC000:
        raise ValueError("top bits set")
    if cookie != MAGIC_COOKIE:
        raise ValueError("no magic cookie")
    if length % 4:
        raise ValueError("length is not a multiple of four")
    if length != len(data) - 20:
        raise ValueError("length is not that of the datagram")
    attributes, offset = [], 20
    while offset < len(data):
        number, size = struct.unpack("!HH", data[offset : offset + 4])
        if offset + 4 + size > len(data):
            raise ValueError("attribute overruns the message")
        attributes.append((number, data[offset + 4 : offset + 4 + size]))
        offset += 4 + size + (-size % 4)
    return Message(kind, data[8:20], attributes)
