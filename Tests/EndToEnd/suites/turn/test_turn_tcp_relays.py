"""TCP relays (RFC 6062) against Debian's coturn: peers connect to the relay, and the relay to peers."""

import signal
import socket
from contextlib import ExitStack, closing

import pytest
from fakes.certificates import made
from fakes.coturn import Coturn
from fakes.turn_causes import RELAY_PORTS, WITH_PASSWORD, Planted, across, on_loopback
from harness.running import Running
from harness.turn_runs import Stack, assert_nothing_left, assert_secret, begin

TCP_RELAY = ("--relay-transport", "tcp")


pytestmark = pytest.mark.usefixtures("coturn_installed")


def meet(binary, plant, finding, status):
    """Runs in both formats; returns the JSON report."""
    with ExitStack() as stack:
        planted = plant(stack)
        text = begin(binary, planted).wait(patience=60)
        outcome = begin(binary, planted, "--format", "json").wait(patience=60)
        for one in (text, outcome):
            assert one.status == status, one.describe() + planted.server.log[-3000:]
            assert_secret(one)
            assert_nothing_left(planted, one)
        findings = [one["id"] for one in outcome.report["findings"]]
        assert findings[:1] == ([finding] if finding else []), outcome.describe()
        return outcome.report


def relays(report):
    return [one for one in report["turn"] if "notMeasured" not in one]


def assert_whole(report, outbound=True):
    for entry in relays(report):
        relay = entry["relay"]
        assert relay["transport"] == "tcp" and entry["stage"] == "relay" and entry["deleted"] == "confirmed"
        assert relay["inbound"]["returned"] == relay["inbound"]["sent"] == 3
        if outbound:
            assert relay["outbound"]["returned"] == relay["outbound"]["sent"] == 3
        else:
            assert "outbound" not in relay


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_bytes_go_both_ways_in_connections_of_both_directions(binary, transport, address):
    def plant(stack):
        server = stack.enter_context(Coturn(certificate=made()["good"].pair if transport == "tls" else None))
        trust = ["--ca-file", str(made().root)] if transport == "tls" else []
        return Planted(server, [server.uri(transport, address), *WITH_PASSWORD, *trust, *TCP_RELAY])

    report = meet(binary, plant, None, 0)
    # coturn has a relay of each family here.
    assert {one["relayedFamily"] for one in relays(report)} == {"ipv4", "ipv6"}
    assert_whole(report)


def test_size_and_count_of_the_messages_are_the_options(binary):
    plant = on_loopback("tcp", more=(*TCP_RELAY, "--count", "40", "--size", "8000"))
    (entry,) = relays(meet(binary, plant, None, 0))
    assert entry["relay"]["inbound"] == entry["relay"]["inbound"] | {"sent": 40, "arrived": 40, "returned": 40}


def test_a_server_without_tcp_relays_is_named(binary):
    def plant(stack):
        server = stack.enter_context(Coturn(addresses=["127.0.0.1"], more=["no-tcp-relay"]))
        return Planted(server, [server.uri("tcp"), *WITH_PASSWORD, *TCP_RELAY])

    report = meet(binary, plant, "turn-transport-unsupported", 1)
    assert relays(report)[0]["error"]["code"] == 442
    assert "no-tcp-relay" in report["findings"][0]["causes"][0]


def test_a_denied_peer_is_named(binary):
    plant = on_loopback("tcp", more=TCP_RELAY, denied_peers=["127.0.0.0-127.255.255.255"])
    meet(binary, plant, "turn-peer-forbidden", 1)


@pytest.mark.parametrize("uri", ["turn:127.0.0.1?transport=udp", "turns:127.0.0.1?transport=udp"])
def test_a_tcp_relay_is_not_asked_for_over_datagrams(binary, uri):
    outcome = Running(binary, ["turn", uri, *WITH_PASSWORD, *TCP_RELAY]).wait()
    assert outcome.status == 64 and b"RFC 6062" in outcome.errors, outcome.describe()
    assert_secret(outcome)


def test_another_relay_transport_is_refused(binary):
    outcome = Running(binary, ["turn", "turn:127.0.0.1", *WITH_PASSWORD, "--relay-transport", "sctp"]).wait()
    assert outcome.status == 64 and b"'udp' and 'tcp'" in outcome.errors, outcome.describe()


def test_a_uri_without_a_transport_is_asked_over_tcp(binary):
    def plant(stack):
        server = stack.enter_context(Coturn(addresses=["127.0.0.1"]))
        return Planted(server, [f"turn:127.0.0.1:{server.port}", *WITH_PASSWORD, *TCP_RELAY, "--all-transports"])

    report = meet(binary, plant, None, 0)
    assert {one["transport"] for one in report["turn"]} == {"tcp"}
    assert_whole(report)


def test_a_signal_leaves_no_allocation(binary):
    with Stack(on_loopback("tcp", more=(*TCP_RELAY, "--duration", "20", "--timeout", "30"))) as planted:
        running = begin(binary, planted, "--format", "json")
        try:
            planted.server.wait_for(r"CONNECTION_BIND processed, success")
            running.signal(signal.SIGINT)
            outcome = running.wait()
        finally:
            if running.process.returncode is None:
                running.process.kill()
        assert outcome.status == 130, outcome.describe()
        assert_nothing_left(planted, outcome)


def test_from_behind_a_nat_peers_connect_to_the_relay(binary, permitted):
    assert_whole(meet(binary, across("masquerade", "tcp", more=TCP_RELAY), None, 0), outbound=False)


def test_from_a_public_address_both_directions_work(binary, permitted):
    assert_whole(meet(binary, across("no-nat", "tcp", more=TCP_RELAY), None, 0))


def test_relay_ports_that_are_closed_for_tcp_are_named(binary, permitted):
    # As a firewall with a memory: what answers the relay's own connections gets in.
    rules = [f"iifname eth0 tcp dport {RELAY_PORTS[0]}-{RELAY_PORTS[1]} tcp flags & (syn | ack) == syn drop"]
    report = meet(binary, across("no-nat", "tcp", rules, more=TCP_RELAY), "turn-tcp-relay-ports-blocked", 1)
    (entry,) = relays(report)
    assert entry["relay"]["inbound"]["reached"] == "connect"
    # The other direction is not blocked, and says so.
    assert entry["relay"]["outbound"]["returned"] == 3


def test_a_server_that_cannot_connect_to_us_is_a_note(binary, permitted):
    rules = ["oifname eth0 tcp flags & (syn | ack) == syn drop"]
    report = meet(binary, across("no-nat", "tcp", more=TCP_RELAY, output=rules), "turn-tcp-connect-fails", 0)
    assert relays(report)[0]["relay"]["outbound"]["reached"] == "connect"


def test_nothing_listens_there(binary):
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    outcome = Running(
        binary, ["turn", f"turn:127.0.0.1:{port}?transport=tcp", *WITH_PASSWORD, *TCP_RELAY, "--format", "json"]
    ).wait()
    assert outcome.status == 1 and outcome.report["turn"][0]["stage"] == "connect", outcome.describe()
