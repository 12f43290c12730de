"""`icecheck connect`: two ends on this machine, brought together in every way that there is."""

import json
import os
import re
import shlex
import signal
import subprocess
import time

import pytest
from harness.running import UNSAFE_TEXT, found_binary
from harness.stopwatch import Stopwatch
from harness.terminal import Terminal

LOCAL = ("--bind", "127.0.0.1", "--timeout", "20", "--duration", "0.2")


@pytest.fixture
def end():
    """Starts one end; what is left of it when the test is over is ended."""
    started = []

    def start(*options, local=LOCAL, **streams):
        settings = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        process = subprocess.Popen([str(found_binary()), "connect", *local, *options], **settings)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def command(*options):
    return shlex.join([str(found_binary()), "connect", *LOCAL, *options])


def report(path):
    return json.loads(path.read_text())


def pasted(one, two):
    """Brings each end's line to the other, and gives both lines."""
    lines = [end.stdout.readline() for end in (one, two)]
    for process, line in ((one, lines[1]), (two, lines[0])):
        process.stdin.write(line)
        process.stdin.flush()
    return lines


def test_two_ends_connect_by_their_lines(end, tmp_path):
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    ends = [end("--format", "json", "--output", str(file)) for file in files]
    lines = pasted(*ends)
    assert [process.wait(30) for process in ends] == [0, 0]
    reports = [report(file) for file in files]
    assert {entry["connect"]["role"] for entry in reports} == {"controlling", "controlled"}
    for entry in reports:
        connect = entry["connect"]
        assert entry["verdict"]["ok"] and connect["connected"]
        assert connect["data"]["method"] == "echo" and connect["data"]["sent"] == 10
        assert connect["data"]["rttMs"]["min"] > 0
        assert [pair["state"] for pair in connect["pairs"] if pair["selected"]] == ["succeeded"]
        assert connect["consent"] == "kept"
    assert all(line.startswith(b"icecheck1:") for line in lines)


def test_a_command_leads_to_the_other_end(end, tmp_path):
    there = tmp_path / "there.json"
    other = command("--stdio", "--format", "json", "--output", str(there))
    outcome = end("--via", other, stdin=subprocess.DEVNULL)
    shown, errors = outcome.communicate(timeout=30)
    assert outcome.returncode == 0, errors
    assert "Connected" in shown.decode().splitlines()[0]
    assert not UNSAFE_TEXT.search(shown.decode())
    assert report(there)["connect"]["connected"]
    assert not re.search(rb"icecheck1:", shown)


def test_a_command_that_fails_ends_the_run(end):
    watch = Stopwatch()
    outcome = end("--via", "exit 7", stdin=subprocess.DEVNULL)
    shown, errors = outcome.communicate(timeout=30)
    assert outcome.returncode == 1
    assert watch.unhindered < 5
    assert b"status 7" in errors
    assert b"peer-not-heard" in shown


@pytest.mark.parametrize("kind", ["file", "fifo"])
def test_files_lead_to_the_other_end(end, tmp_path, kind):
    one, two = tmp_path / "one", tmp_path / "two"
    if kind == "fifo":
        os.mkfifo(one)
        os.mkfifo(two)
    first = end("--send", str(one), "--receive", str(two), stdin=subprocess.DEVNULL)
    second = end("--send", str(two), "--receive", str(one), stdin=subprocess.DEVNULL)
    outputs = [process.communicate(timeout=30) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], outputs
    if kind == "file":
        assert list(tmp_path.iterdir()) == []  # The lines hold passwords.


@pytest.mark.parametrize("offerer", ["here", "there"])
def test_sdp_connects_with_dtls(end, tmp_path, offerer):
    there = tmp_path / "there.json"
    far = ("--sdp",) if offerer == "there" else ("--sdp", "--answer")
    near = ("--sdp", "--answer") if offerer == "there" else ("--sdp",)
    other = command(*far, "--stdio", "--format", "json", "--output", str(there))
    outcome = end(*near, "--via", other, "--format", "json", stdin=subprocess.DEVNULL)
    shown, errors = outcome.communicate(timeout=30)
    assert outcome.returncode == 0, errors
    sides = [json.loads(shown)["connect"], report(there)["connect"]]
    assert {side["dtls"]["role"] for side in sides} == {"client", "server"}
    for side, other_side in zip(sides, reversed(sides)):
        assert side["dtls"]["secured"] and side["dtls"]["version"] == "DTLSv1.2"
        assert side["dtls"]["shownFingerprint"] == side["dtls"]["signaledFingerprint"]
        assert side["data"]["method"] == "binding"
    assert sides[0]["dtls"]["shownFingerprint"] != sides[1]["dtls"]["shownFingerprint"]


