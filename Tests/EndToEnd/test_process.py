"""Signals, closed outputs, poor environments and crowds: what the process does, beside what it reports."""

import os
import pty
import resource
import signal
import threading
import time
from contextlib import ExitStack

import pytest
from conftest import assert_safe, no_core_dumps
from hostile import serve
from stunwire import BINDING_REQUEST, parse

MEGABYTE = 1 << 20
# Statuses that already mean something else: no failure to write may hide behind one of them.
TAKEN = {0, 1, 64, 70, 129, 130, 143}


def uri(server):
    return f"stun:127.0.0.1:{server.port}"


def until(holds, patience=10):
    """Waits for what another process does; there is no clock of ours in it to move."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


@pytest.fixture
def good():
    with serve("good") as server:
        yield server


@pytest.fixture
def silent():
    with serve("silent") as server:
        yield server


@pytest.mark.parametrize(
    "number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=lambda value: str(value)
)
@pytest.mark.parametrize("command", ["stun", "check"])
def test_a_signal_gives_the_partial_report(start, good, silent, command, number, status):
    running = start(command, "--format", "json", "--timeout", "20", uri(good), uri(silent))
    # A retransmission to the silent one comes well after the good one's answer.
    until(lambda: good.received and len(silent.received) > 1)
    running.signal(number)
    signalled = time.monotonic()
    outcome = running.wait()
    assert outcome.status == status, outcome.describe()
    assert time.monotonic() - signalled < 1.5, outcome.describe()
    answered = {entry["server"]: entry["ok"] for entry in outcome.report["stun"]}
    assert answered == {uri(good): True, uri(silent): False}, outcome.describe()


def test_a_signal_in_text_mode_still_prints_what_was_measured(start, good, silent):
    running = start("stun", "--timeout", "20", uri(good), uri(silent))
    until(lambda: good.received and len(silent.received) > 1)
    running.signal(signal.SIGINT)
    outcome = running.wait()
    source = good.received[0][-1]
    assert outcome.status == 130 and f"{source[0]}:{source[1]}" in outcome.text, outcome.describe()
    assert_safe(outcome)


def test_a_second_signal_does_no_harm(start, silent):
    running = start("stun", "--timeout", "20", uri(silent))
    until(lambda: silent.received)
    running.signal(signal.SIGINT)
    running.signal(signal.SIGINT)
    assert running.wait(patience=2).status == 130


def test_an_ignored_hangup_stays_ignored(start, silent):
    """As `nohup` leaves it."""

    def ignore_hangup():
        no_core_dumps()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    running = start("stun", "--timeout", "1", uri(silent), limits=ignore_hangup)
    until(lambda: silent.received)
    running.signal(signal.SIGHUP)
    assert running.wait().status == 1


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_closed_pipe_is_no_crash(run, good, format_):
    reading, writing = os.pipe()
    os.close(reading)
    outcome = run("stun", "--format", format_, uri(good), stdout=writing)
    os.close(writing)
    assert outcome.status > 0 and outcome.status not in TAKEN, outcome.describe()


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_full_disk_is_said(run, good, format_):
    with open("/dev/full", "wb") as full:
        outcome = run("stun", "--format", format_, uri(good), stdout=full)
    assert outcome.status > 0 and outcome.status not in TAKEN, outcome.describe()
    assert len(outcome.errors.splitlines()) == 1, outcome.describe()


def test_without_descriptors_for_output_no_report_goes_into_a_socket(run, good):
    def close_outputs():
        no_core_dumps()
        os.close(1)
        os.close(2)

    outcome = run("stun", "--timeout", "2", uri(good), limits=close_outputs)
    assert outcome.status > 0 and outcome.status not in TAKEN, outcome.describe()
    for _, data, _ in good.received:
        assert parse(data).kind == BINDING_REQUEST


ENVIRONMENTS = {
    "nothing at all": {},
    "no HOME": {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    "LANG=C": {"PATH": "/usr/bin:/bin", "LANG": "C", "LC_ALL": "C"},
    "a locale that is not there": {"LC_ALL": "xx_YY.UTF-8"},
    "a time zone that is not there": {"TZ": "Nowhere/At_All"},
    "a hostile terminal": {"TERM": "\x1b[31m", "COLUMNS": "-5"},
    "no columns": {"COLUMNS": "0"},
    "endless columns": {"COLUMNS": "99999999999999999999"},
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_it_works_in_a_poor_environment(run, good, name):
    outcome = run("stun", uri(good), environment=ENVIRONMENTS[name], cwd="/")
    assert outcome.status == 0, outcome.describe()
    assert_safe(outcome)


def test_it_needs_no_directory_to_write_in_and_leaves_nothing(run, good, tmp_path):
    # /proc takes no files from anyone, root included.
    assert run("stun", uri(good), cwd="/proc").status == 0
    assert run("stun", uri(good), cwd=tmp_path).status == 0
    assert list(tmp_path.iterdir()) == []


def on_a_terminal(run, *arguments, environment):
    """What a terminal would have been given on standard output and standard error together."""
    primary, secondary = pty.openpty()
    collected = []

    def collect():
        while True:
            try:
                data = os.read(primary, 65536)
            except OSError:
                return
            if not data:
                return
            collected.append(data)

    reader = threading.Thread(target=collect, daemon=True)
    reader.start()
    outcome = run(*arguments, environment=environment, stdout=secondary, stderr=secondary)
    os.close(secondary)
    reader.join(timeout=5)
    os.close(primary)
    return outcome, b"".join(collected)


def test_no_color_is_respected_on_a_terminal(run, good, silent):
    environment = {"TERM": "xterm-256color", "NO_COLOR": "1"}
    arguments = ("stun", "--no-progress", "--timeout", "1", uri(good), uri(silent))
    outcome, shown = on_a_terminal(run, *arguments, environment=environment)
    assert outcome.status == 1, shown
    assert b"\x1b" not in shown, shown


def test_no_progress_in_a_pipe(run, good, silent):
    outcome = run("check", "--timeout", "1", uri(good), uri(silent))
    assert outcome.errors == b"", outcome.describe()
    assert b"\r" not in outcome.output and b"\x1b" not in outcome.output


def test_a_dumb_terminal_gets_no_escapes(run, good, silent):
    arguments = ("check", "--timeout", "1", uri(good), uri(silent))
    _, shown = on_a_terminal(run, *arguments, environment={"TERM": "dumb"})
    assert b"\x1b" not in shown, shown


def test_hostile_text_is_harmless_on_a_terminal_too(run):
    with serve("hostile-software") as server:
        environment = {"TERM": "xterm-256color", "NO_COLOR": "1"}
        _, shown = on_a_terminal(run, "stun", "--no-progress", uri(server), environment=environment)
    assert b"\x1b" not in shown and b"\x07" not in shown and b"\x08" not in shown and b"\xc2\x9b" not in shown


def test_twenty_servers_of_which_ten_never_answer(run):
    with ExitStack() as servers:
        started = [servers.enter_context(serve("good" if index % 2 else "silent")) for index in range(20)]
        uris = [uri(server) for server in started]
        outcome = run("check", "--format", "json", "--timeout", "3", *uris)
    answered = {entry["server"]: entry["ok"] for entry in outcome.report["stun"]}
    assert answered == {name: bool(index % 2) for index, name in enumerate(uris)}, outcome.describe()
    assert outcome.seconds <= 3.5, outcome.describe()
    assert outcome.peak_bytes < 40 * MEGABYTE, f"{outcome.peak_bytes / MEGABYTE:.1f} MB"


def test_many_runs_at_once_do_not_meet(start, good):
    running = [start("stun", "--format", "json", "--timeout", "5", uri(good)) for _ in range(16)]
    outcomes = [one.wait() for one in running]
    assert [outcome.status for outcome in outcomes] == [0] * 16, [one.describe() for one in outcomes if one.status]
    mapped = [outcome.report["stun"][0]["mappedAddress"] for outcome in outcomes]
    assert len(set(mapped)) == 16


@pytest.mark.parametrize("descriptors", [6, 12, 20])
def test_out_of_descriptors_is_said_and_no_crash(run, descriptors):
    def few_descriptors():
        no_core_dumps()
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    with ExitStack() as servers:
        uris = [uri(servers.enter_context(serve("good"))) for _ in range(30)]
        outcome = run("stun", "--format", "json", "--timeout", "3", *uris, limits=few_descriptors)
    assert outcome.status in (0, 1, 70), outcome.describe()
    if outcome.output:
        assert len(outcome.report["stun"]) == 30, outcome.describe()
    else:
        assert outcome.errors, outcome.describe()


def test_dry_run_sends_nothing(run, good):
    outcome = run("check", "--dry-run", uri(good))
    assert outcome.status == 0 and str(good.port) in outcome.text, outcome.describe()
    assert good.received == []
