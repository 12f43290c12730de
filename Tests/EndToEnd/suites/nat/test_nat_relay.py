"""`icecheck nat` and `check` with the credential of a coturn without RFC 5780, behind every NAT that the kernel can be."""

import json
import signal
import time
from contextlib import contextmanager

import pytest
from fakes.certificates import made
from fakes.coturn import Coturn
from fakes.turnwire import PASSWORD, USER
from harness.running import Running, assert_safe, no_core_dumps, validate
from labs.labels import DEPENDENT
from labs.natlab import SERVERS, NATLab
from labs.natrules import chain

CREDENTIAL = ("--user", USER, "--password", PASSWORD)
EITHER = ["endpoint-independent", "address-dependent"]
NAMES = [
    "no-nat", "firewall", "nat-eim-eif", "nat-eim-adf", "nat-eim-apdf", "nat-adm-adf", "nat-apdm-apdf", "masquerade",
    "masquerade-random", "loss-20",
]  # fmt: skip
RELAY_PORTS = (49152, 49407)


pytestmark = pytest.mark.usefixtures("coturn_installed")


@contextmanager
def servers(lab, kind, family=4, **options):
    """One server, one that relays from another address, or two; gives their URIs, and holds them to leave nothing."""
    first, second = SERVERS[family]
    places = {
        "one": [(first, first)], "elsewhere": [(first, second)], "two": [(first, first), (second, second)],
    }[kind]  # fmt: skip
    options = {"ports": (3478, 5349), "loopback_peers": False, "relay_ports": RELAY_PORTS} | options
    started = [
        Coturn(addresses=[listens], relay_addresses=[relays], prefix=["ip", *lab.server.prefix()], **options)
        for listens, relays in places
    ]
    try:
        for server in started:
            server.__enter__()
        yield started
        for server in started:
            assert server.allocations_left() == [], server.log
    finally:
        for server in started:
            server.stop()


def begin(binary, lab, *arguments, command="nat", credential=CREDENTIAL):
    words = [*lab.client.prefix(), binary, command, *arguments, *credential, "--format", "json"]
    return Running("ip", words, limits=no_core_dumps)


def ask(binary, lab, *arguments, **more):
    outcome = begin(binary, lab, *arguments, **more).wait()
    assert_safe(outcome)
    assert PASSWORD.encode() not in outcome.output + outcome.errors
    report = json.loads(outcome.text)
    validate(report)
    return outcome, report


@pytest.mark.parametrize("command", ["nat", "check"])
@pytest.mark.parametrize("kind", ["two", "elsewhere"])
@pytest.mark.parametrize("name", NAMES)
def test_two_addresses_tell_mapping_and_filtering(permitted, binary, name, kind, command):
    with NATLab(name) as lab, servers(lab, kind) as started:
        outcome, report = ask(binary, lab, *[one.uri() for one in started], "--timeout", "8", command=command)
        expected, nat = lab.label.ipv4, report["nat"][0]
        relayed = nat["throughRelays"]
        for question in ("mapping", "filtering"):
            truth = getattr(expected, question)
            if lab.label.loss and nat[question]["value"] == "unknown":
                # Six requests in a row may all be lost, and then there is no relay.
                assert truth in nat[question].get("possible", [truth]), nat
                continue
            assert nat[question]["value"] == relayed[question]["value"] == truth, nat
            # Two servers tell the mapping without a relay, where it does not depend on the destination.
            is_known_besides = question == "mapping" and kind == "two" and truth in ("none", "endpoint-independent")
            assert nat[question]["method"] == ("several-servers" if is_known_besides else "relay")
        if lab.label.loss:
            return
        assert outcome.status == 0, outcome.describe()
        ids = [finding["id"] for finding in report["findings"]]
        assert ("nat-mapping-dependent" in ids) == (expected.mapping in DEPENDENT)
        assert "nat-methods-disagree" not in ids
        assert len([one for one in relayed["relays"] if "reason" not in one]) == 2
        if command == "nat":
            assert "turn" not in report


