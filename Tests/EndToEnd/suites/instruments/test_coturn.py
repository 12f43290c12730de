"""The coturn of the tests is what each test takes it for: seen by a client that shares no code with icecheck."""

import os
import socket
import subprocess
import time
from contextlib import closing

import pytest
from fakes.certificates import made
from fakes.coturn import Coturn, long_term_key, rest_credential
from fakes.turnwire import PASSWORD, REALM, USER, Client, Refused

pytestmark = pytest.mark.usefixtures("coturn_installed")


def client(server, address="127.0.0.1", user=USER, password=PASSWORD, **options):
    return Client((address, server.port), user, password, **options)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("stream", [False, True], ids=["udp", "tcp"])
def test_relays_both_ways_and_its_log_knows_the_end(address, stream):
    with Coturn() as server, client(server, address, stream=stream) as one:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as peer:
            peer.bind((address, 0))
            peer.settimeout(3)
            wanted = [b"\0\x17\0\4\2\0\0\0"] if family == socket.AF_INET6 else []
            relayed = one.allocate(*wanted)
            one.permit(address)
            one.send_to(peer.getsockname()[:2], b"out")
            data, source = peer.recvfrom(100)
            assert (data, source[:2]) == (b"out", relayed)
            peer.sendto(b"back", relayed)
            assert one.received() == (peer.getsockname()[:2], b"back")
            one.bind(0x4001, peer.getsockname()[:2])
            one.send_on(0x4001, b"channel")
            assert peer.recv(100) == b"channel"
            peer.sendto(b"again", relayed)
            assert one.received() == (0x4001, b"again")
        assert len(server.sessions_made()) == 1 and server.allocations_left(patience=0.2) == server.sessions_made()
        one.refresh(0)
        assert server.allocations_left() == [] and server.sessions_released() == set(server.sessions_made())


def test_an_allocation_whose_client_vanished_is_left():
    with Coturn() as server:
        with client(server) as one:
            one.allocate()
        assert server.allocations_left(patience=1.5) == server.sessions_made() != []


def test_a_session_that_is_still_wanted_is_not_left():
    with Coturn() as server, client(server) as one:
        one.allocate()
        assert server.allocations_left(patience=0, but=server.sessions_made()) == []


def refusal(server, action=lambda one: one.allocate(), **options):
    with client(server, **options) as one, pytest.raises(Refused) as refused:
        action(one)
    return refused.value.code


def test_a_wrong_password_is_refused():
    with Coturn() as server:
        assert refusal(server, password="other") == 401
        assert server.errors_sent() == [401, 401] and server.sessions_made() == []


def test_a_key_of_another_realm_is_refused_and_one_of_this_realm_taken():
    with Coturn(users={USER: long_term_key(USER, "other.example.test", PASSWORD)}) as server:
        assert refusal(server) == 401
    with Coturn(users={USER: long_term_key(USER, REALM, PASSWORD)}) as server, client(server) as one:
        assert one.allocate()[0] == "127.0.0.1"


def test_rest_credentials_are_taken_until_they_expire():
    with Coturn(secret="shared") as server:
        user, password = rest_credential("shared", int(time.time()) + 600)
        with client(server, user=user, password=password) as one:
            assert one.allocate()[0] == "127.0.0.1"
        user, password = rest_credential("shared", int(time.time()) - 600)
        assert refusal(server, user=user, password=password) == 401


def test_a_nonce_becomes_stale():
    with Coturn(stale_nonce=1) as server, client(server) as one:
        one.allocate()
        deadline = time.monotonic() + 6
        while 438 not in server.errors_sent():
            assert time.monotonic() < deadline
            one.refresh(600)
            time.sleep(0.2)
        one.refresh(0)
        assert server.allocations_left() == []


def test_the_second_allocation_of_a_user_meets_the_quota():
    with Coturn(user_quota=1) as server, client(server) as one:
        one.allocate()
        assert refusal(server) == 486


def test_a_relay_without_a_free_port_says_508():
    with Coturn(relay_ports=1) as server, client(server) as one:
        one.allocate()
        assert refusal(server) == 508


def test_a_denied_peer_is_forbidden():
    with Coturn(denied_peers=["127.0.0.0-127.255.255.255"]) as server:
        assert refusal(server, lambda one: (one.allocate(), one.permit("127.0.0.1"))) == 403


def test_loopback_is_forbidden_unless_it_is_allowed():
    with Coturn(loopback_peers=False) as server:
        assert refusal(server, lambda one: (one.allocate(), one.permit("127.0.0.1"))) == 403


def test_an_external_address_is_the_relayed_one():
    # Only named, never sent to: it is for documentation.
    with Coturn(addresses=["127.0.0.1"], external_ip="198.51.100.9") as server, client(server) as one:
        assert one.allocate()[0] == "198.51.100.9"


def test_another_server_is_named():
    with Coturn(alternate_servers=["127.0.0.1:9"]) as server:
        assert refusal(server) == 300


@pytest.mark.parametrize("option, missing", [({"udp": False}, "udp"), ({"tcp": False}, "tcp")])
def test_a_transport_can_be_off(option, missing):
    with Coturn(**option) as server:
        with client(server, stream=missing == "udp") as one:
            one.allocate()
        with pytest.raises(ConnectionRefusedError), client(server, stream=missing == "tcp") as one:
            one.allocate()


@pytest.mark.parametrize("name", ["good", "expired", "wrong-name", "incomplete-chain"])
@pytest.mark.parametrize("transport, option", [("tls", "-tls1_2"), ("dtls", "-dtls1_2")])
def test_shows_the_certificate_that_it_is_given(name, transport, option):
    with Coturn(certificate=made()[name].pair) as server:
        words = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.secured_port}", option, "-CAfile", made().root]
        words += ["-verify_hostname", "turn.example.test"]
        said = subprocess.run(
            list(map(str, words)), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
        ).stdout
    verdict = {
        "good": "return code: 0 (ok)", "expired": "certificate has expired", "wrong-name": "ostname mismatch",
        "incomplete-chain": "unable to verify the first certificate",
    }[name]  # fmt: skip
    assert "BEGIN CERTIFICATE" in said and verdict in said, said


def test_several_stand_side_by_side_and_leave_nothing():
    with Coturn() as first, Coturn() as second:
        assert first.port != second.port
        directories, processes = [first.directory, second.directory], [first.process, second.process]
        for server in (first, second):
            with client(server) as one:
                one.allocate()
            assert len(server.sessions_made()) == 1
    assert not any(map(os.path.exists, directories)) and all(one.poll() is not None for one in processes)


def test_what_it_cannot_start_with_is_said():
    with pytest.raises(OSError, match="turnserver"), Coturn(addresses=["192.0.2.77"]):
        pass
