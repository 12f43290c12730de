"""`icecheck nat` as it is typed: on loopback, against serve and coturn, and behind every NAT that the kernel can be."""

import json

import pytest
from fakes.hostile import serve
from fakes.lying import LIES, lying
from harness.running import assert_safe, validate
from labs.asking import ask, uri
from labs.labels import DEPENDENT, PASSING
from labs.natlab import NATLab

# On loopback


def test_a_server_on_this_machine_says_nothing_of_a_nat(run, server):
    outcome = run("nat", f"127.0.0.1:{server}")
    assert outcome.status == 0, outcome.describe()
    assert "says nothing of a NAT" in outcome.text
    assert_safe(outcome)


def test_what_was_asked_and_answered_is_in_the_report(run, server):
    outcome = run("nat", f"127.0.0.1:{server}", "--format", "json")
    report = outcome.report
    nat, *_ = report["nat"]
    assert nat["family"] == "ipv4" and nat["transport"] == "udp" and nat["sourceAddress"] == "127.0.0.1"
    assert nat["mapping"] == {"value": "none", "confidence": 1, "method": "rfc5780"}
    assert nat["filtering"] == {"value": "none", "confidence": 1, "method": "rfc5780"}
    assert nat["portPreservation"]["value"] is True and nat["addressPooling"]["value"] == "paired"
    assert nat["method"] == "rfc5780" and nat["legacyName"] == "open Internet"
    (asked,) = nat["servers"]
    assert asked["use"] == "discovery" and asked["otherAddress"].startswith("127.0.0.2:")
    assert nat["requests"] >= nat["answers"] >= 8
    assert 0 < nat["rttMs"] < nat["durationMs"] < 500 + outcome.stalled * 1000
    assert "candidates" not in report and [one["ok"] for one in report["stun"]] == [True]


def test_a_silent_server_is_unknown_with_the_reason_after_a_second(run):
    outcome = run("nat", "127.0.0.1:9", "--format", "json")
    assert outcome.status == 1 and 0.9 < outcome.seconds and outcome.unhindered < 1.6, outcome.describe()
    nat, *_ = outcome.report["nat"]
    for question in ("mapping", "filtering", "portPreservation", "portAllocation", "addressPooling"):
        assert nat[question] == {"value": "unknown", "confidence": 0, "reason": "127.0.0.1:9 gave no answer"}


def test_the_plan_is_shown_and_nothing_is_sent(run):
    outcome = run("nat", "--dry-run", "192.0.2.1")
    assert outcome.status == 0 and "192.0.2.1" in outcome.text and "nothing was sent" in outcome.text


@pytest.mark.parametrize("arguments", [["nat", "http://x"], ["nat", "-4", "-6", "192.0.2.1"], ["nat", "--timeout", "0"]])
def test_a_wrong_line_is_refused(run, arguments):
    outcome = run(*arguments)
    assert outcome.status == 64 and outcome.errors.count(b"\n") == 1 and not outcome.output


def test_more_than_four_servers_are_not_asked_about_the_nat(run, server):
    names = [f"127.0.0.{one}:{server if one == 1 else 9}" for one in range(1, 7)]
    # One that is asked already is no fifth.
    outcome = run("nat", *names, f"stun:127.0.0.1:{server}", "--format", "json")
    report = outcome.report
    assert len(report["nat"][0]["servers"]) == 4
    assert [one["what"] for one in report["notMeasured"] if one["reason"] == "limit"] == [
        "the NAT by 127.0.0.5:9", "the NAT by 127.0.0.6:9"
    ]  # fmt: skip


# Servers that lie


def test_the_server_of_these_tests_is_believed_where_it_does_not_lie(run):
    with lying() as server:
        nat, *_ = run("nat", f"127.0.0.1:{server.port}", "--format", "json").report["nat"]
    assert nat["mapping"]["value"] == "none" and nat["filtering"]["value"] == "none"


