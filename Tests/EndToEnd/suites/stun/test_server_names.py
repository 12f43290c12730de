"""A server that picks its certificate by the name that clients give (SNI), and picks the wrong one."""

import socket
import ssl
import threading
from contextlib import contextmanager

import pytest
from fakes.certificates import made


@contextmanager
def picking(named, nameless):
    """A TLS server on loopback: gives its port, and the names that clients gave. `named` is the kind of certificate for
    those who give a name, or an alert."""
    contexts = {kind: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for kind in {named, nameless} if kind in made()}
    for kind, context in contexts.items():
        context.load_cert_chain(*made()[kind].pair)
        context.set_alpn_protocols(["stun.turn"])
    names = []

    def choose(connection, name, _):
        names.append(name)
        if name is None:
            return None
        if named not in contexts:
            return named
        connection.context = contexts[named]

    contexts[nameless].sni_callback = choose
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with contexts[nameless].wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], names
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def asked(run, port, host="localhost"):
    outcome = run(
        "turn", f"turns:{host}:{port}", "-4", "--user", "alice", "--password", "canary-names-31", "--ca-file",
        made().root, "--format", "json",
    )  # fmt: skip
    assert outcome.status == 1, outcome.describe()
    return outcome.report["turn"][0]["tls"], outcome.report["findings"][0]


def test_the_wrong_certificate_for_a_name_is_told_from_a_wrong_certificate(run):
    with picking("wrong-name", "good") as (port, names):
        tls, finding = asked(run, port)
        assert tls["withoutServerName"] == {"ok": True} and not tls["ok"]
        assert finding["id"] == "tls-name-mismatch"
        assert "without SNI: the server shows another certificate, which is fine" in finding["evidence"][-1]
        # It is asked once more, and no oftener.
        assert names == ["localhost", None]


def test_a_certificate_that_is_wrong_without_a_name_too_is_said_to_be(run):
    with picking("wrong-name", "wrong-name") as (port, _):
        tls, finding = asked(run, port)
        assert not tls["withoutServerName"]["ok"] and tls["withoutServerName"]["faults"][0]["kind"] == "wrong-name"
        assert finding["evidence"][-1].endswith("without SNI: the server does the same")


def test_a_name_that_is_refused_is_compared(run):
    with picking(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME, "good") as (port, _):
        tls, finding = asked(run, port)
        assert tls["withoutServerName"] == {"ok": True}
        assert any("unrecognized name" in line for line in finding["evidence"])


@pytest.mark.parametrize("kind, host", [("expired", "localhost"), ("no-ip", "127.0.0.1")])
def test_what_no_name_would_change_is_asked_once(run, kind, host):
    with picking(kind, kind) as (port, names):
        tls, _ = asked(run, port, host)
        assert "withoutServerName" not in tls and len(names) == 1
