"""`icecheck turn` from relay to relay, against Debian's coturn: what a call needs in which both sides have a relay alone.

Each relay works from outside in all of these; what is planted is between two of them.
"""

import os
import signal
import time
from contextlib import ExitStack

import pytest
from fakes.certificates import made
from fakes.coturn import Coturn
from fakes.turnwire import PASSWORD, USER
from harness.running import Running, assert_safe, no_core_dumps
from labs.natlab import SERVERS, NATLab
from labs.natrules import chain

RELAY_PORTS = (50000, 50200)
ONE, OTHER = SERVERS[4]
WITH_PASSWORD = ("--user", USER, "--password", PASSWORD)


pytestmark = pytest.mark.usefixtures("coturn_installed")


def begin(binary, servers, *more, uris=None, prefix=()):
    arguments = ["turn", *(uris or [server.uri() for server in servers]), *WITH_PASSWORD, *more]
    # A credential of this machine's user is none of the tests'.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ICECHECK_TURN")}
    words = ["ip", *prefix, binary, *arguments] if prefix else [binary, *arguments]
    return Running(words[0], words[1:], limits=no_core_dumps, environment=environment)


def meet(binary, servers, *more, uris=None, prefix=()):
    """The report; nothing may be left on a server, and nothing secret in the output."""
    outcome = begin(binary, servers, "--format", "json", *more, uris=uris, prefix=prefix).wait(patience=60)
    assert_safe(outcome)
    assert PASSWORD.encode() not in outcome.output + outcome.errors, outcome.describe()
    for server in servers:
        assert server.allocations_left() == [], f"{server.log}\nof {outcome.describe()}"
    # A pair never decides: the relays themselves are fine.
    assert outcome.status == 0, outcome.describe()
    return outcome


def pairs(outcome):
    return outcome.report.get("relayPairs", [])


def findings(outcome):
    return [finding["id"] for finding in outcome.report["findings"]]


def assert_works(pair):
    assert pair["ok"] and "error" not in pair and "notMeasured" not in pair, pair
    relay = pair["relay"]
    assert relay["sent"] == relay["received"] > 0 and relay["lossRatio"] == 0, pair
    assert 0 < relay["minMs"] <= relay["rttMs"] <= relay["p95Ms"] and relay["jitterMs"] >= 0, pair
    for lane in ("indications", "channel"):
        assert relay[lane]["sent"] == relay[lane]["arrived"] == relay[lane]["returned"] > 0, pair
    assert pair["first"]["permissionMs"] > 0 and pair["second"]["permissionMs"] > 0, pair
    assert pair["second"]["channelMs"] > 0, pair
    assert pair["second"]["peerAddress"] == pair["first"]["relayedAddress"], pair
    assert pair["first"]["relayedAddress"] != pair["second"]["relayedAddress"], pair


# On loopback


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls", "dtls"])
def test_two_relays_of_one_server_send_to_each_other(binary, transport):
    secured = transport in ("tls", "dtls")
    with Coturn(certificate=made()["good"].pair if secured else None) as server:
        trust = ["--ca-file", str(made().root)] if secured else []
        outcome = meet(binary, [server], *trust, uris=[server.uri(transport)])
        assert {pair["relayedFamily"] for pair in pairs(outcome)} == {"ipv4", "ipv6"}, outcome.describe()
        for pair in pairs(outcome):
            assert_works(pair)
            assert pair["sameServer"] and pair["first"]["transport"] == pair["second"]["transport"] == transport
            assert pair["first"]["deleted"] == pair["second"]["deleted"] == "confirmed"
        assert findings(outcome) == []


def test_relays_of_two_servers_send_to_each_other_and_to_themselves(binary):
    with Coturn(addresses=["127.0.0.1"]) as one, Coturn(addresses=["127.0.0.1"]) as other:
        outcome = meet(binary, [one, other], "-4")
        named = [(pair["first"]["server"], pair["second"]["server"]) for pair in pairs(outcome)]
        assert named == [(one.uri(), one.uri()), (one.uri(), other.uri()), (other.uri(), other.uri())], named
        for pair in pairs(outcome):
            assert_works(pair)
        assert findings(outcome) == []
        text = begin(binary, [one, other], "-4").wait()
        assert text.status == 0 and "From relay to relay (3 of 3 carry data)" in text.text, text.describe()


def test_the_uris_of_one_server_are_one_server(binary):
    """Between its transports there is one relay address, to which one pair is enough."""
    with Coturn(addresses=["127.0.0.1"]) as server:
        uris = [server.uri("udp"), server.uri("tcp")]
        assert len(pairs(meet(binary, [server], "-4", uris=uris))) == 1