def test_a_changed_fingerprint_is_refused(end):
    one, two = end("--sdp"), end("--sdp", "--answer")
    offer = json.loads(one.stdout.readline())
    wrong = re.sub("(fingerprint:sha-256 )..", lambda found: found[1] + "00", offer["sdp"])
    assert wrong != offer["sdp"]
    two.stdin.write(json.dumps(offer | {"sdp": wrong}).encode() + b"\n")
    two.stdin.flush()
    one.stdin.write(two.stdout.readline())
    one.stdin.flush()
    shown, _ = two.communicate(timeout=30)
    assert two.returncode == 1
    assert b"another certificate" in shown and b"connection-not-secured" in shown


def test_a_wrong_line_is_told_and_the_right_one_still_taken(end):
    one, two = end(), end()
    lines = [process.stdout.readline() for process in (one, two)]
    one.stdin.write(b"hello\x1b[31m\n" + lines[0] + lines[1][:60] + b"\n" + lines[1])
    one.stdin.flush()
    two.stdin.write(lines[0])
    two.stdin.flush()
    shown, errors = one.communicate(timeout=30)
    two.communicate(timeout=30)
    assert [one.returncode, two.returncode] == [0, 0], errors
    told = errors.decode()
    assert not UNSAFE_TEXT.search(told)
    assert "is not the other side's line" in told and "your own line" in told and "copy it whole" in told
    assert "signaling-unusable" in shown.decode()


def test_a_wrapped_line_is_put_together(end):
    one, two = end(), end()
    lines = [process.stdout.readline() for process in (one, two)]
    one.stdin.write(lines[1][:50] + b"\r\n" + lines[1][50:])
    one.stdin.flush()
    two.stdin.write(lines[0])
    two.stdin.flush()
    outputs = [process.communicate(timeout=30) for process in (one, two)]
    assert [one.returncode, two.returncode] == [0, 0], outputs


def test_no_peer_is_an_end_in_time(end):
    watch = Stopwatch()
    outcome = end(local=("--bind", "127.0.0.1", "--timeout", "1"))
    outcome.stdout.readline()
    shown = outcome.stdout.read()
    assert outcome.wait(10) == 1
    assert watch.unhindered < 3
    assert b"peer-not-heard" in shown


def test_input_that_ends_is_an_end_at_once(end):
    watch = Stopwatch()
    outcome = end(stdin=subprocess.DEVNULL)
    shown, _ = outcome.communicate(timeout=30)
    assert outcome.returncode == 1 and watch.unhindered < 5
    assert b"channel ended" in shown


def test_a_killed_peer_does_not_hold_the_other(end):
    local = ("--bind", "127.0.0.1", "--timeout", "20", "--duration", "2")
    one, two = end(local=local), end(local=local)
    pasted(one, two)
    time.sleep(0.7)
    two.kill()
    watch = Stopwatch()
    shown, _ = one.communicate(timeout=30)
    assert watch.unhindered < 10
    assert b"pair-loses-data" in shown


def test_a_signal_ends_it_with_a_report(end):
    outcome = end()
    outcome.stdout.readline()
    outcome.send_signal(signal.SIGTERM)
    watch = Stopwatch()
    # Its input stays open: the end of that is another reason to end.
    shown = outcome.stdout.read()
    assert outcome.wait(30) == 143 and watch.unhindered < 3
    assert b"Interrupted" in shown


