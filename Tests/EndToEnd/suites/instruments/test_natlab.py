"""Each lab is what its label says, in each family, and nothing of it is left: seen by a probe that is not icecheck."""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest
from fakes.stunwire import BINDING_REQUEST, CHANGE_REQUEST, OTHER_ADDRESS, address_value, attribute, message
from harness.running import HERE, ROOT
from harness.waiting import wait_until
from labs import natrules
from labs.labels import LABELS
from labs.namespaces import command, namespaces_of
from labs.natlab import ALTERNATE_PORT, SERVERS, STUN_PORT, NATLab
from labs.natprobe import FAMILIES, Probe, classify_filtering, classify_mapping

pytestmark = pytest.mark.usefixtures("permitted")


PASSING = [name for name, label in LABELS.items() if label.udp == "passes"]
TABLES = [name for name, label in LABELS.items() if label.nat == "table"]


@pytest.mark.parametrize("name", PASSING)
def test_a_label_is_true(name):
    with NATLab(name) as lab:
        for family in (4, 6):
            if lab.label.behaviour(family) is None:
                assert f"inet{family if family == 6 else ''} " not in lab.client.ip("addr", "show", "dev", "eth0")
                continue
            with Probe(lab, family) as probe:
                assert probe.behaviour() == lab.label.behaviour(family), family


def test_no_socket_of_the_probe_follows_another_on_its_port():
    with NATLab("firewall") as lab, Probe(lab, 4) as probe:
        lab.client.sysctl("net.ipv4.ip_local_port_range", "20000 20001")
        ports = set()
        for _ in range(2):
            with probe.client() as client:
                ports.add(client.getsockname()[1])
        assert ports == {20000, 20001}


# Not under loss: a lost SYN is sent again only after seconds.
@pytest.mark.parametrize("name", [name for name in PASSING if not LABELS[name].loss])
def test_the_mapping_is_the_same_over_tcp(name):
    with NATLab(name) as lab:
        for family in lab.label.families:
            with Probe(lab, family) as probe:
                assert probe.mapping_over_tcp() == lab.label.behaviour(family).mapping, family


@pytest.mark.parametrize("name", ["masquerade", "nat-apdm-adf", "firewall"])
def test_a_way_takes_as_long_as_it_is_told_and_the_label_stays_true(name):
    with NATLab(name, round_trip=0.1) as lab:
        for family in lab.label.families:
            with Probe(lab, family) as probe:
                assert probe.behaviour() == lab.label.behaviour(family), family
            with Probe(lab, family) as probe, probe.client() as client:
                client.settimeout(2)
                times = []
                for _ in range(5):
                    start = time.monotonic()
                    client.sendto(b"there", probe.endpoints[0].getsockname())
                    _, source = probe.endpoints[0].recvfrom(100)
                    probe.endpoints[0].sendto(b"back", source)
                    client.recv(100)
                    times.append(time.monotonic() - start)
                # Never sooner; the median is not for a busy machine to spoil.
                assert min(times) >= 0.1 and sorted(times)[2] < 0.15, times


@pytest.mark.parametrize("name", TABLES)
def test_a_label_is_true_of_other_ports_too(name):
    """As of a relayed address, whose port nobody knew when the lab was made."""
    with NATLab(name) as lab:
        for family in lab.label.families:
            with Probe(lab, family, ports=(50001, 50002)) as probe:
                assert probe.behaviour() == lab.label.behaviour(family), family


@pytest.mark.parametrize("name", PASSING)
def test_what_came_unasked_does_not_change_the_mapping(name):
    """Conntrack would answer it from where it came to, or, where the router itself refused it, from elsewhere."""
    with NATLab(name) as lab:
        for family in lab.label.families:
            with Probe(lab, family) as probe, probe.client() as client:
                probe.arrivals(client, (lab.public_address(family), client.getsockname()[1]))
                seen = [probe.contact(client, 0)]
                probe.arrivals(client, seen[0])
                seen += [probe.contact(client, number) for number in (1, 2, 3)]
                assert classify_mapping(client.getsockname(), seen) == lab.label.behaviour(family).mapping


