"""The real binary on real networks of our own making: routers that reject, drop, lose and translate."""

import pytest
from fakes.hostile import serve
from harness.running import Running, assert_safe, no_core_dumps
from labs.namespaces import Namespace
from labs.natrules import chain

PORT = 3478


pytestmark = pytest.mark.usefixtures("permitted")


@pytest.fixture
def lonely():
    """A machine with no network but what the test adds."""
    made = Namespace("lonely")
    yield made
    made.remove()


@pytest.fixture
def inside(binary):
    """Runs icecheck inside a namespace."""

    def run(namespace, *arguments):
        command = [*namespace.prefix(), binary, *arguments]
        return Running("ip", command, limits=no_core_dumps).wait()

    return run


@pytest.fixture
def servers(lab):
    """A good server on the far side for each family and transport."""
    with lab.server.entered():
        made = [
            serve(name, address=address, port=PORT)
            for address in (lab.server_address, lab.server_address6)
            for name in ("good", "tcp-good")
        ]
    for server in made:
        server.__enter__()
    yield made
    for server in made:
        server.__exit__(None)


def stun(inside, lab, *arguments, timeout=3):
    outcome = inside(lab.client, "stun", "--format", "json", "--timeout", timeout, *arguments)
    assert outcome.unhindered <= timeout + 0.5, outcome.describe()
    assert_safe(outcome)
    return outcome, outcome.report["stun"]


def without_route(entry):
    """Whether it says that there was no way to send: as not measured, or as an error of the network's."""
    return "no-route" == entry.get("notMeasured", {}).get("reason") or entry.get("error", {}).get("kind") in (
        "no-route",
        "network-unreachable",
    )


def test_the_lab_itself_passes_both_families_and_transports(inside, lab, servers):
    for transport in ("udp", "tcp"):
        uris = (f"stun:{lab.server_address}", f"stun:[{lab.server_address6}]")
        outcome, entries = stun(inside, lab, "--transport", transport, *uris)
        assert outcome.status == 0 and [entry["ok"] for entry in entries] == [True, True], outcome.describe()
        assert entries[0]["mappedAddress"].startswith(lab.client_address + ":")
        assert entries[1]["mappedAddress"].startswith(f"[{lab.client_address6}]:")


REJECTIONS = [
    ("icmp type admin-prohibited", "administratively-prohibited"),
    ("icmp type host-prohibited", "administratively-prohibited"),
    ("icmp type net-prohibited", "administratively-prohibited"),
    ("icmp type host-unreachable", "host-unreachable"),
    ("icmp type net-unreachable", "network-unreachable"),
    ("icmp type port-unreachable", "port-unreachable"),
]


@pytest.mark.parametrize("rejection, kind", REJECTIONS)
def test_what_a_router_says_is_named_with_the_router(inside, lab, servers, rejection, kind):
    lab.forward(f"udp dport {PORT} reject with {rejection}")
    outcome, [entry] = stun(inside, lab, f"stun:{lab.server_address}")
    assert (outcome.status, entry["error"]["kind"]) == (1, kind), outcome.describe()
    assert entry["error"]["from"] == lab.router_inside, outcome.describe()
    assert outcome.unhindered < 2, "a refusal that is certain is no reason to wait for the deadline"


@pytest.mark.parametrize(
    "rejection, kind",
    [
        ("icmpv6 type admin-prohibited", "administratively-prohibited"),
        ("icmpv6 type policy-fail", "administratively-prohibited"),
        ("icmpv6 type addr-unreachable", "host-unreachable"),
        ("icmpv6 type no-route", "network-unreachable"),
        ("icmpv6 type port-unreachable", "port-unreachable"),
    ],
)
def test_what_a_router_says_over_ipv6_is_named_too(inside, lab, servers, rejection, kind):
    lab.forward(f"udp dport {PORT} reject with {rejection}")
    outcome, [entry] = stun(inside, lab, f"stun:[{lab.server_address6}]")
    assert (outcome.status, entry["error"]["kind"]) == (1, kind), outcome.describe()
    assert entry["error"]["from"] == lab.router_inside6, outcome.describe()