def test_all_pairs_and_throughput(end, tmp_path):
    there = tmp_path / "there.json"
    options = ("--all-pairs", "--throughput", "--tcp", "--format", "json")
    outcome = end("--via", command("--stdio", *options, "--output", str(there)), *options, stdin=subprocess.DEVNULL)
    shown, errors = outcome.communicate(timeout=30)
    assert outcome.returncode == 0, errors
    connect = json.loads(shown)["connect"]
    assert all(pair["state"] in ("succeeded", "failed") for pair in connect["pairs"])
    assert connect["throughput"]["sentBitsPerSecond"] > 100_000
    assert connect["throughput"]["receivedBitsPerSecond"] > 100_000


def test_a_forced_kind_that_is_not_there_fails(end):
    other = command("--stdio", "--force", "relay")
    outcome = end("--via", other, "--force", "relay", stdin=subprocess.DEVNULL)
    shown, _ = outcome.communicate(timeout=30)
    assert outcome.returncode == 1
    assert b"Not connected" in shown


def test_passwords_are_in_no_report(end, tmp_path):
    file = tmp_path / "report.json"
    one, two = end("--sdp", "--format", "json", "--output", str(file)), end("--sdp", "--answer")
    offer = one.stdout.readline()
    two.stdin.write(offer)
    two.stdin.flush()
    answer = two.stdout.readline()
    one.stdin.write(answer)
    one.stdin.flush()
    shown, _ = two.communicate(timeout=30)
    assert one.wait(30) == 0
    for text in (offer, answer):
        password = re.search(r"ice-pwd:(\S+)", json.loads(text)["sdp"])[1]
        assert password not in file.read_text() and password not in shown.decode()


def test_a_line_longer_than_a_terminals_is_pasted_whole(end):
    with Terminal() as terminal:
        there = end("--sdp", "--answer", stdin=terminal.secondary, stderr=subprocess.PIPE)
        here = end("--sdp")
        assert b"paste the other end's offer" in there.stderr.readline()
        offer = json.loads(here.stdout.readline())
        # Longer than what a terminal gives as one line.
        offer["sdp"] += "a=x-filling:" + "x" * 6000 + "\r\n"
        line = json.dumps(offer).encode() + b"\n"
        for start in range(0, len(line), 512):
            os.write(terminal.primary, line[start : start + 512])
        here.stdin.write(there.stdout.readline())
        here.stdin.flush()
        outputs = [process.communicate(timeout=30) for process in (there, here)]
        assert [there.returncode, here.returncode] == [0, 0], outputs


def test_a_terminal_shows_the_check_list_as_it_evolves_and_nothing_of_it_in_the_end(end):
    with Terminal() as terminal:
        one = end("--via", command("--stdio"), "--duration", "0.5", stderr=terminal.secondary)
        shown, _ = one.communicate(timeout=30)
    drawn = terminal.shown.decode()
    assert one.returncode == 0 and shown.startswith("\u2714 Connected".encode())
    assert re.search(r"measuring: \d+ of \d+ pairs work, \d+ of \d+ datagrams back\r?\n\* .*: succeeded", drawn), drawn
    # Each drawing is taken back by as many lines as it had.
    drawings = drawn.split("\x1b[J")
    assert drawings[-1].strip() == "", drawings[-1]


@pytest.mark.parametrize(
    "options",
    [
        ("--answer",),
        ("--force", "everything"),
        ("--via", "true", "--stdio"),
        ("--send", "a"),
        ("--send", "a", "--receive", "a"),
        ("--duration", "0"),
        ("--format", "sdp"),
        ("turn:127.0.0.1",),
    ],
    ids=lambda options: " ".join(options),
)
def test_what_makes_no_sense_is_refused_with_the_right_form(end, options):
    outcome = end(*options, local=("--bind", "127.0.0.1"), stdin=subprocess.DEVNULL)
    shown, errors = outcome.communicate(timeout=30)
    assert outcome.returncode == 64 and shown == b""
    assert errors.startswith(b"icecheck: ") and errors.count(b"\n") == 1


def test_a_dry_run_sends_nothing(end):
    outcome = end("--dry-run", stdin=subprocess.DEVNULL)
    shown, _ = outcome.communicate(timeout=30)
    assert outcome.returncode == 0 and b"nothing was sent" in shown and b"icecheck1:" not in shown
