"""`icecheck check` behind every NAT that the kernel can be, and where UDP does not come through."""

import json

import pytest
from labs.asking import ask, uri
from labs.labels import DEPENDENT, LABELS, PASSING
from labs.natlab import NATLab


@pytest.mark.parametrize("name", [name for name in PASSING if LABELS[name].ipv4])
def test_a_check_says_how_the_nat_behaves(permitted, binary, name):
    with NATLab(name) as lab:
        lab.start_coturn()
        expected = lab.label.ipv4
        # One run for each lab: on the port of an earlier one, a socket would meet a filter that is open.
        outcome = ask(binary, lab, uri(lab, 4), "--format", "json", command="check")
        assert outcome.status == 0, outcome.describe()
        report = json.loads(outcome.text)
        nat, over_tcp = report["nat"]
        assert (nat["mapping"]["value"], nat["filtering"]["value"]) == (expected.mapping, expected.filtering)
        summary = report["verdict"]["summary"]
        if expected.mapping != "none":
            assert f"{expected.mapping} mapping and {expected.filtering} filtering" in summary
        elif expected.filtering != "none":
            assert f"a firewall with {expected.filtering} filtering" in summary
        ids = [finding["id"] for finding in report["findings"]]
        assert ("nat-mapping-dependent" in ids) == (expected.mapping in DEPENDENT)
        assert (nat["transport"], over_tcp["transport"]) == ("udp", "tcp")
        if not lab.label.loss:
            assert over_tcp["mapping"]["value"] == expected.mapping
            assert report["durationMs"] < 1000 + outcome.stalled * 1000


@pytest.mark.parametrize("command", ["nat", "check"])
@pytest.mark.parametrize("family", [4, 6])
def test_dropped_udp_is_said_at_once_where_tcp_answers(permitted, binary, command, family):
    with NATLab("udp-dropped") as lab:
        lab.start_coturn()
        outcome = ask(binary, lab, uri(lab, family), "--format", "json", command=command)
        report = json.loads(outcome.text)
        udp, tcp = report["stun"]
        assert outcome.status == 1 and tcp["ok"] and not udp["ok"]
        assert udp["error"]["kind"] == "timeout" and 0.999 <= udp["error"]["confidence"] < 1
        assert "udp-blocked" in [finding["id"] for finding in report["findings"]]
        # TCP answers within a millisecond: `nat` asks over it at once, a check where UDP is silent for 250 ms.
        assert report["durationMs"] < (0 if command == "nat" else 250) + 150 + outcome.stalled * 1000
        entries = {one["transport"]: one for one in report["nat"]}
        assert entries["tcp"]["mapping"]["value"] == "endpoint-independent"
        # Where TCP's answer is late it is not yet known when silence over UDP is judged.
        if command == "nat" and outcome.stalled < 0.05:
            assert "over UDP, where it does over TCP" in entries["udp"]["mapping"]["reason"]


def test_a_server_on_this_machine_is_not_asked_about_a_nat_in_a_check(run):
    report = run("127.0.0.1:9", "--timeout", "0.3", "--format", "json").report
    assert "nat" not in report
