"""`icecheck nat --lifetime` as it is typed: behind kernel NATs that forget a mapping after 15 s, and on loopback."""

import json
import signal
import time

import pytest
from fakes.hostile import serve
from harness.running import Running, assert_safe, no_core_dumps, validate
from harness.terminal import Terminal, screen
from labs.natlab import NATLab

TIMEOUT = 15
XTERM = {"TERM": "xterm"}


def begin(binary, lab, *arguments, **options):
    uris = [f"stun:{lab.server_addresses(4)[0]}", f"stun:[{lab.server_addresses(6)[0]}]"]
    words = [*lab.client.prefix(), binary, "nat", "--lifetime", *uris, *arguments]
    return Running("ip", words, limits=no_core_dumps, **options)


def assert_measured(nat):
    lifetime = nat["mappingLifetime"]
    assert lifetime["value"] == "measured" and lifetime["method"] == "response-port", lifetime
    assert TIMEOUT - 1 <= lifetime["aliveS"] <= TIMEOUT <= lifetime["expiredS"] <= TIMEOUT + 1, lifetime
    assert lifetime["precisionS"] == pytest.approx(lifetime["expiredS"] - lifetime["aliveS"], abs=0.01)
    assert lifetime["keepaliveS"] == 7 and 0.999 <= lifetime["confidence"] < 1
    outcomes = [one["outcome"] for one in lifetime["samples"]]
    assert outcomes[-1] == "expired" and set(outcomes[:-1]) == {"alive"}


@pytest.mark.parametrize("name, program", [("masquerade", "coturn"), ("nat-apdm-apdf", "serve")])
def test_the_lifetime_of_a_kernel_nat_is_told_in_both_families_at_once(permitted, binary, name, program):
    with NATLab(name, udp_timeout=TIMEOUT) as lab, Terminal() as terminal:
        lab.start_coturn() if program == "coturn" else lab.start_icecheck(binary)
        running = begin(binary, lab, "--format", "json", environment=XTERM, stderr=terminal.secondary)
        outcome = running.wait()
    report = json.loads(outcome.text)
    validate(report)
    over_udp = [nat for nat in report["nat"] if nat["transport"] == "udp"]
    assert sorted(nat["family"] for nat in over_udp) == ["ipv4", "ipv6"]
    for nat in over_udp:
        assert_measured(nat)
    # As long as a mapping lives, and little more.
    assert TIMEOUT <= outcome.seconds and outcome.unhindered < TIMEOUT + 3
    assert "nat-lifetime-short" in [finding["id"] for finding in report["findings"]]
    # The line tells what is waited for, goes on while nothing comes, and is gone at the end.
    assert b"mapping alive after 12 s idle; next 13 s" in terminal.shown, terminal.shown
    assert terminal.shown.count(b" s)") > TIMEOUT
    assert [line for line in screen(terminal.shown) if line] == []


def test_what_was_measured_until_the_interrupt_is_kept(permitted, binary):
    with NATLab("masquerade", udp_timeout=TIMEOUT) as lab:
        lab.start_coturn()
        running = begin(binary, lab, "--format", "json")
        time.sleep(4.5)
        running.signal(signal.SIGINT)
        outcome = running.wait()
    assert outcome.status == 130, outcome.describe()
    for nat in (one for one in json.loads(outcome.text)["nat"] if one["transport"] == "udp"):
        lifetime = nat["mappingLifetime"]
        assert lifetime["value"] == "at-least" and 1 <= lifetime["aliveS"] <= 5, lifetime
        assert "ended" in lifetime["reason"]


def test_without_a_nat_the_longest_time_that_fits_is_told(run, server):
    outcome = run("nat", "--lifetime", "--timeout", "6", f"127.0.0.1:{server}")
    assert outcome.status == 0 and 3.9 < outcome.seconds and outcome.unhindered < 6.2, outcome.describe()
    assert "4 s idle or more" in outcome.text and "send a keepalive every 2 s" in outcome.text
    assert_safe(outcome)


def test_a_server_that_answers_elsewhere_than_asked_is_named(run):
    with serve("good") as good:
        outcome = run("nat", "--lifetime", "--format", "json", f"127.0.0.1:{good.port}")
    nat = outcome.report["nat"][0]
    assert nat["mappingLifetime"]["value"] == "unknown" and nat["mappingLifetime"]["confidence"] == 0
    assert "RESPONSE-PORT" in nat["mappingLifetime"]["reason"]
    assert outcome.status == 1 and outcome.unhindered < 3


def test_the_plan_tells_of_the_sockets_and_the_times(run):
    outcome = run("nat", "--lifetime", "--dry-run", "192.0.2.1")
    assert outcome.status == 0 and "within 372 s" in outcome.text and "sockets" in outcome.text
    plan = json.loads(run("nat", "--lifetime", "--timeout", "30", "--dry-run", "192.0.2.1", "--format", "json").text)
    assert plan["idleTimesS"][0] == 1 and plan["idleTimesS"][-1] < 30


@pytest.mark.parametrize(
    "arguments", [["nat", "--lifetime", "--timeout", "2", "192.0.2.1"], ["stun", "--lifetime", "192.0.2.1"]]
)
def test_a_wrong_line_is_refused(run, arguments):
    outcome = run(*arguments)
    assert outcome.status == 64 and not outcome.output and outcome.errors
