"""A recorded run is reported again without a network, byte for byte as it was."""

import shlex
import signal
import stat

import pytest
from fakes.hostile import serve
from harness.addresses import PRIMARY
from harness.running import assert_safe, found_binary
from harness.serving import Served, free_ports, serving, wait_until_served
from harness.waiting import wait_until

PASSWORD = "swordfish-the-canary"
# Behaviours of a STUN server that leave something special in a report.
HOSTILE = [
    "wrong-transaction-id", "hostile-software", "hostile-reason", "software-for-formats", "error-420", "mapped-differs",
    "unknown-required-attribute", "tcp-http", "tcp-half-then-close", "tcp-hostile-banner",
]  # fmt: skip


@pytest.fixture
def relaying(start):
    """A server with RFC 5780 and relays, on loopback."""
    port, other = free_ports()
    running = start(*serving(port, other), "--user", f"alice:{PASSWORD}")
    server = Served(running, port, other)
    wait_until_served(server)
    return server


def commands(port):
    stun, turn = f"stun:{PRIMARY}:{port}", f"turn:{PRIMARY}:{port}"
    user = ("--user", "alice", "--password", PASSWORD)
    return {
        "check": ("check", stun),
        "check-turn": ("check", turn, *user),
        "check-silence": ("check", f"stun:{PRIMARY}:9", "--timeout", "1"),
        "candidates": ("candidates", stun),
        "candidates-alone": ("candidates",),
        "stun-series": ("stun", stun, "--count", "5"),
        "stun-all": ("stun", stun, "stun:name.invalid", "--transport", "all"),
        "nat": ("nat", stun, "--hairpin"),
        "nat-relays": ("nat", turn, *user),
        "nat-lifetime": ("nat", stun, "--lifetime", "--timeout", "3"),
        "turn": ("turn", turn, *user, "--all-transports"),
        "turn-refused": ("turn", turn, "--user", "alice", "--password", PASSWORD + "s"),
    }


def held_to_its_record(run, file, arguments, format):
    """Runs a command, and replays it: the same output, the same status, and nothing secret in the record."""
    measured = run(*arguments, "--format", format, "--record", file)
    assert file.exists(), measured.describe()
    replayed = run("replay", file, "--format", format)
    assert replayed.output == measured.output, replayed.describe()
    assert replayed.status == measured.status and not replayed.errors, replayed.describe()
    assert PASSWORD.encode() not in file.read_bytes()
    assert_safe(replayed)
    return measured


CASES = [
    (name, format)
    for name, arguments in commands(0).items()
    for format in ["text", "json", "sdp"]
    if format != "sdp" or arguments[0] in ("check", "candidates")
]


@pytest.mark.parametrize("name, format", CASES)
def test_a_replay_is_the_report(run, relaying, tmp_path, name, format):
    held_to_its_record(run, tmp_path / "run.json", commands(relaying.port)[name], format)


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_hostile_server_says_is_replayed(run, tmp_path, name, format):
    with serve(name) as server:
        transport = "tcp" if name.startswith("tcp-") else "udp"
        arguments = ("stun", f"stun:127.0.0.1:{server.port}", "--transport", transport, "--timeout", "1")
        held_to_its_record(run, tmp_path / "run.json", arguments, format)


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_connection_is_replayed(run, tmp_path, format):
    local = ("--bind", "127.0.0.1", "--timeout", "20", "--duration", "0.2")
    other = shlex.join([str(found_binary()), "connect", *local, "--stdio", "--record", str(tmp_path / "other.json")])
    measured = held_to_its_record(
        run, tmp_path / "run.json", ("connect", *local, "--via", other), format)
    assert measured.status == 0
    replayed = run("replay", tmp_path / "other.json")
    assert replayed.status == 0 and b"connected" in replayed.output.lower()
    refused = run("replay", tmp_path / "run.json", "--format", "sdp")
    assert refused.status == 64 and refused.errors.count(b"\n") == 1


def test_a_record_is_its_owners_and_is_never_overwritten(run, tmp_path):
    file = tmp_path / "run.json"
    assert run("candidates", "--record", file).status == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    again = run("candidates", "--record", file)
    assert again.status == 64 and not again.output and again.errors.count(b"\n") == 1, again.describe()
    assert b"the file exists" in again.errors
    assert file.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]


def test_what_cannot_be_recorded_is_reported_all_the_same(run, tmp_path):
    outcome = run("candidates", "--format", "json", "--record", tmp_path / "none" / "run.json")
    assert outcome.status == 74 and outcome.report["candidates"] is not None
    assert outcome.errors.count(b"\n") == 1 and b"--record" in outcome.errors


def test_a_report_that_cannot_be_printed_is_recorded_all_the_same(run, tmp_path):
    with open("/dev/full", "wb") as full:
        outcome = run("candidates", "--record", tmp_path / "run.json", stdout=full)
    assert outcome.status == 74, outcome.describe()
    assert run("replay", tmp_path / "run.json").status == 0


def test_an_interrupted_run_is_replayed_as_one(start, run, tmp_path):
    file = tmp_path / "run.json"
    with serve("silent") as server:
        measuring = start("stun", f"stun:127.0.0.1:{server.port}", "--timeout", "20", "--record", file)
        assert wait_until(lambda: len(server.received) > 1)
        measuring.signal(signal.SIGTERM)
        measured = measuring.wait()
    assert measured.status == 143, measured.describe()
    replayed = run("replay", file)
    assert (replayed.status, replayed.output) == (143, measured.output)


def test_standard_input_is_a_record_too(run, tmp_path):
    file = tmp_path / "run.json"
    measured = run("candidates", "--record", file)
    with open(file, "rb") as record:
        assert run("replay", "-", stdin=record).output == measured.output


BAD = {
    "empty": b"",
    "not JSON": b"v=0\r\n",
    "not a record": b"[1, 2]",
    "a report": b'{"schema": "icecheck-report", "version": 1}',
    "of another version": b'{"schema": "icecheck-run", "version": 99}',
    "of wrong types": b'{"schema": "icecheck-run", "version": 1, "toolVersion": 7}',
    "with a terminal's commands": b'{"schema": "\x1b[2J", "version": 1}',
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_record_gets_one_line(run, tmp_path, what):
    (tmp_path / "bad.json").write_bytes(BAD[what])
    outcome = run("replay", tmp_path / "bad.json")
    assert outcome.status == 64 and not outcome.output, outcome.describe()
    assert outcome.errors.startswith(b"icecheck: ") and outcome.errors.count(b"\n") == 1, outcome.describe()
    assert_safe(outcome)


def test_a_record_that_was_cut_off_says_so(run, tmp_path):
    file = tmp_path / "run.json"
    run("candidates", "--record", file)
    file.write_bytes(file.read_bytes()[:500])
    outcome = run("replay", file)
    assert outcome.status == 64 and b"its end is missing" in outcome.errors, outcome.describe()


def test_a_dry_run_records_nothing(run, tmp_path):
    assert run("candidates", "--dry-run", "--record", tmp_path / "run.json").status == 0
    assert list(tmp_path.iterdir()) == []