def test_one_icmp_error_does_not_end_a_test(inside, lab, servers):
    """D21: the first datagram is rejected, as one forged ICMP message would do; the next ones pass."""
    lab.forward(f"udp dport {PORT} numgen inc mod 1000000 < 1 reject with icmp type admin-prohibited")
    outcome, [entry] = stun(inside, lab, f"stun:{lab.server_address}", timeout=5)
    assert (outcome.status, entry["ok"]) == (0, True), outcome.describe()


def test_one_destinations_error_is_not_booked_to_another(inside, lab, servers):
    lab.forward(f"ip daddr {lab.server_address} udp dport 3479 reject with icmp type host-unreachable")
    outcome, entries = stun(inside, lab, f"stun:{lab.server_address}:3479", f"stun:{lab.server_address}:{PORT}")
    assert [entry["ok"] for entry in entries] == [False, True], outcome.describe()
    assert entries[0]["error"]["kind"] == "host-unreachable", outcome.describe()


def test_a_routing_loop_is_named(inside, lab):
    lab.router.ip("route", "add", "10.77.9.0/24", "via", lab.server_address)
    lab.server.sysctl("net.ipv4.ip_forward", 1)
    lab.server.sysctl("net.ipv4.icmp_ratelimit", 0)
    outcome, [entry] = stun(inside, lab, "stun:10.77.9.9")
    assert entry["error"]["kind"] == "time-to-live-exceeded", outcome.describe()


def test_dropped_udp_is_a_timeout_and_tcp_passes(inside, lab, servers):
    lab.forward(f"udp dport {PORT} drop")
    outcome, [entry] = stun(inside, lab, f"stun:{lab.server_address}")
    assert (outcome.status, entry["error"]["kind"]) == (1, "timeout"), outcome.describe()
    outcome, [entry] = stun(inside, lab, "--transport", "tcp", f"stun:{lab.server_address}")
    assert (outcome.status, entry["ok"]) == (0, True), outcome.describe()


def test_a_tcp_connection_that_a_router_rejects_is_named(inside, lab, servers):
    lab.forward(f"tcp dport {PORT} reject with icmp type admin-prohibited")
    outcome, [entry] = stun(inside, lab, "--transport", "tcp", f"stun:{lab.server_address}")
    # Linux gives connect() EHOSTUNREACH for this message; where the error queue is read, it is named exactly.
    assert entry["error"]["kind"] in ("administratively-prohibited", "host-unreachable"), outcome.describe()


def test_a_local_firewall_is_not_the_network(inside, lab, servers):
    lab.client.nft(chain("output", [f"udp dport {PORT} drop"]))
    outcome, [entry] = stun(inside, lab, f"stun:{lab.server_address}")
    assert (outcome.status, entry["error"]["kind"]) == (1, "not-permitted"), outcome.describe()


def test_loss_of_a_fifth_does_not_change_the_verdict(inside, lab, servers):
    # Counted, not random: the same datagrams are lost in each run of this test.
    lab.forward("meta l4proto udp numgen inc mod 5 < 1 drop")
    for _ in range(6):
        outcome, [entry] = stun(inside, lab, f"stun:{lab.server_address}", timeout=5)
        assert (outcome.status, entry["ok"]) == (0, True), outcome.describe()


def test_a_nat_shows_in_the_mapped_address_and_the_candidates(inside, lab, servers):
    lab.translate()
    outcome, [entry] = stun(inside, lab, f"stun:{lab.server_address}")
    assert entry["mappedAddress"].startswith(lab.router_outside + ":"), outcome.describe()
    outcome = inside(lab.client, "check", "--format", "json", "--timeout", "3", f"stun:{lab.server_address}")
    reflexive = [one for one in outcome.report["candidates"] if one["type"] in ("srflx", "server-reflexive")]
    assert [one["address"] for one in reflexive] == [lab.router_outside], outcome.describe()
    assert [one["baseAddress"] for one in reflexive] == [lab.client_address], outcome.describe()


def test_without_a_nat_the_reflexive_candidate_is_redundant(inside, lab, servers):
    outcome = inside(lab.client, "check", "--format", "json", "--timeout", "3", f"stun:{lab.server_address}")
    assert {one["type"] for one in outcome.report["candidates"]} == {"host"}, outcome.describe()