@pytest.mark.parametrize("name", ["no-nat", "firewall", "nat-eim-eif", "nat-adm-adf", "nat-apdm-apdf", "masquerade"])
def test_one_address_tells_what_depends_on_the_port(permitted, binary, name):
    with NATLab(name) as lab, servers(lab, "one") as (server,):
        outcome, report = ask(binary, lab, server.uri())
        expected, nat = lab.label.ipv4, report["nat"][0]
        if expected.mapping in ("none", "address-and-port-dependent"):
            assert nat["mapping"]["value"] == expected.mapping and nat["mapping"]["method"] == "relay"
            assert outcome.status == 0
        else:
            assert nat["mapping"]["value"] == "unknown" and nat["mapping"]["possible"] == EITHER
            assert "a server at another address" in nat["mapping"]["reason"] and outcome.status == 1
            assert "a part is known" in report["verdict"]["summary"]
        if expected.filtering == "address-and-port-dependent":
            assert nat["filtering"]["value"] == expected.filtering and nat["filtering"]["confidence"] >= 0.999
        else:
            assert expected.filtering in nat["filtering"]["possible"] and len(nat["filtering"]["possible"]) == 2


def test_a_stun_server_elsewhere_stands_in_for_a_second_relay(permitted, binary):
    with NATLab("nat-adm-adf") as lab, servers(lab, "one") as (server,):
        words = ["turnserver", "-n", "-S", "-L", SERVERS[4][1], "-p", "3478", "--no-tls", "--no-dtls", "--no-cli"]
        words += ["--no-rfc5780", "--log-file", "stdout", "--pidfile", ""]
        stun = Running("ip", [*lab.server.prefix(), *words])
        try:
            _, report = ask(binary, lab, server.uri(), f"stun:{SERVERS[4][1]}")
        finally:
            stun.process.kill()
            stun.process.wait()
        nat = report["nat"][0]
        assert (nat["mapping"]["value"], nat["filtering"]["value"]) == ("address-dependent",) * 2, nat
        assert len(server.sessions_made()) == 1


@pytest.mark.parametrize("name", ["nat-eim-adf", "nat-apdm-apdf", "firewall"])
def test_over_ipv6_it_is_the_same(permitted, binary, name):
    with NATLab(name) as lab, servers(lab, "two", family=6) as started:
        _, report = ask(binary, lab, *[one.uri() for one in started])
        expected, nat = lab.label.ipv6, report["nat"][0]
        assert nat["family"] == "ipv6"
        for question in ("mapping", "filtering"):
            assert nat[question]["value"] == nat["throughRelays"][question]["value"] == getattr(expected, question)


@pytest.mark.parametrize("transport", ["tcp", "tls", "dtls"])
def test_the_way_to_the_server_does_not_matter(permitted, binary, transport):
    secured = {"certificate": made()["good"].pair} if transport != "tcp" else {}
    with NATLab("nat-apdm-apdf") as lab, servers(lab, "elsewhere", **secured) as (server,):
        outcome, report = ask(binary, lab, server.uri(transport), "--insecure", "--timeout", "10")
        nat = next(one for one in report["nat"] if one["transport"] == "udp")
        assert nat["mapping"]["value"] == nat["filtering"]["value"] == "address-and-port-dependent", outcome.describe()
        assert outcome.status == 0


def test_beside_rfc5780_it_agrees_and_a_check_leaves_it_out(permitted, binary):
    for name in ("nat-eim-adf", "nat-adm-adf", "nat-apdm-apdf", "firewall"):
        with NATLab(name) as lab:
            first, second = SERVERS[4]
            lab.start_server(
                binary, "serve", "--listen", first, "--alternate", second, "--user", f"{USER}:{PASSWORD}",
                "--allow-any-peer", families=(4,),
            )  # fmt: skip
            expected = lab.label.ipv4
            for command in ("check", "nat"):
                _, report = ask(binary, lab, f"turn:{first}", command=command)
                nat = report["nat"][0]
                for question in ("mapping", "filtering"):
                    assert nat[question]["value"] == getattr(expected, question), nat
                    assert nat[question]["method"] == "rfc5780"
                assert "nat-methods-disagree" not in [finding["id"] for finding in report["findings"]]
                assert ("throughRelays" in nat) == (command == "nat")