def test_a_relay_that_may_be_no_peer_is_named(binary):
    """This machine's own address is none of those that are denied: the relay works for every other peer."""
    with Coturn(
        addresses=["127.0.0.1"], relay_addresses=["127.0.0.2"], denied_peers=["127.0.0.2"]
    ) as server:  # fmt: skip
        outcome = meet(binary, [server], "-4")
        assert findings(outcome) == ["turn-relay-peer-refused"], outcome.describe()
        assert outcome.report["findings"][0]["severity"] == "warning"
        (pair,) = pairs(outcome)
        assert not pair["ok"] and pair["error"]["code"] == 403 and "relay" not in pair, pair
        assert 403 in (pair["first"].get("errorCode"), pair["second"].get("errorCode"))
        assert "127.0.0.2:" in outcome.report["findings"][0]["evidence"][0]
        assert outcome.report["verdict"]["summary"].endswith("No data from relay to relay.")
        text = begin(binary, [server], "-4").wait()
        assert "turn-relay-peer-refused" in text.text and "allowed-peer-ip" in text.text, text.describe()


def test_allowing_the_relays_own_address_is_the_remedy(binary):
    with Coturn(
        addresses=["127.0.0.1"], relay_addresses=["127.0.0.2"], denied_peers=["127.0.0.2-127.0.0.9"],
        allowed_peers=["127.0.0.2"],
    ) as server:  # fmt: skip
        outcome = meet(binary, [server], "-4")
        assert findings(outcome) == []
        assert_works(*pairs(outcome))


def test_a_quota_of_one_is_no_failure(binary):
    with Coturn(addresses=["127.0.0.1"], user_quota=1) as server:
        outcome = meet(binary, [server], "-4")
        (pair,) = pairs(outcome)
        assert not pair["ok"] and pair["notMeasured"]["reason"] == "limit" and "486" in pair["notMeasured"]["detail"]
        assert findings(outcome) == []


def test_a_quota_of_two_is_enough_for_every_pair(binary):
    with ExitStack() as stack:
        servers = [stack.enter_context(Coturn(addresses=["127.0.0.1"], user_quota=2)) for _ in range(2)]
        outcome = meet(binary, servers, "-4")
        assert len(pairs(outcome)) == 3 and all(pair["ok"] for pair in pairs(outcome)), outcome.describe()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_signal_between_two_relays_leaves_no_allocation(binary, transport):
    """The third allocation of a server is of a pair; its data takes seconds."""
    with Coturn(addresses=["127.0.0.1"]) as server:
        running = begin(binary, [server], "-4", "--count", "100", uris=[server.uri(transport)])
        try:
            deadline = time.monotonic() + 20
            while len(server.sessions_made()) < 3 and time.monotonic() < deadline:
                time.sleep(0.005)
            running.signal(signal.SIGINT)
            outcome = running.wait()
        finally:
            if running.process.returncode is None:
                running.process.kill()
        assert outcome.status in (0, 130), outcome.describe()
        assert outcome.after_signal < 2, outcome.describe()
        assert server.allocations_left() == [], server.log


def test_the_loopback_run_with_its_pair_is_quick(binary):
    """The figure is 50 ms for a release build; a debug build on a loaded machine has ample room here."""
    with Coturn(addresses=["127.0.0.1"]) as server:
        outcome = begin(binary, [server], "-4").wait()
        assert outcome.status == 0 and outcome.unhindered < 2, outcome.describe()


# Across a network: the servers are in a namespace of their own, at addresses that look public


def across(stack, lab, address=ONE, **options):
    return stack.enter_context(
        Coturn(
            addresses=[address], prefix=["ip", *lab.server.prefix()], loopback_peers=False, ports=(3478, 5349),
            relay_ports=RELAY_PORTS, **options,
        )
    )  # fmt: skip


@pytest.fixture
def lab(permitted):
    with ExitStack() as stack:
        made_lab = stack.enter_context(NATLab("masquerade"))
        yield stack, made_lab


PORTS = f"udp dport {RELAY_PORTS[0]}-{RELAY_PORTS[1]}"


def test_two_servers_work_from_behind_a_nat(binary, lab):
    stack, lab = lab
    servers = [across(stack, lab, address) for address in (ONE, OTHER)]
    outcome = meet(binary, servers, "-4", prefix=lab.client.prefix())
    assert len(pairs(outcome)) == 3 and findings(outcome) == [], outcome.describe()
    for pair in pairs(outcome):
        assert_works(pair)


