"""The hostile server does what its names say: seen by a small client that shares only the wire format with it."""

import socket
import struct
import time

import pytest
from fakes import hostile
from fakes.hostile import BEHAVIOURS, serve
from fakes.hostile_datagrams import ERROR_CODES, HOSTILE_TEXT
from fakes.stunwire import (
    BINDING_ERROR,
    BINDING_REQUEST,
    BINDING_SUCCESS,
    ERROR_CODE,
    MAPPED_ADDRESS,
    SOFTWARE,
    XOR_MAPPED_ADDRESS,
    message,
    parse,
)
from harness.addresses import FALSE_ADDRESS

TRANSACTION = b"0123456789ab"
REQUEST = message(BINDING_REQUEST, TRANSACTION)


def ask(name, *, times=1, wait=1):
    """The datagrams that come back, each with its source, and the client's own address."""
    with serve(name) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        client.bind(("127.0.0.1", 0))
        for _ in range(times):
            client.sendto(REQUEST, ("127.0.0.1", server.port))
        client.settimeout(wait)
        received, deadline = [], time.monotonic() + 3
        while time.monotonic() < deadline:
            try:
                received.append(client.recvfrom(65535))
            except TimeoutError:
                break
        return received, client.getsockname(), server.port


def converse(name, *, speak=True, wait=0.15, limit=300_000):
    """The bytes that a connection gives, and how it ended: `silence`, `fin`, `reset` or `more`."""
    with serve(name) as server:
        client = socket.create_connection(("127.0.0.1", server.port))
        with client:
            local, data = client.getsockname(), b""
            client.settimeout(wait)
            try:
                if speak:
                    client.sendall(REQUEST)
                while len(data) < limit:
                    more = client.recv(65536)
                    if not more:
                        return data, "fin", local
                    data += more
                return data, "more", local
            except TimeoutError:
                return data, "silence", local
            except (ConnectionResetError, BrokenPipeError):
                return data, "reset", local


def test_every_behaviour_has_a_row_of_the_catalogue():
    rows = {behaviour.row for behaviour in BEHAVIOURS.values()}
    datagrams = {f"D{number:02}" for number in range(1, 21)} - {"D04"}
    assert datagrams | {f"S{number:02}" for number in range(1, 7)} | {"O01", "O03"} <= rows


HONEST = [
    "good",
    "good-with-fingerprint",
    "padding-not-zero",
    "zero-length-software",
    "attribute-bomb",
    "huge-software",
    "two-addresses",
    "two-integrities",
    "software-after-integrity",
    "unknown-optional-attribute",
    "mapped-differs",
    "hostile-software",
    "software-for-formats",
    "other-address-elsewhere",
]


@pytest.mark.parametrize("name", HONEST)
def test_answers_with_the_clients_address(name):
    [(data, _)], local, _ = ask(name)
    assert parse(data).kind == BINDING_SUCCESS
    assert parse(data).address(XOR_MAPPED_ADDRESS) == local


@pytest.mark.parametrize(
    "name, complaint",
    [
        ("empty-datagram", "shorter than a header"),
        ("shorter-than-a-header", "shorter than a header"),
        ("cut-inside-an-attribute", "not that of the datagram"),
        ("length-not-multiple-of-four", "multiple of four"),
        ("length-beyond-the-datagram", "not that of the datagram"),
        ("trailing-bytes", "not that of the datagram"),
        ("top-bits-set", "top bits"),
        ("no-magic-cookie", "cookie"),
        ("attribute-overrun", "overruns"),
        ("attribute-header-cut", "overruns"),
        ("header-length-fffc", "not that of the datagram"),
        ("header-length-ffff", "multiple of four"),
        ("attribute-length-ffff", "overruns"),
        ("attribute-length-fffd-in-64k", "overruns"),
        ("channel-data-length-ffff", "shorter than a header"),
    ],
)
def test_sends_what_is_no_message(name, complaint):
    [(data, _)], _, _ = ask(name)
    with pytest.raises(ValueError, match=complaint):
        parse(data)