@pytest.mark.parametrize("lie, reason", LIES.items())
def test_a_lie_is_the_servers_and_not_the_nats(run, lie, reason):
    with lying(lie) as server:
        outcome = run("nat", f"127.0.0.1:{server.port}", "--format", "json")
    nat, *_ = outcome.report["nat"]
    assert nat["filtering"]["value"] == "unknown", nat
    assert nat["mapping"]["value"] in ("none", "unknown"), nat
    assert reason in json.dumps(nat), nat
    assert outcome.status == (0 if nat["mapping"]["value"] == "none" else 1)
    assert outcome.unhindered < 2


# Behind the kernel's NATs


@pytest.mark.parametrize("name", PASSING)
def test_the_verdict_is_right(permitted, binary, name):
    with NATLab(name) as lab:
        lab.start_coturn()
        for family in lab.label.families:
            expected = lab.label.behaviour(family)
            outcome = ask(binary, lab, uri(lab, family), "--format", "json")
            report = json.loads(outcome.text)
            validate(report)
            nat, *_ = report["nat"]
            assert (nat["mapping"]["value"], nat["filtering"]["value"]) == (expected.mapping, expected.filtering)
            assert outcome.status == 0 and report["verdict"]["ok"] is True
            ids = [finding["id"] for finding in report["findings"]]
            assert ("nat-mapping-dependent" in ids) == (expected.mapping in DEPENDENT)
            if not lab.label.loss:
                assert nat["durationMs"] < 500 + outcome.stalled * 1000
            # A negative is never certain; what an answer proves is.
            is_negative = expected.filtering in DEPENDENT
            assert (nat["filtering"]["confidence"] == 1) != is_negative and nat["filtering"]["confidence"] >= 0.999


@pytest.mark.parametrize("milliseconds", [20, 100, 300])
@pytest.mark.parametrize("name", ["no-nat", "firewall", "nat-eim-eif", "nat-adm-adf", "masquerade", "masquerade-random"])
def test_the_verdict_takes_less_than_eight_round_trips(permitted, binary, name, milliseconds):
    with NATLab(name, round_trip=milliseconds / 1000) as lab:
        lab.start_coturn()
        for family in lab.label.families:
            expected = lab.label.behaviour(family)
            outcome = ask(binary, lab, uri(lab, family), "--format", "json")
            report = json.loads(outcome.text)
            nat = report["nat"][0]
            assert (nat["mapping"]["value"], nat["filtering"]["value"]) == (expected.mapping, expected.filtering)
            assert nat["bound"]["durationMs"] <= nat["durationMs"] < 8 * milliseconds + outcome.stalled * 1000
            assert "answers-lost" not in [finding["id"] for finding in report["findings"]]


@pytest.mark.parametrize(
    "name, mapping", [("no-nat", "none"), ("nat-eim-apdf", "endpoint-independent"), ("nat-apdm-apdf", "unknown")]
)
def test_two_servers_without_rfc5780_tell_the_mapping(permitted, binary, name, mapping):
    with NATLab(name) as lab:
        with lab.server.entered():
            first, second = (serve("good", address=address, port=3478) for address in lab.server_addresses(4))
        with first, second:
            outcome = ask(binary, lab, uri(lab, 4), uri(lab, 4, 1), "--format", "json")
        nat, *_ = json.loads(outcome.text)["nat"]
        assert nat["mapping"]["value"] == mapping, nat
        assert nat["filtering"]["value"] == "unknown"
        assert [one["use"] for one in nat["servers"]] == ["mapping", "mapping"]
        if mapping == "unknown":
            assert "depends on the destination" in nat["mapping"]["reason"] and outcome.status == 1
        else:
            assert nat["method"] == "several-servers" and outcome.status == 0


@pytest.mark.parametrize("name", ["udp-dropped", "udp-rejected"])
def test_without_udp_nothing_is_said_of_the_nat(permitted, binary, name):
    with NATLab(name) as lab:
        lab.start_coturn()
        outcome = ask(binary, lab, uri(lab, 4), "--format", "json")
        report = json.loads(outcome.text)
        assert outcome.status == 1 and outcome.unhindered < 2
        assert [one["mapping"]["value"] for one in report["nat"] if one["transport"] == "udp"] == ["unknown"]
        if name == "udp-rejected":
            assert "firewall-rejects" in [finding["id"] for finding in report["findings"]]