def test_no_ipv6_is_said(inside, lab, servers):
    lab.client.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
    outcome, entries = stun(inside, lab, f"stun:[{lab.server_address6}]", f"stun:{lab.server_address}")
    assert [entry["ok"] for entry in entries] == [False, True], outcome.describe()
    assert without_route(entries[0]), outcome.describe()
    assert outcome.status == 1 and outcome.unhindered < 2, outcome.describe()


@pytest.mark.parametrize("command", ["check", "candidates", "stun"])
def test_no_interface_up_is_said(inside, lonely, command):
    arguments = ["--timeout", "2", "stun:192.0.2.1"] if command != "candidates" else []
    as_json = inside(lonely, command, "--format", "json", *arguments)
    as_text = inside(lonely, command, *arguments)
    for outcome in (as_json, as_text):
        assert outcome.status == 1 and outcome.unhindered < 2.5, outcome.describe()
        assert_safe(outcome)
    if command != "candidates":
        [entry] = as_json.report["stun"]
        assert without_route(entry), as_json.describe()
    if command != "stun":
        assert as_json.report["candidates"] == [], as_json.describe()
        assert b"interface" in (as_text.output + as_text.errors).lower(), as_text.describe()


def test_only_loopback_up_gives_no_candidate(inside, lonely):
    lonely.ip("link", "set", "lo", "up")
    outcome = inside(lonely, "candidates", "--format", "json")
    assert [one for one in outcome.report["candidates"] if one.get("offered", True)] == [], outcome.describe()


KINDS = {
    # One end of a link between namespaces: of a container's, as seen from its host or from inside.
    "veth0": ("bridge ethernet", ["type", "veth", "peer", "name", "veth1"]),
    "br0": ("bridge", ["type", "bridge"]),
    "dummy0": ("other", ["type", "dummy"]),
    "wg0": ("tunnel", ["type", "wireguard"]),
    "gre1": ("tunnel", ["type", "gre", "local", "10.9.0.1", "remote", "10.9.0.2"]),
    "tun0": ("tunnel", None),
}


@pytest.mark.parametrize("name", KINDS)
def test_an_interface_has_its_kind(inside, lonely, name):
    kind, link = KINDS[name]
    try:
        if link is None:
            lonely.ip("tuntap", "add", "dev", name, "mode", "tun")
        else:
            lonely.ip("link", "add", name, *link)
    except OSError as error:
        pytest.skip(f"this kernel makes no {name}: {error}")
    lonely.ip("addr", "add", "10.9.0.1/24", "dev", name)
    lonely.ip("link", "set", name, "up")
    outcome = inside(lonely, "candidates", "--format", "json")
    kinds = {one["name"]: one["kind"] for one in outcome.report["interfaces"]}
    assert kinds.get(name) in kind.split(), outcome.describe()


def test_temporary_and_deprecated_addresses_are_told_apart(inside, lonely):
    lonely.sysctl("net.ipv6.conf.default.use_tempaddr", 2)
    lonely.sysctl("net.ipv6.conf.default.accept_dad", 0)
    lonely.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
    lonely.ip("link", "set", "eth0", "up")
    lonely.ip("link", "set", "eth1", "up")
    lifetimes = ["valid_lft", "3600", "preferred_lft", "1800"]
    lonely.ip("addr", "add", "fd77:5::10/64", "dev", "eth0", *lifetimes, "mngtmpaddr", "nodad")
    lonely.ip("addr", "add", "fd77:5::dead/64", "dev", "eth0", "valid_lft", "3600", "preferred_lft", "0", "nodad")
    if "temporary" not in lonely.ip("-6", "addr", "show", "dev", "eth0"):
        pytest.skip("this kernel makes no temporary address of a managed one")
    outcome = inside(lonely, "candidates", "--format", "json")
    [interface] = [one for one in outcome.report["interfaces"] if one["name"] == "eth0"]
    addresses = {one["address"]: one for one in interface["addresses"]}
    assert addresses["fd77:5::dead"]["deprecated"] and not addresses["fd77:5::10"]["deprecated"], outcome.describe()
    temporary = [address for address, one in addresses.items() if one["temporary"]]
    assert len(temporary) == 1 and temporary[0] not in ("fd77:5::10", "fd77:5::dead"), outcome.describe()
