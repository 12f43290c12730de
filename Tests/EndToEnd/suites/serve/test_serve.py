"""`icecheck serve` over real sockets, seen by a client that shares only the wire format with it."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from contextlib import closing

import pytest
from fakes.stunwire import (
    BINDING_REQUEST,
    BINDING_SUCCESS,
    CHANGE_REQUEST,
    CHANGED_ADDRESS,
    MAPPED_ADDRESS,
    OTHER_ADDRESS,
    RESPONSE_ORIGIN,
    SOFTWARE,
    XOR_MAPPED_ADDRESS,
    attribute,
    message,
    parse,
    with_fingerprint,
)
from harness.addresses import ALTERNATE, PRIMARY
from harness.running import assert_safe
from harness.seeds import seeded
from harness.serving import REQUEST, TRANSACTION, Served, free_ports, serving, wait_until_served


@pytest.fixture
def served(start):
    port, other_port = free_ports()
    running = start(*serving(port, other_port))
    made = Served(running, port, other_port)
    # Its other three endpoints open after the first: until then it answers, and names no other address.
    deadline = time.monotonic() + 10
    while parse(wait_until_served(made)[0]).address(OTHER_ADDRESS) is None:
        assert time.monotonic() < deadline, "the server names no other address"
    return made


def test_it_answers_with_the_clients_address(served):
    data, source, local = served.ask()
    answer = parse(data)
    assert source == (PRIMARY, served.port)
    assert (answer.kind, answer.transaction) == (BINDING_SUCCESS, TRANSACTION)
    assert answer.address(XOR_MAPPED_ADDRESS) == local
    assert answer.address(OTHER_ADDRESS) == (ALTERNATE, served.other_port)


@pytest.mark.parametrize("flags", [0, 2, 4, 6])
def test_it_answers_from_where_it_is_asked_to(served, flags):
    change = attribute(CHANGE_REQUEST, struct.pack("!I", flags))
    data, source, _ = served.ask(with_fingerprint(message(BINDING_REQUEST, TRANSACTION, change)))
    expected = (ALTERNATE if flags & 4 else PRIMARY, served.other_port if flags & 2 else served.port)
    assert source == expected
    assert parse(data).address(RESPONSE_ORIGIN) == expected


def test_it_answers_clients_of_rfc_3489(served):
    data, _, local = served.ask(message(BINDING_REQUEST, TRANSACTION, cookie=0xDEADBEEF))
    assert data[4:8] == b"\xde\xad\xbe\xef"
    answer = parse(data[:4] + b"\x21\x12\xa4\x42" + data[8:])
    assert answer.address(MAPPED_ADDRESS) == local
    assert answer.address(CHANGED_ADDRESS) == (ALTERNATE, served.other_port)


@pytest.mark.parametrize("size", [0, 8, 40, 400])
def test_no_answer_is_longer_than_three_times_its_request(served, size):
    request = message(BINDING_REQUEST, TRANSACTION, *([attribute(SOFTWARE, b"s" * size)] if size else []))
    assert len(served.ask(request)[0]) <= 3 * len(request)


@pytest.mark.parametrize("address", [PRIMARY, ALTERNATE])
def test_it_answers_over_tcp(served, address):
    with served.connect(to=address) as client:
        for byte in REQUEST:
            client.sendall(bytes([byte]))
        answer = parse(client.recv(65536))
        assert answer.address(XOR_MAPPED_ADDRESS) == client.getsockname()


def test_what_is_no_stun_is_hung_up_on(served):
    with served.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(100) == b""


def test_one_source_is_held_to_a_rate(served):
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        client.bind((PRIMARY, 0))
        for _ in range(5000):
            client.sendto(REQUEST, (PRIMARY, served.port))
        client.settimeout(0.3)
        answers = 0
        try:
            while True:
                client.recv(2048)
                answers += 1
        except TimeoutError:
            pass
    assert 0 < answers < 2500


def test_it_outlives_a_flood_of_malformed_datagrams(served):
    noise = seeded()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
        for _ in range(100_000):
            data = bytearray(REQUEST)
            for _ in range(noise.randrange(1, 5)):
                data[noise.randrange(len(data))] = noise.randrange(256)
            client.sendto(data[: noise.randrange(len(data) + 1)], (PRIMARY, served.port))
    wait_until_served(served)
    assert served.memory() < 60 << 20


def test_a_crowd_of_silent_connections_does_not_lock_others_out(served):
    crowd = []
    try:
        for _ in range(400):
            crowd.append(served.connect())
        assert served.ask()
    finally:
        for one in crowd:
            one.close()
    assert served.memory() < 60 << 20


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(served, number):
    served.running.signal(number)
    outcome = served.running.wait()
    assert outcome.status in (0, 128 + number), outcome.describe()
    assert outcome.after_signal < 1.5
    assert_safe(outcome)
    # It says what to type on the other side.
    assert "icecheck" in outcome.text and str(served.port) in outcome.text, outcome.describe()


def test_a_port_in_use_is_named(run):
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as taken:
        taken.bind((PRIMARY, 0))
        port = taken.getsockname()[1]
        outcome = run("serve", "--listen", PRIMARY, "--port", port, patience=5)
    assert outcome.status not in (0, 70) and outcome.status > 0, outcome.describe()
    assert str(port).encode() in outcome.output + outcome.errors, outcome.describe()


def test_without_its_alternate_it_goes_on_and_says_so(start):
    port, other_port = free_ports()
    running = start(*serving(port, other_port, alternate="203.0.113.1"))
    served = Served(running, port, other_port)
    data, _, local = wait_until_served(served)
    assert parse(data).address(XOR_MAPPED_ADDRESS) == local and parse(data).value(OTHER_ADDRESS) is None
    served.running.signal(signal.SIGINT)
    outcome = served.running.wait()
    assert b"203.0.113.1" in outcome.output + outcome.errors, outcome.describe()


def test_icecheck_understands_it(served, run):
    outcome = run("stun", "--format", "json", f"stun:{PRIMARY}:{served.port}")
    [entry] = outcome.report["stun"]
    assert outcome.status == 0 and entry["otherAddress"] == f"{ALTERNATE}:{served.other_port}", outcome.describe()


@pytest.mark.skipif(shutil.which("turnutils_stunclient") is None, reason="turnutils_stunclient is not installed")
def test_the_client_of_coturn_understands_it(served):
    command = ["turnutils_stunclient", "-p", str(served.port), PRIMARY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, env={**os.environ, "LANG": "C"})
    assert f"reflexive addr: {PRIMARY}:" in done.stdout, done.stdout + done.stderr
