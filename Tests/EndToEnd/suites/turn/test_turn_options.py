"""What `icecheck turn` asks of an allocation beyond the usual: the server's answer is told, and its refusal is not the relay's."""

import re

import pytest
from fakes.turn_causes import works
from harness.turn_runs import Stack, assert_nothing_left, assert_secret, begin

from test_turn_served import CREDENTIAL, relaying  # noqa: F401 (a fixture)

pytestmark = pytest.mark.usefixtures("coturn_installed")

ALL = ["--next-port", "--dont-fragment"]


def entries_of(outcome):
    assert outcome.status == 0, outcome.describe()
    found = [entry for entry in outcome.report["turn"] if "notMeasured" not in entry]
    assert found and all(entry["ok"] for entry in found), outcome.describe()
    return found


def answers(entry):
    return {answer["option"]: answer for answer in entry["options"]}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_coturn_grants_an_even_port_and_the_next(binary, transport):
    with Stack(works(transport, "127.0.0.1")) as planted:
        outcome = begin(binary, planted, "-4", *ALL, "--format", "json").wait()
        assert_secret(outcome)
        for entry in entries_of(outcome):
            port = int(entry["relayedAddress"].rpartition(":")[2])
            found = answers(entry)
            assert port % 2 == 0 and set(found) == {"next-port", "dont-fragment"}
            assert found["next-port"]["outcome"] == "granted"
            assert found["next-port"]["relayedAddress"].endswith(f":{port + 1}"), found
            # Whether it can, a server says by a refusal.
            assert found["dont-fragment"]["outcome"] in ("granted", "refused")
        assert_nothing_left(planted, outcome)


def test_coturn_takes_no_notice_of_a_second_family_and_relays(binary):
    """Up to 4.6 it knows ADDITIONAL-ADDRESS-FAMILY by the number of a draft (0x8032) and not by that of RFC 8656."""
    with Stack(works("udp", "127.0.0.1")) as planted:
        outcome = begin(binary, planted, "--both-families", "--even-port", "--format", "json").wait()
        first = next(entry for entry in entries_of(outcome) if entry["relayedFamily"] == "ipv4")
        found = answers(first)
        assert found["both-families"] in (
            {"option": "both-families", "outcome": "ignored"},
            {"option": "both-families", "outcome": "granted", "relayedAddress": found["both-families"].get("relayedAddress")},
        ), outcome.describe()
        assert found["even-port"]["outcome"] == "granted"
        assert_nothing_left(planted, outcome)
        text = begin(binary, planted, "--both-families").wait()
        assert re.search(r"both families: (ignored|granted, \[::1\]:\d+)", text.text), text.describe()


@pytest.mark.parametrize("transport", ["udp", "tcp", "dtls"])
def test_icecheck_serve_answers_each_option(run, relaying, transport):
    server = relaying()
    insecure = ["--insecure"] if transport == "dtls" else []
    outcome = run("turn", server.uri(transport), *CREDENTIAL, "-4", *ALL, *insecure, "--format", "json")
    (entry,) = entries_of(outcome)
    found = answers(entry)
    port = int(entry["relayedAddress"].rpartition(":")[2])
    assert found["next-port"] == {
        "option": "next-port", "outcome": "granted", "relayedAddress": f"127.0.0.1:{port + 1}"
    }  # fmt: skip
    # It does not implement it, says so, and relays all the same.
    assert found["dont-fragment"] == {"option": "dont-fragment", "outcome": "refused", "code": 420}
    text = run("turn", server.uri(transport), *CREDENTIAL, "-4", *ALL, *insecure).text
    assert "DONT-FRAGMENT: refused (420: the server does not implement it)" in text, text
    made, deleted, expired, left = server.end()
    assert made == deleted and (expired, left) == (0, 0)


def test_icecheck_serve_gives_both_families(run, relaying):
    server = relaying()
    outcome = run("turn", server.uri("udp"), *CREDENTIAL, "--both-families", "--format", "json")
    first = next(entry for entry in entries_of(outcome) if entry["relayedFamily"] == "ipv4")
    assert answers(first)["both-families"]["outcome"] == "granted"
    assert answers(first)["both-families"]["relayedAddress"].startswith("[::1]:")
