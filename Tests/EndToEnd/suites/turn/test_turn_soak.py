"""`icecheck turn --soak`: a relay kept in use, and what stops it. The servers run with lifetimes of seconds, so that
what breaks calls after minutes shows while a test waits."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes.coturn import Coturn
from fakes.turnwire import PASSWORD, USER

CREDENTIAL = ("--user", USER, "--password", PASSWORD)

pytestmark = pytest.mark.usefixtures("coturn_installed")


def soaked(run, server, *more, timeout, credential=CREDENTIAL):
    outcome = run("turn", server.uri(), "-4", *credential, "--soak", "--timeout", timeout, *more, "--format", "json", patience=90)
    assert not server.allocations_left()
    return outcome


def relay_of(outcome):
    assert len(outcome.report["turn"]) == 1, outcome.describe()
    return outcome.report["turn"][0]["relay"]


def test_a_relay_that_goes_on_is_fine_and_every_renewal_is_counted(run):
    with Coturn(addresses=["127.0.0.1"], stale_nonce=4) as server:
        outcome = soaked(run, server, timeout=60)
        assert outcome.status == 0 and outcome.report["findings"] == [], outcome.describe()
        soak = relay_of(outcome)["soak"]
        # What the deadline leaves, two datagrams a second.
        assert 29_000 <= soak["lengthMs"] <= 41_000 and soak["sent"] == soak["returned"] >= 60
        assert soak["refreshes"] >= 1 and soak["nonceRenewals"] >= 2
        assert "stoppedAfterMs" not in soak and "channelLostAfterMs" not in soak
        assert outcome.unhindered < 50


def test_a_channel_that_ends_too_soon_is_named(run):
    with Coturn(addresses=["127.0.0.1"], more=["channel-lifetime=6"]) as server:
        outcome = soaked(run, server, timeout=60)
        assert outcome.status == 1, outcome.describe()
        first = outcome.report["findings"][0]
        assert first["id"] == "turn-relay-stops" and "channel-lifetime" in first["causes"][0]
        assert "still held the allocation" in first["evidence"][0]
        entry = outcome.report["turn"][0]
        assert entry["error"]["kind"] == "relay-stopped" and entry["deleted"] == "confirmed"
        soak = entry["relay"]["soak"]
        assert soak["revivedBy"] == "permission" and 4_000 <= soak["channelLostAfterMs"] <= 10_000
        # It does not wait for the end of its time once it knows.
        assert outcome.unhindered < 30


def test_a_server_that_goes_away_is_named(run):
    server = Coturn(addresses=["127.0.0.1"])
    with server, ThreadPoolExecutor(1) as aside:
        ending = aside.submit(lambda: (time.sleep(5), server.process.kill()))
        outcome = run("turn", server.uri(), "-4", *CREDENTIAL, "--soak", "--timeout", 60, "--format", "json")
        ending.result()
        assert outcome.status == 1 and outcome.unhindered < 30
        assert outcome.report["findings"][0]["severity"] == "error", outcome.describe()
        assert relay_of(outcome)["soak"]["returned"] >= 8


def test_time_that_is_too_short_is_said(run):
    outcome = run("turn", "turn:127.0.0.1:9", *CREDENTIAL, "--soak", "--timeout", 5)
    assert outcome.status == 64 and "--soak takes time" in outcome.errors.decode()
