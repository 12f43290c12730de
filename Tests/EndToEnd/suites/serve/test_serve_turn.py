"""`icecheck serve` as a TURN server over real sockets, seen by coturn's own client."""

import os
import re
import shutil
import signal
import subprocess
import time

import pytest
from harness.addresses import ALTERNATE, PRIMARY
from harness.running import assert_safe
from harness.serving import Served, free_ports, wait_until_served

UCLIENT = shutil.which("turnutils_uclient")
needs_uclient = pytest.mark.skipif(UCLIENT is None, reason="turnutils_uclient (coturn) is not installed")
SECRET = "north-by-northwest"
PASSWORD = "swordfish"


@pytest.fixture
def relaying(start):
    """Starts a server with TURN, given its options."""

    def started(*options, environment=None):
        port, other_port = free_ports()
        addresses = ("--listen", PRIMARY, "--listen", "::1", "--alternate", ALTERNATE)
        running = start(
            "serve", *addresses, "--port", port, "--alternate-port", other_port, "-v", *options,
            **({"environment": environment} if environment else {}),
        )  # fmt: skip
        served = Served(running, port, other_port)
        wait_until_served(served)
        return served

    return started


def uclient(served, *options, address=PRIMARY):
    """Bytes between two allocations of coturn's client, in Send indications: the channel numbers that it makes up are
    those of RFC 5766, and mostly out of the range of RFC 8656."""
    command = [UCLIENT, "-s", "-y", "-c", "-n", "5", "-m", "1", "-p", str(served.port), *options, address]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def relayed_messages(outcome):
    found = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", outcome.stdout + outcome.stderr)
    assert found, outcome.stdout + outcome.stderr
    return tuple(map(int, found[-1]))


def ended(served):
    """What the server has printed once it is interrupted."""
    served.running.signal(signal.SIGINT)
    outcome = served.running.wait()
    assert outcome.status == 130, outcome.describe()
    assert_safe(outcome)
    return outcome.text


def allocations(text, word):
    return re.findall(rf"^allocation {word}: relayed (\S+),", text, re.MULTILINE)


def wait_for(condition, what, patience=10):
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def so_far(served):
    with open(f"/proc/{served.running.process.pid}/fd/1", "rb") as output:
        return output.read().decode()


@needs_uclient
@pytest.mark.parametrize(
    "options, address",
    [((), PRIMARY), (("-t",), PRIMARY), (("-x",), "::1"), (("-t", "-x"), "::1"), (("-x",), PRIMARY)],
    ids=["UDP", "TCP", "UDP over IPv6", "TCP over IPv6", "an IPv6 relay from IPv4"],
)
def test_the_client_of_coturn_relays_bytes(relaying, options, address):
    served = relaying("--user", f"u:{PASSWORD}")
    outcome = uclient(served, "-u", "u", "-w", PASSWORD, *options, address=address)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert relayed_messages(outcome) == (10, 10), outcome.stdout + outcome.stderr
    text = ended(served)
    made = allocations(text, "made")
    # Three: coturn's client leaves its first one behind, and deletes the two that relay.
    assert len(made) == 3 and len(set(made)) == 3, text
    assert len(allocations(text, "deleted")) == 2 and set(allocations(text, "deleted")) <= set(made), text
    if "-t" in options:
        wait = "3 allocations made, 2 deleted, 0 expired, 1 ended with their connection, 0 left"
    else:
        wait = "3 allocations made, 2 deleted, 0 expired, 0 ended with their connection, 1 left"
    assert wait in text, text
    assert re.search(r"^\d+ relayed to peers, \d+ to clients", text, re.MULTILINE), text
    assert all("[::1]:" in relayed for relayed in made) == ("-x" in options), text


@needs_uclient
def test_the_client_of_coturn_relays_with_a_shared_secret(relaying):
    served = relaying("--secret", SECRET, "--realm", "example.org")
    outcome = uclient(served, "-u", "ann", "-W", SECRET)
    assert relayed_messages(outcome) == (10, 10), outcome.stdout + outcome.stderr
    text = ended(served)
    assert re.search(r"user '\d{10}:ann'", text) and "realm 'example.org'" in text, text