def test_a_firewall_that_drops_the_servers_own_packets_is_a_hairpin_that_fails(binary, lab):
    stack, lab = lab
    server = across(stack, lab)
    lab.server.nft(chain("input", [f"iifname lo ip saddr {ONE} {PORTS} drop"]))
    outcome = meet(binary, [server], "-4", prefix=lab.client.prefix())
    assert findings(outcome) == ["turn-relay-hairpin-fails"], outcome.describe()
    (pair,) = pairs(outcome)
    assert pair["error"]["kind"] == "no-data" and pair["relay"]["indications"]["arrived"] == 0, pair
    assert pair["relay"]["reverse"]["sent"] > 0 and pair["relay"]["reverse"]["arrived"] == 0, pair
    assert pair["first"]["permissionMs"] > 0 and pair["second"]["permissionMs"] > 0
    # Long before the deadline.
    assert outcome.report["durationMs"] < 6000 + outcome.stalled * 1000, outcome.describe()


@pytest.mark.parametrize("external", ["{public}", "{public}/{private}"])
def test_coturn_that_knows_its_public_address_needs_no_hairpin(binary, lab, external):
    """The remedy of the finding: its NAT does not hairpin, and coturn reaches its own relays inside."""
    stack, lab = lab
    private = "10.9.0.2"
    lab.server.ip("addr", "add", f"{private}/32", "dev", "lo")
    # The NAT translates what comes from and goes to the network, and not what the server sends to the public address.
    lab.server.nft(
        f"table ip front {{ chain in {{ type nat hook prerouting priority -100;\niifname eth0 ip daddr {ONE} "
        f"dnat to {private};\n}}\nchain out {{ type nat hook postrouting priority 100;\n"
        f"oifname eth0 ip saddr {private} snat to {ONE};\n}}\n}}\n"
    )
    server = across(stack, lab, private, external_ip=external.format(public=ONE, private=private))
    uri = f"turn:{ONE}:{server.port}?transport=udp"
    outcome = meet(binary, [server], "-4", uris=[uri], prefix=lab.client.prefix())
    assert findings(outcome) == [], outcome.describe()
    (pair,) = pairs(outcome)
    assert_works(pair)
    assert pair["first"]["relayedAddress"].startswith(f"{ONE}:"), pair


@pytest.mark.parametrize("dead", [(ONE, OTHER), (OTHER, ONE)], ids=["first-to-second", "second-to-first"])
def test_a_firewall_that_drops_one_direction_between_two_servers(binary, lab, dead):
    stack, lab = lab
    servers = [across(stack, lab, address) for address in (ONE, OTHER)]
    lab.server.nft(chain("input", [f"ip saddr {dead[0]} ip daddr {dead[1]} {PORTS} drop"]))
    outcome = meet(binary, servers, "-4", prefix=lab.client.prefix())
    assert findings(outcome) == ["turn-relay-to-relay-one-way"], outcome.describe()
    alone, across_both, other_alone = pairs(outcome)
    assert_works(alone)
    assert_works(other_alone)
    relay = across_both["relay"]
    if dead == (ONE, OTHER):
        assert relay["indications"]["arrived"] == 0 and relay["reverse"]["arrived"] > 0, across_both
    else:
        assert relay["indications"]["arrived"] > 0 and relay["received"] == 0, across_both
    assert not across_both["sameServer"] and across_both["error"]["kind"] == "no-data"


def test_a_firewall_between_two_servers(binary, lab):
    stack, lab = lab
    servers = [across(stack, lab, address) for address in (ONE, OTHER)]
    lab.server.nft(chain("input", [f"iifname lo ip saddr {one} ip daddr {other} drop" for one, other in
                                   ((ONE, OTHER), (OTHER, ONE))]))  # fmt: skip
    outcome = meet(binary, servers, "-4", prefix=lab.client.prefix())
    assert findings(outcome) == ["turn-relay-to-relay-blocked"], outcome.describe()
    assert [pair["ok"] for pair in pairs(outcome)] == [True, False, True]


def test_loss_is_no_finding(binary, permitted):
    with ExitStack() as stack:
        lab = stack.enter_context(NATLab("loss-20"))
        server = across(stack, lab)
        outcome = begin(
            binary, [server], "-4", "--format", "json", "--timeout", "15", prefix=lab.client.prefix()
        ).wait(patience=60)  # fmt: skip
        assert [name for name in findings(outcome) if name.startswith(("turn-relay-", "turn-second-"))] == []
        assert server.allocations_left() == [], server.log