@pytest.mark.parametrize("code", ERROR_CODES)
def test_sends_the_error_that_it_names(code):
    [(data, _)], _, _ = ask(f"error-{code}")
    answer = parse(data)
    assert (answer.kind, answer.transaction) == (BINDING_ERROR, TRANSACTION)
    _, hundreds, rest = struct.unpack("!HBB", answer.value(ERROR_CODE)[:4])
    assert hundreds * 100 + rest == code


@pytest.mark.parametrize(
    "name, value",
    [
        ("error-without-code", None),
        ("error-class-zero", b"\0\0\0\1Class 0"),
        ("error-class-seven", b"\0\0\7\0Class 7"),
        ("error-number-199", b"\0\0\4\xc7Number 199"),
        ("error-empty-reason", b"\0\0\4\0"),
        ("error-long-reason", b"\0\0\4\0" + b"R" * 60_000),
        ("error-trailing-nuls", b"\0\0\4\0Bad Request\0\0\0\0"),
        ("error-invalid-utf8", b"\0\0\4\0Bad \xff\xfe\xc0\xaf Request"),
        ("error-code-of-three-bytes", b"\0\0\4"),
        ("error-with-address", b"\0\0\4\0And yet"),
        ("hostile-reason", b"\0\0\4\0" + HOSTILE_TEXT),
    ],
)
def test_sends_errors_of_every_shape(name, value):
    [(data, _)], _, _ = ask(name)
    assert parse(data).kind == BINDING_ERROR
    assert parse(data).value(ERROR_CODE) == value


@pytest.mark.parametrize(
    "name, address",
    [
        ("no-address", None),
        ("zero-address", ("0.0.0.0", 0)),
        ("port-zero", (FALSE_ADDRESS[0], 0)),
        ("multicast-address", ("224.0.0.251", 5353)),
        ("broadcast-address", ("255.255.255.255", 9)),
        ("family-three", FALSE_ADDRESS),
        ("short-address", None),
        ("zero-length-address", None),
        ("ipv6-family-with-ipv4-bytes", FALSE_ADDRESS),
    ],
)
def test_sends_addresses_of_no_use(name, address):
    [(data, _)], _, _ = ask(name)
    assert parse(data).kind == BINDING_SUCCESS
    assert parse(data).address(XOR_MAPPED_ADDRESS) == address


def test_answers_another_transaction():
    [(data, _)], _, _ = ask("wrong-transaction-id")
    assert parse(data).transaction != TRANSACTION
    assert parse(data).address(XOR_MAPPED_ADDRESS) == FALSE_ADDRESS


@pytest.mark.parametrize("name", ["wrong-source-port", "wrong-source-address"])
def test_answers_from_elsewhere(name):
    [(data, source)], _, port = ask(name)
    assert parse(data).transaction == TRANSACTION
    assert source != ("127.0.0.1", port)
    assert (source[0] == "127.0.0.2") == (name == "wrong-source-address")


def test_echoes():
    [(data, _)], _, _ = ask("echo")
    assert data == REQUEST


@pytest.mark.parametrize("name, kind", [("indication", 0x0011), ("request", 0x0001), ("other-method", 0x0103)])
def test_sends_what_is_no_binding_response(name, kind):
    [(data, _)], _, _ = ask(name)
    assert (parse(data).kind, parse(data).transaction) == (kind, TRANSACTION)


@pytest.mark.parametrize(
    "name, count, good_last",
    [
        ("wrong-transaction-id-then-good", 2, True),
        ("wrong-source-then-good", 2, True),
        ("bad-fingerprint-then-good", 2, True),
        ("corrupted-then-good", 21, True),
        ("five-hundred-copies", 500, True),
        ("duplicated-and-reordered", 6, True),
        ("bad-fingerprint", 1, False),
        ("two-fingerprints", 1, True),
        ("unknown-required-attribute", 1, False),
        ("fingerprint-of-wrong-size", 1, False),
        ("address-after-integrity", 1, False),
        ("address-after-fingerprint", 1, False),
    ],
)
def test_sends_so_many(name, count, good_last):
    received, local, _ = ask(name)
    assert len(received) == count
    assert (parse(received[-1][0]).address(XOR_MAPPED_ADDRESS) == local) == good_last


