"""What `icecheck turn` sends, read by tshark: every message of a whole run against coturn decodes without a complaint.

In a namespace of its own, so that the capture has nothing else in it.
"""

import os
import shutil
import signal
import subprocess
import time

import pytest
from fakes.coturn import Coturn
from fakes.turnwire import PASSWORD, USER
from harness.capture import await_capture
from harness.running import Running, no_core_dumps
from labs.namespaces import Namespace

COMPLAINTS = ("Malformed", "incorrect", "Bad ", "bad fingerprint", "Expert Info (Error", "Expert Info (Warning")
# What a run sends, and what it gets: by tshark's names.
EXPECTED = (
    "Allocate Request", "Allocate Success Response", "CreatePermission Request", "Channel-Bind Request",
    "Send Indication", "Data Indication", "ChannelData TURN Message", "Refresh Request", "Refresh Success Response",
)  # fmt: skip


@pytest.fixture
def lonely(permitted, coturn_installed):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    made = Namespace("wire")
    made.sysctl("net.ipv6.conf.default.accept_dad", 0)
    made.ip("link", "set", "lo", "up")
    yield made
    made.remove()


def dissected(path, port, transport, *more):
    words = ["tshark", "-n", "-r", str(path), "-d", f"{transport}.port=={port},stun"]
    done = subprocess.run([*words, *more], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=[("udp", "127.0.0.1"), ("udp", "::1"), ("tcp", "127.0.0.1"), ("tcp", "::1")], ids="-".join)
def captured(request, binary, lonely, tmp_path):
    """The capture of a run, the server's port, and the transport."""
    transport, address = request.param
    path = tmp_path / "lo.pcapng"
    inside = ["ip", *lonely.prefix()]
    with Coturn(prefix=inside) as server:
        capture = subprocess.Popen(
            [*inside, "tshark", "-n", "-q", "-i", "lo", "-w", str(path)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            await_capture(capture, path)
            environment = {name: value for name, value in os.environ.items() if not name.startswith("ICECHECK_TURN")}
            arguments = ["turn", server.uri(transport, address), "--user", USER, "--password", PASSWORD]
            outcome = Running(
                "ip", [*lonely.prefix(), binary, *arguments], limits=no_core_dumps, environment=environment
            ).wait()
            assert outcome.status == 0, outcome.describe()
            wait_for_the_end(path, server.port, transport)
        finally:
            capture.send_signal(signal.SIGINT)
            capture.wait(15)
        yield path, server.port, transport


def wait_for_the_end(path, port, transport, patience=10):
    """The capture is behind the run: its end is the answer to the deletion."""
    deadline = time.monotonic() + patience
    while "Refresh Success" not in read_while_written(path, port, transport):
        assert time.monotonic() < deadline, "the deletion is not in the capture"
        time.sleep(0.1)


def read_while_written(path, port, transport):
    words = ["tshark", "-n", "-r", str(path), "-d", f"{transport}.port=={port},stun"]
    # A file that is being written may end in half a packet, which tshark counts as a failure.
    return subprocess.run(words, capture_output=True, text=True, timeout=60).stdout


def test_an_independent_dissector_finds_a_whole_run_well_formed(captured):
    path, port, transport = captured
    summary = dissected(path, port, transport)
    for wanted in EXPECTED:
        assert wanted in summary, f"no {wanted} in\n{summary}"
    details = dissected(path, port, transport, "-V", "-Y", "stun")
    for complaint in COMPLAINTS:
        assert complaint not in details, details[max(0, details.find(complaint) - 1500) :][:2000]
    assert dissected(path, port, transport, "-Y", "_ws.malformed") == ""


def test_no_password_is_on_the_wire(captured):
    path, _, _ = captured
    assert PASSWORD.encode() not in path.read_bytes()
