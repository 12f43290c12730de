"""`icecheck turn` against Debian's coturn, with each mistake of an operator planted: the first finding names it."""

import signal

import pytest
from fakes.coturn import Coturn
from fakes.turn_causes import CANARIES, CAUSES, TRANSPORTS, Planted, works
from fakes.turnwire import USER
from harness.turn_runs import Stack, assert_nothing_left, assert_secret, begin

PLAIN = [name for name, cause in CAUSES.items() if not cause.needs_namespace and not cause.needs_tls]
SECURED = [name for name, cause in CAUSES.items() if not cause.needs_namespace and cause.needs_tls]
ACROSS = [name for name, cause in CAUSES.items() if cause.needs_namespace and not cause.needs_tls]
ACROSS_SECURED = [name for name, cause in CAUSES.items() if cause.needs_namespace and cause.needs_tls]


pytestmark = pytest.mark.usefixtures("coturn_installed")


def meet(binary, name):
    cause = CAUSES[name]
    with cause.planted() as planted:
        outcome = begin(binary, planted, "--format", "json").wait(patience=60)
        assert_secret(outcome)
        report = outcome.report
        findings = [finding["id"] for finding in report["findings"]]
        shown = f"{findings} in {outcome.describe()}\n{planted.server.log[-3000:]}"
        assert outcome.status == cause.status, shown
        if cause.finding:
            assert findings[:1] == [cause.finding], shown
        else:
            errors = [finding for finding in report["findings"] if finding["severity"] == "error"]
            # A server without a relay of the second family is no worse for it.
            asked = [entry for entry in report["turn"] if "notMeasured" not in entry]
            assert errors == [] and asked and all(entry["ok"] for entry in asked), shown
            assert all(entry["relay"]["received"] > 0 for entry in asked), shown
        assert_nothing_left(planted, outcome)
        text = begin(binary, planted).wait(patience=60)
        assert text.status == cause.status, text.describe()
        assert_secret(text)
        assert_nothing_left(planted, text)
        return report, planted


@pytest.mark.parametrize("name", PLAIN)
def test_the_planted_cause_is_named_first(binary, name):
    meet(binary, name)


@pytest.mark.parametrize("name", SECURED)
def test_the_planted_cause_is_named_first_over_tls_and_dtls(binary, name):
    meet(binary, name)


@pytest.mark.parametrize("name", ACROSS)
def test_the_planted_cause_is_named_first_across_a_network(binary, permitted, name):
    meet(binary, name)


@pytest.mark.parametrize("name", ACROSS_SECURED)
def test_dtls_works_in_spite_of_loss(binary, permitted, name):
    meet(binary, name)


def test_a_stale_nonce_is_met_and_taken(binary):
    """Otherwise that test would show nothing."""
    with CAUSES["stale-nonce"].planted() as planted:
        outcome = begin(binary, planted, "--format", "json").wait()
        assert outcome.status == 0 and 438 in planted.server.errors_sent(), outcome.describe()
        assert_nothing_left(planted, outcome)


def test_a_wrong_password_is_tried_once(binary):
    """A01: 401 to the unsigned request and 401 to the signed one, for each allocation, and no more."""
    with CAUSES["wrong-password"].planted() as planted:
        outcome = begin(binary, planted, "--format", "json").wait()
        # What a busy server answers late is sent once more.
        assert len(planted.server.errors_sent()) <= 2 * 2 * max(1, len(outcome.report["turn"])), planted.server.log


def test_the_entry_says_what_was_measured(binary):
    with CAUSES["works-udp-4"].planted() as planted:
        outcome = begin(binary, planted, "--format", "json").wait()
        entry = next(one for one in outcome.report["turn"] if one["relayedAddress"].startswith("127.0.0.1"))
        assert entry["server"] == planted.arguments[0] and entry["transport"] == "udp"
        assert entry["serverAddress"] == f"127.0.0.1:{planted.server.port}" and entry["stage"] == "relay"
        port = int(entry["relayedAddress"].rpartition(":")[2])
        assert planted.server.relay_ports[0] <= port <= planted.server.relay_ports[1]
        assert entry["mappedAddress"].startswith("127.0.0.1:") and 0 < entry["lifetimeS"] <= 3600
        assert 0 < entry["rttMs"] < 1000 and "error" not in entry
        relay = entry["relay"]
        assert relay["sent"] == relay["received"] > 0 and relay["lossRatio"] == 0 and relay["rttMs"] > 0


def test_it_releases_what_it_allocated_itself(binary):
    """Not by leaving it to the server to see that a connection has gone."""
    for transport in ("udp", "tcp"):
        with CAUSES[f"works-{transport}-4"].planted() as planted:
            begin(binary, planted).wait()
            sessions = set(planted.server.sessions_made())
            assert sessions and planted.server.sessions_released() == sessions, planted.server.log


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_signal_leaves_no_allocation(binary, transport, number, status):
    """P01: within a second and a half, and the partial report is printed."""
    with Stack(works(transport, "127.0.0.1")) as planted:
        running = begin(binary, planted, "--format", "json", "--duration", "20", "--timeout", "30")
        try:
            planted.server.wait_for(r"session \d+: new, realm=")
            # Data flows meanwhile.
            planted.server.wait_for(r"CREATE_PERMISSION processed, success|CHANNEL_BIND processed, success")
            running.signal(number)
            outcome = running.wait()
        finally:
            if running.process.returncode is None:
                running.process.kill()
        assert outcome.status == status, outcome.describe()
        assert outcome.after_signal < 2, outcome.describe()
        assert outcome.report["turn"], outcome.describe()
        assert_secret(outcome)
        assert_nothing_left(planted, outcome)


def test_secrets_come_from_the_environment_too(binary):
    with Coturn(addresses=["127.0.0.1"], secret=CANARIES[1]) as server:
        planted = Planted(server, [server.uri(), "--user", USER])
        for value, status in ((CANARIES[1], 0), (CANARIES[2], 1)):
            outcome = begin(binary, planted, environment={"ICECHECK_TURN_SECRET": value}).wait()
            assert outcome.status == status, outcome.describe()
            assert_secret(outcome)
            assert_nothing_left(planted, outcome)


def test_secrets_come_from_files_too(binary, tmp_path):
    path = tmp_path / "secret"
    path.write_text(CANARIES[1] + "\n")
    with Coturn(addresses=["127.0.0.1"], secret=CANARIES[1]) as server:
        outcome = begin(binary, Planted(server, [server.uri(), "--user", USER, "--secret-file", str(path)])).wait()
        assert outcome.status == 0, outcome.describe()
        assert_secret(outcome)


def test_two_runs_at_once_do_not_meet(binary):
    with CAUSES["works-udp-4"].planted() as planted:
        running = [begin(binary, planted, "--format", "json") for _ in range(5)]
        outcomes = [one.wait() for one in running]
        assert [outcome.status for outcome in outcomes] == [0] * 5, [one.describe() for one in outcomes if one.status]
        assert_nothing_left(planted, outcomes[0])


def test_the_loopback_run_is_quick(binary):
    """The figure is 50 ms for a release build; a debug build on a loaded machine has ample room here."""
    with CAUSES["works-udp-4"].planted() as planted:
        assert begin(binary, planted).wait().unhindered < 2
