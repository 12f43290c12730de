"""Servers that are right, for any test: coturn, and `icecheck serve`, each on a port that was free."""

import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager

import pytest
from fakes.stunwire import BINDING_REQUEST, message

from harness.stopwatch import watch

TRANSACTION = b"0123456789ab"


def free_port(addresses=("127.0.0.1", "127.0.0.2")):
    """A port that is free for both transports on all `addresses`, and the one after it too."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        held = []
        try:
            for number in (port, port + 1):
                for address in addresses:
                    family = socket.AF_INET6 if ":" in address else socket.AF_INET
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        held.append(socket.socket(family, kind))
                        held[-1].bind((address, number))
            return port
        except (OSError, OverflowError):
            continue
        finally:
            for one in held:
                one.close()
    pytest.fail("no two neighbouring ports are free")


def await_answers(address, port, process, patience=10):
    """Waits until a server answers Binding over UDP; its start is not what is measured."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        until = time.monotonic() + patience
        while time.monotonic() < until and process.poll() is None:
            try:
                probe.sendto(message(BINDING_REQUEST, TRANSACTION), (address, port))
                if probe.recv(2048)[8:20] == TRANSACTION:
                    return
            except OSError:
                continue
    pytest.fail(f"the server at {address} port {port} does not answer")


@contextmanager
def ended_afterwards(process):
    try:
        yield watch(process)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def coturn():
    """The port of a coturn on 127.0.0.1, 127.0.0.2 and ::1."""
    if shutil.which("turnserver") is None:
        pytest.skip("turnserver (coturn) is not installed")
    addresses = ("127.0.0.1", "127.0.0.2", "::1")
    port = free_port(addresses)
    with tempfile.TemporaryDirectory() as folder:
        listening = [word for address in addresses for word in ("-L", address)]
        process = subprocess.Popen(
            ["turnserver", "-n", *listening, "-p", str(port), "--log-file", "stdout", "--no-tls", "--no-dtls",
             "--no-cli", "--pidfile", "/dev/null", "--userdb", f"{folder}/users"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
        with ended_afterwards(process):
            for address in ("127.0.0.1", "::1"):
                await_answers(address, port, process)
            yield port


@pytest.fixture(scope="module")
def served(binary):
    """The port of `icecheck serve` at its default addresses."""
    port = free_port(("127.0.0.1", "127.0.0.2", "::1"))
    process = subprocess.Popen(
        [str(binary), "serve", "--port", str(port), "--alternate-port", str(port + 1)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with ended_afterwards(process):
        await_answers("127.0.0.1", port, process)
        yield port


@pytest.fixture(params=["coturn", "served"])
def server(request):
    return request.getfixturevalue(request.param)