@pytest.mark.parametrize("name", TABLES)
def test_a_filter_belongs_to_its_mapping(name):
    """That one socket has sent to an endpoint lets nothing in at another socket."""
    with NATLab(name) as lab, Probe(lab, 4) as probe, probe.client() as first, probe.client() as second:
        for number in range(4):
            probe.contact(first, number)
        arrived = probe.arrivals(second, probe.contact(second, 0))
        assert classify_filtering(arrived) == lab.label.ipv4.filtering


@pytest.mark.parametrize("name", [name for name in PASSING if LABELS[name].ipv4])
def test_who_is_sent_to_gets_in(name):
    with NATLab(name) as lab, Probe(lab, 4) as probe, probe.client() as client:
        for number in (3, 1, 2, 0):
            assert number in probe.arrivals(client, probe.contact(client, number))


def test_sockets_that_follow_each_other_get_ports_that_do_not():
    with NATLab("nat-apdm-apdf") as lab, Probe(lab, 4) as probe, probe.client() as client:
        ports = [probe.contact(client, number)[1] for number in range(4)]
        steps = {second - first for first, second in zip(ports, ports[1:])}
        assert len(steps) == 3 and client.getsockname()[1] not in ports


def test_udp_is_dropped_in_silence_and_tcp_passes():
    with NATLab("udp-dropped") as lab:
        for family in (4, 6):
            with Probe(lab, family) as probe, probe.client() as client:
                client.connect(probe.endpoints[0].getsockname())
                client.settimeout(0.3)
                client.send(b"x")
                with pytest.raises(TimeoutError):
                    client.recv(100)
                assert probe.contact(client, 0) is None
                assert probe.mapping_over_tcp() == "endpoint-independent"


def test_udp_is_rejected_by_the_router_and_tcp_passes():
    with NATLab("udp-rejected") as lab:
        for family in (4, 6):
            with Probe(lab, family) as probe, probe.client() as client:
                client.connect(probe.endpoints[0].getsockname())
                client.settimeout(5)
                client.send(b"x")
                # What Linux makes of "administratively prohibited" in each family.
                with pytest.raises(OSError) as error:
                    client.recv(100)
                assert error.value.errno in (errno.EHOSTUNREACH, errno.EACCES), error.value
                assert probe.mapping_over_tcp() == "endpoint-independent"


@pytest.mark.parametrize("family", [4, 6])
def test_a_fifth_is_lost_each_way(family):
    """Of 4,000 datagrams, a share of 0.20 has a standard deviation of 0.0063."""
    total = 4000
    with NATLab("loss-20") as lab, Probe(lab, family) as probe, probe.client() as client:
        server = probe.endpoints[0]
        outside = probe.contact(client, 0)
        for sender, receiver, target in ((client, server, server.getsockname()), (server, client, outside)):
            receiver.setblocking(False)
            arrived = 0
            for _ in range(total):
                sender.sendto(b"count", target)
                arrived += drained(receiver)
            time.sleep(0.2)
            arrived += drained(receiver)
            assert 0.16 < 1 - arrived / total < 0.24


def drained(receiver):
    count = 0
    while True:
        try:
            count += receiver.recv(100) == b"count"
        except BlockingIOError:
            return count


def test_a_mapping_lives_as_long_as_it_is_told():
    """The same external port lets nothing in any more when the lifetime is over."""
    for name in ("nat-eim-eif", "masquerade"):
        with NATLab(name, udp_timeout=1) as lab, Probe(lab, 4) as probe, probe.client() as client:
            outside = probe.contact(client, 0)
            assert 0 in probe.arrivals(client, outside)
            # Conntrack's entry is refreshed from both sides, the sets beside it from inside only.
            time.sleep(2.5)
            assert probe.arrivals(client, outside) == set(), name


@pytest.mark.parametrize("name", ["no-nat", "double-nat", "ipv6-only"])
def test_no_way_leads_out(name):
    with NATLab(name) as lab:
        links = command("ip", "link", "show")
        assert not any(namespace.name in links for namespace in lab.namespaces.values()), "a cable to this machine"
        for family in lab.label.families:
            with Probe(lab, family) as probe, probe.client() as client:
                # Without IP_RECVERR or IPV6_RECVERR, Linux keeps "network unreachable" to itself.
                client.setsockopt(*((socket.IPPROTO_IP, 11) if family == 4 else (socket.IPPROTO_IPV6, 25)), 1)
                client.connect(("9.9.9.9", 53) if family == 4 else ("2620:fe::9", 53))
                client.settimeout(2)
                with pytest.raises(OSError) as error:
                    client.send(b"x")
                    client.recv(100)
                assert error.value.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH), error.value


