"""The ways in which `hostile_turn` is wrong over TCP. What does not depend on TURN is what the STUN server does, in
`hostile_streams`."""

import struct

from fakes import hostile
from fakes.hostile_datagrams import flipped
from fakes.stunwire import BINDING_INDICATION, MAGIC_COOKIE, SOFTWARE, attribute, error_code, message
from fakes.turn_scenarios import GOOD_NONCE, GOOD_REALM, TCP, scenario
from fakes.turnserver import Honest, channel_data
from fakes.turnwire import ALLOCATE, ERROR, NONCE_VALUE, REALM_VALUE


class Segmented(Honest):
    def receive(self, flow, data):
        flow.send = lambda whole: [self.server.transmit(flow, whole[at : at + 1]) for at in range(len(whole))]
        super().receive(flow, data)


@scenario("S04", "tcp-several-in-a-segment", transports=TCP)
class Several(Honest):
    def answer(self, flow, request, data, was_signed):
        true = self.as_list(super().answer(flow, request, data, was_signed))
        indication = message(BINDING_INDICATION, flipped(request.transaction))
        return b"".join([indication, *true, indication, indication])


@scenario("S04", "tcp-channel-data-first", transports=TCP)
class ChannelDataFirst(Honest):
    def answer(self, flow, request, data, was_signed):
        return b"".join(
            [channel_data(0x4FFF, b"hello", True), *self.as_list(super().answer(flow, request, data, was_signed))]
        )


scenario("S04", "tcp-byte-a-segment", transports=TCP)(Segmented)


def stream(row, name, *alternatives):
    kind = "|".join(alternatives)

    def register(run):
        scenario(row, name, kind, transports=TCP)(run)
        return run

    return register


def half_an_answer(request):
    """The first 25 bytes of a challenge."""
    transaction = request[8:20]
    whole = attribute(SOFTWARE, b"never heard to the end")
    return struct.pack("!HHI", ALLOCATE | ERROR, len(whole), MAGIC_COOKIE) + transaction + whole[:5]


@stream("S03", "tcp-half-then-close", "closed", "connection-closed")
def half_then_close(connection):
    connection.send(half_an_answer(connection.read_request()[0]))


@stream("S03", "tcp-half-then-stall", "truncated")
def half_then_stall(connection):
    connection.send(half_an_answer(connection.read_request()[0]))
    connection.stall()


@stream("S03", "tcp-length-fffc-then-stall", "truncated", "malformed")
def length_fffc_then_stall(connection):
    _, transaction = connection.read_request()
    header = struct.pack("!HHI", ALLOCATE | ERROR, 0xFFFC, MAGIC_COOKIE) + transaction
    connection.send(header + struct.pack("!HH", SOFTWARE, 0xFFF0) + b"x" * 100)
    connection.stall()


@stream("S03", "tcp-one-byte-a-second", "truncated")
def one_byte_a_second(connection):
    for byte in half_an_answer(connection.read_request()[0]):
        connection.send(bytes([byte]))
        if connection.server.stopping.wait(1):
            return
    connection.stall()


@stream("S06", "tcp-reset-mid-message", "connection-reset", "closed", "connection-closed")
def reset_mid_message(connection):
    connection.send(half_an_answer(connection.read_request()[0]))
    connection.server.stopping.wait(0.1)
    connection.reset()


@stream("S06", "tcp-reset-after-the-challenge", "connection-reset", "closed", "connection-closed")
def reset_after_the_challenge(connection):
    _, transaction = connection.read_request()
    connection.send(challenge(transaction))
    connection.read_request()
    connection.reset()


@stream("S06", "tcp-fin-after-the-challenge", "closed", "connection-closed")
def fin_after_the_challenge(connection):
    _, transaction = connection.read_request()
    connection.send(challenge(transaction))
    connection.read_request()


def challenge(transaction):
    realm, nonce = attribute(REALM_VALUE, GOOD_REALM), attribute(NONCE_VALUE, GOOD_NONCE)
    return message(ALLOCATE | ERROR, transaction, error_code(401, b"Unauthorized"), realm, nonce)


FOREIGN = ("foreign-protocol", "malformed")
for row, name, alternatives in (
    ("S01", "tcp-silent", ("tcp-open-no-stun",)),
    ("S02", "tcp-ssh", ("foreign-protocol",)),
    ("S02", "tcp-smtp", ("foreign-protocol",)),
    ("S02", "tcp-http", ("foreign-protocol",)),
    ("S02", "tcp-tls-alert", ("foreign-protocol",)),
    ("O01", "tcp-hostile-banner", FOREIGN),
    ("S05", "tcp-endless-zeros", FOREIGN),
    ("S05", "tcp-endless-garbage", FOREIGN),
    ("S05", "tcp-endless-foreign-answers", ("foreign-answer", "malformed")),
    ("S06", "tcp-reset-at-connect", ("connection-reset", "closed", "connection-closed")),
    ("S06", "tcp-reset-after-request", ("connection-reset", "closed", "connection-closed")),
    ("S06", "tcp-fin-at-once", ("closed", "connection-closed")),
    ("S06", "tcp-fin-after-request", ("closed", "connection-closed")),
):
    stream(row, name, *alternatives)(hostile.BEHAVIOURS[name].run)