def test_a_relay_that_shows_another_nat_is_a_finding(permitted, binary):
    """The router has a rule of its own for the ports of relays."""
    with NATLab("nat-eim-apdf") as lab:
        first, second = SERVERS[4]
        low, high = RELAY_PORTS
        lab.router.nft(f"insert rule ip lab source oifname outside udp dport {low}-{high} snat to 11.0.0.1:62000-63000")
        lab.start_server(
            binary, "serve", "--listen", first, "--alternate", second, "--user", f"{USER}:{PASSWORD}",
            "--allow-any-peer", "--relay-ports", f"{low}-{high}", families=(4,),
        )  # fmt: skip
        _, report = ask(binary, lab, f"turn:{first}")
        nat = report["nat"][0]
        assert nat["mapping"] == {"value": "endpoint-independent", "confidence": 1, "method": "rfc5780"}
        assert nat["throughRelays"]["mapping"]["value"] == "address-and-port-dependent"
        finding = next(one for one in report["findings"] if one["id"] == "nat-methods-disagree")
        assert "endpoint-independent according to the servers" in finding["evidence"][0]


@pytest.mark.parametrize("command, quota", [("nat", 1), ("check", 3)])
def test_one_relay_of_each_of_two_servers_suffices(permitted, binary, command, quota):
    """A check has one of each family besides."""
    with NATLab("nat-adm-adf") as lab, servers(lab, "two", user_quota=quota) as started:
        _, report = ask(binary, lab, *[one.uri() for one in started], command=command)
        nat = report["nat"][0]
        assert (nat["mapping"]["value"], nat["filtering"]["value"]) == ("address-dependent",) * 2, nat


def test_a_quota_that_leaves_no_second_relay_leaves_a_part_unknown(permitted, binary):
    with NATLab("nat-apdm-apdf") as lab, servers(lab, "elsewhere", user_quota=1) as (server,):
        outcome, report = ask(binary, lab, server.uri())
        nat = report["nat"][0]
        assert nat["mapping"]["possible"] == ["address-dependent", "address-and-port-dependent"]
        assert any("486" in one.get("reason", "") for one in nat["throughRelays"]["relays"])
        assert outcome.unhindered < 3


def test_a_refused_credential_is_said_and_tried_once(permitted, binary):
    with NATLab("nat-eim-apdf") as lab, servers(lab, "one") as (server,):
        wrong = ("--user", USER, "--password", "canary-wrong-55d0")
        outcome, report = ask(binary, lab, server.uri(), credential=wrong)
        nat = report["nat"][0]
        assert nat["mapping"]["value"] == "unknown" and "refused the credential" in nat["mapping"]["reason"]
        assert server.errors_sent().count(401) == 2 and outcome.status == 1


def test_closed_relay_ports_are_said(permitted, binary):
    with NATLab("nat-eim-apdf") as lab, servers(lab, "one") as (server,):
        lab.server.nft(chain("input", [f"iifname eth0 udp dport {RELAY_PORTS[0]}-{RELAY_PORTS[1]} drop"]))
        _, report = ask(binary, lab, server.uri())
        nat = report["nat"][0]
        assert nat["mapping"]["value"] == nat["filtering"]["value"] == "unknown"
        assert "nothing that was sent to the relayed address" in nat["mapping"]["reason"]


@pytest.mark.parametrize("wait", [0.1, 0.5, 1])
def test_a_signal_leaves_no_allocation(permitted, binary, wait):
    with NATLab("nat-adm-adf", round_trip=0.2) as lab, servers(lab, "two") as started:
        running = begin(binary, lab, *[one.uri() for one in started])
        try:
            started[0].wait_for(r"session \d+: new, realm=")
            time.sleep(wait)
            running.signal(signal.SIGINT)
            outcome = running.wait()
        finally:
            if running.process.returncode is None:
                running.process.kill()
        assert outcome.status == 130, outcome.describe()
