"""Signals, closed outputs, poor environments and crowds: what the process does, beside what it reports."""

import json
import os
import resource
import signal
import socket
import time
from contextlib import ExitStack, closing
from datetime import datetime, timedelta, timezone

import pytest
from fakes.hostile import serve
from fakes.stunwire import BINDING_REQUEST, parse
from harness.running import assert_safe, no_core_dumps
from harness.terminal import Terminal

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
    outcome = running.wait()
    assert outcome.status == status, outcome.describe()
    assert outcome.after_signal < 1.5, outcome.describe()
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


class Unread:
    """A pipe that is full, so that whoever writes into it waits."""

    def __enter__(self):
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.writing, False)
        try:
            while True:
                os.write(self.writing, b"." * 4096)
        except BlockingIOError:
            os.set_blocking(self.writing, True)
        return self.writing

    def __exit__(self, *_):
        os.close(self.reading)
        os.close(self.writing)


def is_writing(running):
    """Whether it sleeps in the system call that writes (write is 1 on x86-64 and 64 on AArch64)."""
    with open(f"/proc/{running.process.pid}/syscall") as system_call:
        return system_call.read().split()[:2] in (["1", "0x1"], ["64", "0x1"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_even_where_nobody_reads(start, silent, number):
    with Unread() as pipe:
        running = start("stun", "--timeout", "20", uri(silent), stdout=pipe)
        until(lambda: silent.received)
        running.signal(number)
        until(lambda: is_writing(running))
        running.signal(number)
        outcome = running.wait(patience=5)
    assert outcome.status == 128 + number and outcome.after_signal < 0.5, outcome.describe()


def test_a_signal_ends_a_report_that_nobody_reads(start, good):
    with Unread() as pipe:
        running = start("stun", uri(good), stdout=pipe)
        until(lambda: is_writing(running))
        running.signal(signal.SIGINT)
        outcome = running.wait(patience=5)
    assert outcome.status == 130, outcome.describe()


@pytest.mark.parametrize("pause", [1.0, 2.5])
def test_a_suspended_run_ends_by_its_deadline_or_when_it_wakes(start, good, silent, pause):
    """P04: as a laptop that sleeps. What was measured before is reported."""
    running = start("stun", "--format", "json", "--timeout", "2", uri(good), uri(silent))
    until(lambda: good.received and len(silent.received) > 1)
    running.signal(signal.SIGSTOP)
    time.sleep(pause)
    running.signal(signal.SIGCONT)
    outcome = running.wait()
    assert outcome.status == 1 and outcome.unhindered <= max(2, pause + 1) + 0.5, outcome.describe()
    assert [entry["ok"] for entry in outcome.report["stun"]] == [True, False], outcome.describe()


def test_an_answer_that_waits_while_the_run_is_suspended_is_timed_by_its_arrival(start):
    """The kernel stamps it: the round trip is the network's, not the sleep's."""
    with serve("late-reply") as server:
        running = start("stun", "--format", "json", "--timeout", "3", uri(server))
        until(lambda: server.received)
        running.signal(signal.SIGSTOP)
        time.sleep(1.5)
        running.signal(signal.SIGCONT)
        outcome = running.wait()
    [entry] = outcome.report["stun"]
    assert entry["ok"], outcome.describe()
    if entry.get("rttClock") == "kernel":
        assert 600 <= entry["rttMs"] <= 900 + outcome.stalled * 1000, outcome.describe()


def test_times_are_utc_whatever_the_zone(run, good):
    outcome = run("stun", "--format", "json", uri(good), environment={"TZ": "Asia/Kathmandu"})
    started = datetime.fromisoformat(outcome.report["startedAt"].replace("Z", "+00:00"))
    assert outcome.report["startedAt"].endswith("Z"), outcome.describe()
    assert abs(datetime.now(timezone.utc) - started) < timedelta(minutes=1), outcome.describe()


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
    with Terminal() as terminal:
        outcome = run(*arguments, environment=environment, stdout=terminal.secondary, stderr=terminal.secondary)
    return outcome, terminal.shown


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
    assert outcome.unhindered <= 3.5, outcome.describe()
    assert outcome.peak_bytes < 40 * MEGABYTE, f"{outcome.peak_bytes / MEGABYTE:.1f} MB"


def test_many_runs_at_once_do_not_meet(start, good):
    running = [start("stun", "--format", "json", "--timeout", "5", uri(good)) for _ in range(20)]
    outcomes = [one.wait() for one in running]
    assert [outcome.status for outcome in outcomes] == [0] * 20, [one.describe() for one in outcomes if one.status]
    mapped = [outcome.report["stun"][0]["mappedAddress"] for outcome in outcomes]
    assert len(set(mapped)) == 20


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


def many_uris(port, count=300):
    return [f"stun:127.0.{1 + number // 200}.{1 + number % 200}:{port}" for number in range(count)]


@pytest.fixture
def everywhere():
    """A socket that takes what is sent to any address of this machine, and answers nothing."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        listener.bind(("0.0.0.0", 0))
        group = socket.inet_aton("224.0.0.251") + socket.inet_aton("127.0.0.1")
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        listener.setblocking(False)
        yield listener


def drain(listener):
    count = 0
    try:
        while True:
            listener.recv(65535)
            count += 1
    except BlockingIOError:
        return count


@pytest.mark.parametrize("command", ["stun", "check"])
def test_three_hundred_silent_servers_end_in_time(run, tmp_path, everywhere, command):
    """P08, P09: 256 of them are asked, and that the others are not is said."""
    path = tmp_path / "ice.json"
    names = many_uris(everywhere.getsockname()[1])
    path.write_text(json.dumps([{"urls": name} for name in names]))
    outcome = run(command, "--format", "json", "--timeout", "3", "--ice-servers", path)
    assert outcome.status == 1 and outcome.unhindered <= 3.5, f"{outcome.status} in {outcome.seconds} s"
    assert outcome.peak_bytes < 100 * MEGABYTE, f"{outcome.peak_bytes / MEGABYTE:.1f} MB"
    entries = [entry for entry in outcome.report["stun"] if entry["transport"] == "udp"]
    assert [entry["server"] for entry in entries] == names[:256]
    assert not any(entry["ok"] for entry in entries)
    assert "44 more servers" in json.dumps(outcome.report["notMeasured"]), outcome.report["notMeasured"]


def test_one_server_under_many_names_is_not_flooded(run, tmp_path):
    """A burst of 40, then 50 a second, however often a configuration names the same address."""
    with serve("silent") as server:
        path = tmp_path / "ice.json"
        path.write_text(json.dumps([{"urls": f"stun:127.0.0.1:{server.port}"}] * 256))
        outcome = run("stun", "--format", "json", "--timeout", "2", "--ice-servers", path)
        received = len(server.received)
    assert outcome.status == 1 and outcome.unhindered <= 2.5, outcome.describe()
    assert 40 <= received <= 40 + 50 * 2 + 10, f"{received} datagrams"


def test_a_dry_run_shows_what_a_run_would_do(run, tmp_path, everywhere):
    path = tmp_path / "ice.json"
    names = many_uris(everywhere.getsockname()[1])
    path.write_text(json.dumps([{"urls": name} for name in names]))
    as_text = run("check", "--dry-run", "--ice-servers", path)
    as_json = run("check", "--dry-run", "--format", "json", "--ice-servers", path)
    assert (as_text.status, as_json.status) == (0, 0), as_json.describe()
    plan = json.loads(as_json.text)
    assert [one["server"] for one in plan["servers"]] == names[:256]
    assert all(one["requests"] > 0 for one in plan["servers"])
    assert all(name in as_text.text for name in names[:256]) and "44 more servers" in as_text.text
    assert drain(everywhere) == 0


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]], ids=["run", "dry-run"])
@pytest.mark.parametrize(
    "address, realm",
    [
        ("224.0.0.251", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("0.0.0.0", "unspecified"),
        ("[::]", "unspecified"),
        ("[ff02::fb]", "multicast"),
        ("[::ffff:224.0.0.251]", "multicast"),
        ("[::ffff:0.0.0.0]", "unspecified"),
        ("[64:ff9b::e000:fb]", "multicast"),
    ],
)
def test_what_is_no_address_of_a_server_is_refused(run, tmp_path, everywhere, good, address, realm, arguments):
    """P09: not even beside a server that is right, as a hostile configuration would have it."""
    name = f"stun:{address}:{everywhere.getsockname()[1]}"
    path = tmp_path / "ice.json"
    path.write_text(json.dumps([{"urls": uri(good)}, {"urls": name}]))
    for servers in ([name], ["--ice-servers", path]):
        outcome = run("check", *arguments, *servers)
        assert outcome.status == 64 and outcome.output == b"", outcome.describe()
        assert len(outcome.errors.splitlines()) == 1 and realm.encode() in outcome.errors, outcome.describe()
    assert drain(everywhere) == 0 and good.received == []


def test_a_broadcast_address_of_loopback_gets_nothing(run, everywhere):
    """It cannot be told from a host's by its form; the system refuses it to whoever did not ask for broadcasts."""
    outcome = run("stun", "--format", "json", "--timeout", "1", f"stun:127.255.255.255:{everywhere.getsockname()[1]}")
    [entry] = outcome.report["stun"]
    assert (outcome.status, entry["ok"], entry["attempts"]) == (1, False, 0), outcome.describe()
    assert drain(everywhere) == 0
