"""The NAT's mapping over TCP in `icecheck nat`: on loopback, and behind every NAT that the kernel can be."""

import json
import socket
import threading

import pytest
from fakes.hostile import serve
from harness.running import validate
from labs.asking import ask, uri
from labs.labels import LABELS, PASSING
from labs.natlab import NATLab


def over(report, transport):
    (found,) = [one for one in report["nat"] if one["transport"] == transport]
    return found


# On loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_tcp_has_an_entry_of_its_own(run, server, host):
    outcome = run("nat", f"stun:{host}:{server}", "--format", "json")
    report = outcome.report
    assert outcome.status == (0 if host == "127.0.0.1" else 1)
    assert [one["transport"] for one in report["nat"]] == ["udp", "tcp"]
    nat = over(report, "tcp")
    for question in ("filtering", "portAllocation", "addressPooling", "hairpin"):
        assert nat[question]["value"] == "unknown" and nat[question]["reason"]
    assert nat["portPreservation"]["value"] is True and nat["durationMs"] < 500 + outcome.stalled * 1000
    if host == "127.0.0.1":
        assert nat["mapping"] == {"value": "none", "confidence": 1, "method": "rfc5780"}
        assert nat["requests"] >= nat["answers"] >= 3
    text = run("nat", f"stun:{host}:{server}").text
    assert "NAT (IPv4, TCP" in text or "NAT (IPv6, TCP" in text


def test_a_server_without_tcp_is_said_to_refuse_it_and_delays_nothing(run):
    with serve("good") as server:
        outcome = run("nat", f"127.0.0.1:{server.port}", "--format", "json")
    nat = over(outcome.report, "tcp")
    reason = f"127.0.0.1:{server.port} refuses TCP"
    assert nat["mapping"] == {"value": "unknown", "confidence": 0, "reason": reason}
    assert [(one["use"], one["reason"]) for one in nat["servers"]] == [("silent", reason)]
    assert nat["requests"] == 0 and outcome.unhindered < 1


def test_a_server_that_takes_connections_and_says_nothing_delays_little(run):
    # UDP is answered on the port whose TCP is silent.
    with serve("good") as answering, socket.create_server(("127.0.0.1", answering.port)):
        outcome = run("nat", f"127.0.0.1:{answering.port}", "--format", "json")
    nat = over(outcome.report, "tcp")
    assert "took the connection and gave no answer" in nat["mapping"]["reason"]
    assert outcome.unhindered < 2


SENT = {"HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n", "nothing": b"", "zeros": bytes(40), "flood": b"\xff" * 100_000}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_what_is_no_stun_is_said_to_be_none(run, sent):
    def give(listener):
        try:
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(sent)
        except OSError:
            pass

    with serve("good") as answering, socket.create_server(("127.0.0.1", answering.port)) as listener:
        threading.Thread(target=give, args=(listener,), daemon=True).start()
        outcome = run("nat", f"127.0.0.1:{answering.port}", "--format", "json")
        listener.shutdown(socket.SHUT_RDWR)
    nat = over(outcome.report, "tcp")
    assert nat["mapping"]["value"] == "unknown" and outcome.unhindered < 2
    assert any(words in nat["mapping"]["reason"] for words in ("no STUN", "closed the connection"))


def test_a_server_named_for_tcp_is_asked_over_tcp_alone(run, server):
    report = run("nat", f"turn:127.0.0.1:{server}?transport=tcp", "--format", "json").report
    assert [one["transport"] for one in report["nat"]] == ["tcp"]
    report = run("nat", f"turn:127.0.0.1:{server}?transport=udp", "--format", "json").report
    assert [one["transport"] for one in report["nat"]] == ["udp"]


# Behind the kernel's NATs


@pytest.mark.parametrize("name", PASSING)
def test_the_mapping_over_tcp_is_the_labels(permitted, binary, name):
    with NATLab(name) as lab:
        lab.start_coturn()
        for family in lab.label.families:
            outcome = ask(binary, lab, uri(lab, family), "--format", "json")
            report = json.loads(outcome.text)
            validate(report)
            nat = over(report, "tcp")
            # A fifth lost each way may leave it open, and never makes it wrong.
            allowed = [lab.label.behaviour(family).mapping] + ["unknown"] * (lab.label.loss > 0)
            assert nat["mapping"]["value"] in allowed, nat
            if not lab.label.loss:
                assert nat["durationMs"] < 500 + outcome.stalled * 1000 and nat["mapping"]["confidence"] == 1


@pytest.mark.parametrize("name", [name for name, label in LABELS.items() if label.udp != "passes"])
def test_without_udp_the_mapping_over_tcp_is_told(permitted, binary, name):
    with NATLab(name) as lab:
        lab.start_coturn()
        outcome = ask(binary, lab, uri(lab, 4), "--format", "json")
        report = json.loads(outcome.text)
        validate(report)
        assert outcome.status == 1
        assert over(report, "udp")["mapping"]["value"] == "unknown"
        assert over(report, "tcp")["mapping"]["value"] == "endpoint-independent"
        assert "over TCP there is a NAT with endpoint-independent mapping" in report["verdict"]["summary"]
