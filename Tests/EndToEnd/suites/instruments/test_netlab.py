"""The lab is what its picture says, and nothing of it is left: seen with plain sockets."""

import socket

import pytest
from fakes.hostile import serve
from fakes.stunwire import BINDING_REQUEST, message
from labs import namespaces
from labs.namespaces import command

pytestmark = pytest.mark.usefixtures("permitted")


def client_in(lab, family):
    with lab.client.entered():
        made = socket.socket(family, socket.SOCK_DGRAM)
    made.settimeout(2)
    return made


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_datagrams_pass_the_router(lab, family):
    address = lab.server_address if family == socket.AF_INET else lab.server_address6
    with lab.server.entered():
        server = serve("good", address=address, port=3478)
    with server, client_in(lab, family) as client:
        client.sendto(message(BINDING_REQUEST, b"0123456789ab"), (address, 3478))
        assert client.recvfrom(2048)[1][:2] == (address, 3478)
        assert server.received[0][2][0] == (lab.client_address if family == socket.AF_INET else lab.client_address6)


@pytest.mark.parametrize(
    "rule, error",
    [("reject with icmp type port-unreachable", ConnectionRefusedError), ("drop", TimeoutError)],
)
def test_rules_act_in_the_router(lab, rule, error):
    lab.forward(f"udp dport 3478 {rule}")
    with client_in(lab, socket.AF_INET) as client:
        client.connect((lab.server_address, 3478))
        client.send(b"x")
        with pytest.raises(error):
            client.recv(100)


def test_nothing_is_left(lab):
    names = [namespace.name for namespace in lab.namespaces.values()]
    lab.remove()
    assert not any(name in command("ip", "netns", "list") for name in names)


def test_what_a_killed_run_left_is_removed():
    command("ip", "netns", "add", f"{namespaces.PREFIX}-999999999-0-client")
    namespaces.remove_leftovers()
    assert "999999999" not in command("ip", "netns", "list")