@pytest.mark.parametrize("server", ["coturn", "icecheck"])
@pytest.mark.parametrize("family", [4, 6])
def test_the_server_speaks_rfc_5780_on_both_addresses(server, family, request):
    with NATLab("no-nat") as lab:
        if server == "icecheck":
            lab.start_icecheck(request.getfixturevalue("binary"))
        elif shutil.which("turnserver"):
            lab.start_coturn()
        else:
            pytest.skip("turnserver (coturn) is not installed")
        with lab.client.entered():
            client = socket.socket(FAMILIES[family], socket.SOCK_DGRAM)
        with client:
            client.settimeout(2)
            asked, other = SERVERS[family]
            places = [(address, port) for address in (asked, other) for port in (STUN_PORT, ALTERNATE_PORT)]
            # "Change port" is the flag 2, "change address" is 4.
            for flags, source in zip((0, 2, 4, 6), places):
                change = attribute(CHANGE_REQUEST, bytes([0, 0, 0, flags]))
                client.sendto(message(BINDING_REQUEST, b"abcdefghijkl", change), (asked, STUN_PORT))
                answer, answered_from = client.recvfrom(2048)
                assert answered_from[:2] == source, flags
                assert attribute(OTHER_ADDRESS, address_value(other, ALTERNATE_PORT)) in answer


def test_the_labels_cover_what_rfc_4787_distinguishes():
    kinds = {LABELS[name].ipv4 for name in TABLES}
    assert len(TABLES) == len(kinds) == 9 and kinds == {LABELS[name].ipv6 for name in TABLES}


def test_nothing_is_left_after_a_failure():
    with pytest.raises(ZeroDivisionError), NATLab("masquerade") as lab:
        server = lab.start("server", "sleep", "60")
        assert namespaces_of(os.getpid())
        raise ZeroDivisionError
    assert not namespaces_of(os.getpid()) and server.poll() is not None


def test_nothing_is_left_of_a_lab_that_could_not_be_made(monkeypatch):
    monkeypatch.setattr(natrules, "masquerade", lambda *_: "no rule of nft's")
    with pytest.raises(OSError, match="syntax error"):
        NATLab("masquerade")
    assert not namespaces_of(os.getpid())


KILLED = """
import time
from labs.natlab import NATLab
lab = NATLab("double-nat")
print(lab.start("server", "sleep", "60").pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_lab_that_is_killed(number):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as killed:
        server = int(killed.stdout.readline())
        assert namespaces_of(killed.pid)
        killed.send_signal(number)
    assert wait_until(lambda: not namespaces_of(killed.pid))
    assert wait_until(lambda: not os.path.exists(f"/proc/{server}"))


def script(*arguments, typed=""):
    """Runs Scripts/lab in a shell's place: its pid, its status and what it said."""
    started = subprocess.Popen(
        [ROOT / "Scripts/lab", *arguments], text=True, env=dict(os.environ, SHELL="/bin/sh"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    output, errors = started.communicate(typed, timeout=60)
    return started.pid, started.returncode, output, errors


def test_the_script_lists_the_labs():
    _, status, output, _ = script()
    assert status == 0 and all(f"  {name} " in output for name in LABELS)


def test_the_script_refuses_a_lab_that_there_is_not():
    _, status, _, errors = script("nat-nonsense")
    assert status == 64 and "nat-nonsense" in errors


def test_the_script_opens_a_shell_behind_the_nat_and_takes_all_down():
    typed = "ip -o -4 addr show dev eth0\nexit 7\n"
    pid, status, output, errors = script("nat-adm-adf", "--server", "none", typed=typed)
    assert status == 0, errors
    assert "inet 192.168.1.2/24" in output
    assert not namespaces_of(pid)


def test_the_script_takes_all_down_when_it_is_terminated():
    arguments = [ROOT / "Scripts/lab", "firewall", "--server", "none"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        # The shell is there when the last line of what to type is.
        while b"takes it all down" not in started.stdout.readline():
            pass
        started.terminate()
    assert wait_until(lambda: not namespaces_of(started.pid))