def test_floods_and_then_answers():
    received, local, _ = ask("junk-then-good", wait=1)
    assert len(received) > 1000
    assert parse(received[-1][0]).address(XOR_MAPPED_ADDRESS) == local


def test_floods_for_ever():
    received, _, _ = ask("junk-for-ever", wait=0.2)
    assert len(received) > 1000


@pytest.mark.parametrize("name, wait", [("silent", 0.2), ("late-reply", 0.2), ("reply-after-the-deadline", 0.2)])
def test_keeps_silent_at_first(name, wait):
    assert ask(name, wait=wait)[0] == []


def test_answers_late():
    assert len(ask("late-reply", wait=1)[0]) == 1


def test_loses_three_round_trips_in_ten():
    assert 55 < len(ask("loss-30", times=100)[0]) < 85


def test_loses_the_first_request():
    assert len(ask("first-request-lost", times=2)[0]) == 1


def test_answers_old_clients_without_xor():
    [(data, _)], local, _ = ask("mapped-address-only")
    assert parse(data).address(MAPPED_ADDRESS) == local and parse(data).value(XOR_MAPPED_ADDRESS) is None


STREAMS = {
    "tcp-good": ("silence", lambda data: parse(data).value(SOFTWARE) == b"honest 1.0"),
    "tcp-silent": ("silence", lambda data: data == b""),
    "tcp-ssh": ("silence", lambda data: data.startswith(b"SSH-2.0-")),
    "tcp-smtp": ("silence", lambda data: data.startswith(b"220 ")),
    "tcp-http": ("silence", lambda data: data.startswith(b"HTTP/1.1 400")),
    "tcp-tls-alert": ("silence", lambda data: data[:3] == b"\x15\x03\x01"),
    "tcp-hostile-banner": ("silence", lambda data: data.startswith(b"\x1b[31m")),
    "tcp-half-then-close": ("fin", lambda data: len(data) == 25),
    "tcp-half-then-stall": ("silence", lambda data: len(data) == 25),
    "tcp-header-cut-then-stall": ("silence", lambda data: len(data) == 7),
    "tcp-length-fffc-then-stall": ("silence", lambda data: data[2:4] == b"\xff\xfc"),
    "tcp-one-byte-a-second": ("silence", lambda data: len(data) == 1),
    "tcp-byte-a-segment": ("silence", lambda data: parse(data).kind == BINDING_SUCCESS),
    "tcp-several-in-a-segment": ("silence", lambda data: len(data) == 20 + 32 + 32 + 20),
    "tcp-channel-data-first": ("silence", lambda data: parse(data[12:]).kind == BINDING_SUCCESS),
    "tcp-endless-zeros": ("more", lambda data: not any(data)),
    "tcp-endless-garbage": ("more", lambda data: set(data) == {0xFF}),
    "tcp-endless-foreign-answers": ("more", lambda data: parse(data[:32]).transaction != TRANSACTION),
    "tcp-reset-at-connect": ("reset", lambda data: data == b""),
    "tcp-reset-after-request": ("reset", lambda data: data == b""),
    "tcp-reset-mid-message": ("reset", lambda data: len(data) == 25),
    "tcp-fin-at-once": ("fin", lambda data: data == b""),
    "tcp-fin-after-request": ("fin", lambda data: data == b""),
    "tcp-wrong-transaction-id": ("silence", lambda data: parse(data).transaction != TRANSACTION),
    "tcp-echo": ("silence", lambda data: data == REQUEST),
    "tcp-zero-address": ("silence", lambda data: parse(data).address(XOR_MAPPED_ADDRESS) == ("0.0.0.0", 0)),
    "tcp-error-500": ("silence", lambda data: parse(data).kind == BINDING_ERROR),
    "tcp-unknown-required-attribute": ("silence", lambda data: parse(data).value(0x7ABC) == b"must"),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_gives_what_it_names(name):
    data, end, _ = converse(name)
    expected_end, holds = STREAMS[name]
    assert (end, holds(data)) == (expected_end, True), data[:80]


def test_every_stream_behaviour_is_tested():
    assert set(STREAMS) == {name for name, behaviour in BEHAVIOURS.items() if behaviour.transport == "tcp"}


def test_the_list_is_printed(capsys):
    assert hostile.main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(BEHAVIOURS)
