"""The lab of two ends: each is behind the network that its label says, as seen by a probe that is not icecheck, towards
servers and towards the other end; and nothing of it is left."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from harness.running import HERE
from harness.waiting import wait_until
from labs.icelab import STUN, TURN, TURN_PORT, ICELab, shape
from labs.icematrix import NETWORKS, Labs
from labs.labels import LABELS
from labs.namespaces import namespaces_of
from labs.natprobe import Probe

PORTS = (50001, 50002)


pytestmark = pytest.mark.usefixtures("permitted")


@pytest.fixture(scope="module")
def labs(permitted):
    with Labs(families=(4, 6), servers=False) as made:
        yield made


class Side:
    """One end of a lab, as `natprobe` wants it."""

    def __init__(self, lab, place):
        self.end = lab.ends[place]
        self.server, self.client, self.label = lab.net, self.end.namespace, LABELS[self.end.label]
        self.client_ports_used = set()

    def client_address(self, family):
        return self.end.address(family)

    def public_address(self, family):
        return self.end.outside(family)


def bound(namespace, address, port=0):
    with namespace.entered():
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, port))
    made.settimeout(5)
    return made


def hears_nothing(client):
    client.settimeout(0.3)
    try:
        return not client.recv(100)
    except TimeoutError:
        return True


@pytest.mark.parametrize("name", NETWORKS)
def test_both_ends_are_behind_what_their_labels_say(labs, name):
    lab = labs.at(name, name)
    for place in (0, 1):
        side = Side(lab, place)
        for family in (4, 6):
            with Probe(side, family, ports=PORTS) as probe:
                assert probe.behaviour() == side.label.behaviour(family), (place, family)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_mapping_towards_the_other_end_is_of_the_same_kind(labs, name):
    lab = labs.at(name, "no-nat")
    one, other = lab.ends
    for family in (4, 6):
        with (
            bound(one.namespace, one.address(family)) as client,
            bound(other.namespace, other.address(family)) as first,
            bound(other.namespace, other.address(family)) as second,
            bound(lab.net, STUN[family][0]) as server,
        ):
            seen = []
            for end in (first, second, server):
                client.sendto(b"there", end.getsockname()[:2])
                seen.append(end.recvfrom(100)[1][1])
            expected = {
                "none": [True, True], "endpoint-independent": [True, True], "address-dependent": [True, False],
                "address-and-port-dependent": [False, False],
            }[LABELS[name].behaviour(family).mapping]  # fmt: skip
            assert [seen[0] == seen[1], seen[0] == seen[2]] == expected, seen


def test_two_behind_one_router_are_on_one_link_and_nothing_is_turned_back(labs):
    lab = labs.at("nat-eim-eif")
    one, other = lab.ends
    assert one.outside(4) == other.outside(4) and one.address(4) != other.address(4)
    with (
        bound(one.namespace, one.address(4)) as first,
        bound(other.namespace, other.address(4)) as second,
        bound(lab.net, STUN[4][0]) as server,
    ):
        first.sendto(b"near", second.getsockname())
        assert second.recvfrom(100) == (b"near", first.getsockname())
        second.sendto(b"far", server.getsockname())
        _, outside = server.recvfrom(100)
        assert outside == (other.outside(4), second.getsockname()[1])
        first.sendto(b"back", outside)
        assert hears_nothing(second)


def test_it_becomes_another_network_without_memory_of_what_passed(labs):
    lab = labs.at("nat-eim-eif", "no-nat")
    one, other = lab.ends
    with bound(one.namespace, one.address(4)) as client, bound(other.namespace, other.address(4)) as peer:
        client.sendto(b"there", peer.getsockname())
        _, outside = peer.recvfrom(100)
        peer.sendto(b"back", outside)
        assert client.recv(100) == b"back"
        lab.become("nat-eim-apdf", "no-nat")
        peer.sendto(b"back", outside)
        assert hears_nothing(client)
        with pytest.raises(ValueError, match="addresses"):
            lab.become("no-nat", "no-nat")


def test_what_is_for_nobody_is_lost_without_a_word(labs):
    """A private address of the other side's: no error may hurry an agent on."""
    lab = labs.at("nat-eim-eif", "nat-eim-eif")
    one, other = lab.ends
    with bound(one.namespace, one.address(4)) as client:
        client.connect((other.address(4), 50001))
        client.send(b"anyone?")
        assert hears_nothing(client)


@pytest.mark.parametrize("names", [("masquerade", "nat-adm-adf"), ("no-nat", "double-nat"), ("double-nat",)])
def test_a_lab_with_its_servers_is_up_in_less_than_a_second(coturn_installed, names):
    started = time.monotonic()
    with ICELab(*names) as lab:
        lab.start_stun()
        lab.start_turn()
        taken = time.monotonic() - started
        for end in lab.ends:
            for family in (4, 6):
                for address in (*STUN[family], TURN[family]):
                    with bound(end.namespace, end.address(family)) as client:
                        client.sendto(b"\0\1\0\0\x21\x12\xa4\x42" + os.urandom(12), (address, TURN_PORT))
                        assert client.recv(1000)[:2] == b"\1\1"
    # It takes 0.2 s; a busy machine may take its time.
    assert taken < 5


def test_the_shape_of_a_label_is_what_its_addresses_depend_on():
    assert shape("nat-eim-eif") == shape("masquerade") != shape("no-nat") == shape("firewall")
    assert shape("double-nat") != shape("masquerade")


KILLED = """
import time
from labs.icelab import ICELab
lab = ICELab("double-nat", "masquerade")
lab.start_stun()
print(lab.servers[0].pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_lab_that_is_killed(coturn_installed, number):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as killed:
        server = int(killed.stdout.readline())
        assert namespaces_of(killed.pid)
        killed.send_signal(number)
    assert wait_until(lambda: not namespaces_of(killed.pid))
    assert wait_until(lambda: not os.path.exists(f"/proc/{server}"))