@needs_uclient
def test_a_wrong_password_makes_nothing(relaying):
    served = relaying("--user", f"u:{PASSWORD}")
    outcome = uclient(served, "-u", "u", "-w", "wrong")
    assert "tot_recv_msgs=10" not in outcome.stdout + outcome.stderr
    text = ended(served)
    assert "0 allocations made" in text and "401" in text, text


@needs_uclient
def test_a_quota_is_kept(relaying):
    served = relaying("--user", f"u:{PASSWORD}", "--quota", "1")
    uclient(served, "-u", "u", "-w", PASSWORD)
    text = ended(served)
    assert "1 allocations made" in text and "486 Allocation Quota Reached" in text, text


@needs_uclient
def test_relay_ports_are_those_given(relaying):
    served = relaying("--user", f"u:{PASSWORD}", "--relay-ports", "61000-61999")
    outcome = uclient(served, "-u", "u", "-w", PASSWORD)
    assert relayed_messages(outcome) == (10, 10), outcome.stdout + outcome.stderr
    ports = [int(relayed.rsplit(":", 1)[1]) for relayed in allocations(ended(served), "made")]
    assert len(ports) == 3 and all(61000 <= port <= 61999 for port in ports)


@needs_uclient
def test_a_connection_that_dies_takes_its_allocation_with_it(relaying):
    served = relaying("--user", f"u:{PASSWORD}")
    command = [UCLIENT, "-t", "-s", "-y", "-c", "-n", "100000", "-m", "1", "-p", str(served.port)]
    client = subprocess.Popen([*command, "-u", "u", "-w", PASSWORD, PRIMARY], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: len(allocations(so_far(served), "made")) == 3, "no allocations")
    finally:
        client.kill()
        client.wait()
    wait_for(lambda: len(allocations(so_far(served), "ended with its connection")) == 3, "they live on")
    assert "3 ended with their connection, 0 left" in ended(served)


def test_secrets_are_in_no_output_and_no_process_list(relaying, tmp_path):
    file = tmp_path / "secret"
    file.write_text("from-a-file\n")
    environment = {**os.environ, "ICECHECK_TURN_PASSWORD": "from-the-environment"}
    for options in (
        ("--user", f"u:{PASSWORD}", "--secret", SECRET),
        (f"--user=u:{PASSWORD}", f"--secret={SECRET}"),
        ("--user", "u", "--secret-file", str(file)),
    ):
        served = relaying(*options, environment=environment)
        with open(f"/proc/{served.running.process.pid}/cmdline") as shown:
            line = shown.read()
        text = ended(served)
        assert "TURN is served for 'u' and whoever has the shared secret" in text
        for secret in (PASSWORD, SECRET, "from-a-file", "from-the-environment"):
            assert secret not in line and secret not in text


def test_without_a_user_there_is_no_turn(relaying):
    served = relaying()
    allocate = bytes.fromhex("000300082112a442") + b"0123456789ab" + bytes.fromhex("0019000411000000")
    with pytest.raises(TimeoutError):
        served.ask(allocate, timeout=0.3)
    text = ended(served)
    assert "TURN" not in text and "allocations" not in text


@pytest.mark.parametrize(
    "options, words",
    [
        (("--user", "u"), "no password"),
        (("--user", ":p"), "user name"),
        (("--user", f"u\x01:{PASSWORD}"), "user name"),
        (("--realm", "r"), "only with --user"),
        (("--user", f"u:{PASSWORD}", "--realm", "r" * 33), "--realm"),
        (("--user", f"u:{PASSWORD}", "--relay-ports", "1-0"), "not a range"),
        (("--user", f"u:{PASSWORD}", "--relay-ports", "70000"), "not a range"),
        (("--user", f"u:{PASSWORD}", "--relay-address", "nowhere"), "not an address"),
        (("--user", f"u:{PASSWORD}", "--quota", "0"), "out of range"),
        (("--secret", SECRET, "--secret-file", "/dev/null"), "exclude"),
        (("--secret-file", "/dev/null"), "is empty"),
        (("--user", f"u:{PASSWORD}", "--nonce-lifetime", "0"), "out of range"),
    ],
)
def test_options_that_make_no_sense_are_named(run, options, words):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ICECHECK_TURN")}
    outcome = run("serve", "--port", "0", *options, environment=clean, patience=10)
    assert outcome.status == 64, outcome.describe()
    assert words in outcome.errors.decode(), outcome.describe()
    assert PASSWORD.encode() not in outcome.errors and SECRET.encode() not in outcome.errors
