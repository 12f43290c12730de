"""The hostile TURN server does what its names say: seen by the tests' own client, which shares no code with icecheck.
"""

import socket
import struct
from contextlib import closing

import pytest
from fakes.hostile_turn import PUBLIC, SCENARIOS, TRANSPORTS, serve
from fakes.stunwire import ERROR_CODE, parse
from fakes.turnwire import (
    ALLOCATE,
    ALTERNATE_SERVER,
    NONCE_VALUE,
    PASSWORD,
    REALM_VALUE,
    REQUEST,
    UDP_RELAY,
    USER,
    Client,
    Refused,
    class_of,
    code_of,
    is_signed_with,
    method_of,
)  # fmt: skip

ROWS = (
    {f"A{number:02}" for number in range(1, 14)} - {"A10", "A11", "A12"}
    | {"R01", "R02", "R04", "R06", "T01", "T02", "T03", "T04", "T05", "T06", "T09"}
    | {f"S{number:02}" for number in range(1, 7)}
)  # fmt: skip
EVERY = [(name, transport) for name in SCENARIOS for transport in TRANSPORTS[name] if name not in PUBLIC]


def client(server, transport, **options):
    return Client(("127.0.0.1", server.port), USER, PASSWORD, stream=transport == "tcp", **options)


def what_happens(name, transport):
    """Allocation, permission, one datagram each way by indication and one by channel, and the end of it."""
    with serve(name) as server, closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(0.3)
        try:
            with client(server, transport, patience=0.3) as one:
                relayed = one.allocate()
                one.permit("127.0.0.1")
                one.send_to(peer.getsockname(), b"outwards")
                data, source = peer.recvfrom(100)
                if source != relayed:
                    return "relays from elsewhere"
                assert data == b"outwards"
                peer.sendto(b"inwards", relayed)
                for _ in range(20):
                    source, data = one.received()
                    if data == b"inwards" and source == peer.getsockname():
                        break
                    if source == peer.getsockname():
                        return "altered"
                assert source == peer.getsockname()
                one.refresh(0)
                return "relays" if server.left() == [] else "lives on"
        except Refused as refused:
            return refused.code
        except TimeoutError:
            return "silence"
        except (ConnectionResetError, BrokenPipeError):
            return "ended"
        except ValueError as error:
            return "unsigned" if "not signed" in str(error) else "nonsense"
        except (TypeError, AttributeError, OSError, struct.error):
            # The client of the tests trips over what is missing, or too long to be sent back.
            return "nonsense"


OUTCOMES = {
    "credentials-refused": {401},
    "credentials-refused|broken-challenge": {401},
    "nonce-never-accepted": {438},
    "realm-keeps-changing": {401},
    "possible-downgrade": {401, 438, "relays"},
    "not-authenticated": {"unsigned"},
    "redirected": {300},
    "unusable-relayed-address": {"nonsense", "relays from elsewhere"},
    "no-answer": {"silence"},
    "tcp-open-no-stun": {"silence"},
    "no-answer|no-data": {"silence"},
    "no-data": {"silence"},
    "altered": {"altered"},
    "closed": {"ended"},
    "unknown-attributes|unknown-attribute": {"relays"},
}
SPECIAL = {
    "redirect-once": 300,
    "redirect-before-credentials": 300,
    "437-once": 437,
    "refresh-silent": "silence",
    "refresh-438-for-ever": 438,
    "error-without-code": None,
    # The tests' client takes the first answer, and knows no other algorithm.
    "forged-400-before-the-success": 400,
    "unknown-algorithm": "nonsense",
}


@pytest.mark.parametrize("name, transport", EVERY)
def test_does_what_it_is_named_for(name, transport):
    _, kind, code = SCENARIOS[name]
    seen = what_happens(name, transport)
    if name in SPECIAL:
        assert seen == SPECIAL[name]
    elif kind is None:
        assert seen == "relays"
    elif kind == "error-response":
        assert seen == code
    elif name.startswith("tcp-"):
        assert seen in ("silence", "ended", "nonsense", None)
    elif kind == "broken-challenge":
        assert seen in ("nonsense", "silence", "relays", 401)
    else:
        assert seen in OUTCOMES[kind]


def test_every_row_has_a_scenario():
    assert ROWS <= {row for row, _, _ in SCENARIOS.values()}


def first_answer(name, transport):
    """What an unsigned Allocate gets."""
    with serve(name) as server, client(server, transport, patience=1) as one:
        return one.ask(ALLOCATE, UDP_RELAY)[0]


@pytest.mark.parametrize(
    "name, realm, nonce",
    [
        ("401-without-realm", False, 16),
        ("401-without-nonce", 17, False),
        ("401-with-neither", False, False),
        ("401-empty-nonce", 17, 0),
        ("401-empty-realm", 0, 16),
        ("huge-realm", 40_000, 16),
        ("huge-nonce", 17, 40_000),
        ("realm-of-764-bytes", 764, 16),
        ("nonce-of-764-bytes", 17, 764),
        ("nonce-of-763-bytes", 17, 763),
    ],
)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_challenges_are_broken_as_named(name, realm, nonce, transport):
    answer = first_answer(name, transport)
    assert code_of(answer) == 401
    for number, size in ((REALM_VALUE, realm), (NONCE_VALUE, nonce)):
        value = answer.value(number)
        assert value is None if size is False else len(value) == size


def test_the_redirects_lead_on():
    with serve("redirect-chain-of-20") as server:
        ports = [port for _, port in server.places]
        assert len(set(ports)) == 21
        for place in range(20):
            with Client(server.places[place], USER, PASSWORD) as one:
                with pytest.raises(Refused):
                    one.allocate()
                answer, _ = one.ask(ALLOCATE, UDP_RELAY)
            assert answer.address(ALTERNATE_SERVER) == server.places[place + 1]
        with Client(server.places[20], USER, PASSWORD) as one:
            assert one.allocate()[0] == "127.0.0.1"


def test_another_five_tuple_helps_once():
    with serve("437-once") as server:
        with client(server, "udp") as first, pytest.raises(Refused):
            first.allocate()
        with client(server, "udp") as second:
            assert second.allocate()[0] == "127.0.0.1"


def test_the_wrong_password_is_refused_by_the_good_one():
    with serve("good") as server, Client(("127.0.0.1", server.port), USER, "guess") as one:
        with pytest.raises(Refused) as refused:
            one.allocate()
        assert refused.value.code == 401 and server.left() == []


def test_what_is_received_is_kept_with_its_place():
    with serve("good") as server, client(server, "udp") as one:
        one.allocate()
        requests = [parse(data) for _, data, _, _ in server.received]
    assert [(method_of(one.kind), class_of(one.kind)) for one in requests] == [(ALLOCATE, REQUEST)] * 2
    assert requests[0].value(REALM_VALUE) is None and requests[1].value(REALM_VALUE) is not None
    assert server.left() != []


@pytest.mark.parametrize("code", [400, 403, 420, 437, 440, 441, 442, 443, 446, 447, 486, 500, 508])
def test_its_errors_are_signed_or_not_as_named(code):
    for name in (f"error-{code}", f"unsigned-{code}"):
        if name not in SCENARIOS:
            continue
        with serve(name) as server, client(server, "udp") as one:
            with pytest.raises(Refused):
                one.allocate()
            answer, data = one.ask(ALLOCATE, UDP_RELAY)
            assert answer.value(ERROR_CODE) is not None
            assert is_signed_with(data, one.key) == name.startswith("error")
