"""What leaves the tool: harmless on a terminal, without secrets, and an honest status where it cannot be written."""

import os
import re
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from fakes.hostile import serve
from fakes.stunwire import BINDING_REQUEST, attribute, message
from harness.running import Running, assert_safe, no_core_dumps
from harness.terminal import COLOUR, ERASE, Terminal, screen
from labs.namespaces import Namespace

USAGE, CANNOT_WRITE = 64, 74
CANARY = "c4n4ry-S3cret"
UTF8 = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
PLAIN = {"PATH": os.environ["PATH"], "LANG": "C"}
XTERM = UTF8 | {"TERM": "xterm-256color"}

# ESC with a colour, BEL, backspace, DEL, CR, LF, C1's CSI, right-to-left override, zero-width space, U+2028.
HOSTILE = "\x1b[31m\x07\x08\x7f\r\n\u009b1m\u202e\u200b\u2028"


def uri(server):
    return f"stun:127.0.0.1:{server.port}"


@pytest.fixture
def good():
    with serve("good") as server:
        yield server


@pytest.fixture
def silent():
    with serve("silent") as server:
        yield server


# O01: escapes


@pytest.mark.parametrize(
    "arguments",
    [
        ["stun", HOSTILE],
        ["stun", f"stun:{HOSTILE}.test"],
        ["stun", f"stun:a.test:{HOSTILE}"],
        ["stun", f"turn:a.test?transport={HOSTILE}"],
        ["stun", f"stun:[fe80::1%25{HOSTILE}]"],
        ["stun", "--bind", HOSTILE, "stun:127.0.0.1"],
        ["stun", "--interface", HOSTILE, "stun:127.0.0.1"],
        ["stun", "--transport", HOSTILE, "stun:127.0.0.1"],
        ["stun", "--format", HOSTILE, "stun:127.0.0.1"],
        ["stun", "--timeout", HOSTILE, "stun:127.0.0.1"],
        ["stun", "--count", HOSTILE, "stun:127.0.0.1"],
        ["stun", "--ice-servers", HOSTILE],
        ["stun", f"--{HOSTILE}", "stun:127.0.0.1"],
        ["stun", f"-{HOSTILE[0]}", "stun:127.0.0.1"],
        ["serve", "--listen", HOSTILE],
        ["serve", "--port", HOSTILE],
        ["serve", HOSTILE],
        [HOSTILE],
    ],
    ids=lambda arguments: " ".join(arguments).replace(HOSTILE, "HOSTILE").replace(HOSTILE[0], "ESC"),
)
def test_what_the_user_typed_comes_back_harmless(run, arguments):
    outcome = run(*arguments, environment=UTF8)
    assert outcome.status == USAGE and outcome.output == b"", outcome.describe()
    assert len(outcome.errors.splitlines()) == 1, outcome.describe()
    assert_safe(outcome)


@pytest.mark.parametrize("argument", [b"\xff\xfe", b"stun:\xff", b"stun:a.test:\x9b", b"--\xff", b"stun:\xed\xa0\x80"])
def test_an_argument_that_is_no_text_is_refused(binary, argument):
    done = subprocess.run([binary, "stun", argument], capture_output=True, timeout=10)
    assert done.returncode == USAGE and done.stdout == b"", done
    assert len(done.stderr.splitlines()) == 1 and done.stderr.decode("utf-8").isprintable() is False, done
    assert not re.search(b"[\x00-\x09\x0b-\x1f\x7f]", done.stderr), done.stderr


@pytest.mark.parametrize("format_", ["text", "json"])
@pytest.mark.parametrize(
    "pasted",
    [
        HOSTILE,
        "stun:" + HOSTILE,
        "candidate:1 1 udp 1 192.0.2.1 9 typ host generation " + HOSTILE.replace("\n", "").replace("\r", ""),
        "v=0\r\ns=" + HOSTILE + "\r\na=ice-ufrag:" + HOSTILE + "\r\n",
        '{"urls": "stun:a.test", "username": "\\u001b[31m\\u202e"}',
        message(BINDING_REQUEST, b"0123456789ab", attribute(0x8022, HOSTILE.encode() + b"\xff")).hex(),
        message(BINDING_REQUEST, b"0123456789ab", attribute(0x0006, HOSTILE.encode()), attribute(0x0014, b"\x1b")).hex(),
    ],
    ids=["text", "uri", "candidate", "sdp", "ice-servers", "software", "username"],
)
def test_what_is_decoded_comes_back_harmless(run, tmp_path, format_, pasted):
    path = tmp_path / "pasted"
    path.write_bytes(pasted.encode())
    outcome = run("decode", "--format", format_, path, environment=UTF8)
    assert outcome.status in (0, 1), outcome.describe()
    assert_safe(outcome)


@pytest.mark.parametrize("format_", ["text", "json", "sdp"])
def test_the_name_of_an_interface_is_not_to_be_trusted(permitted, binary, format_):
    """Linux lets an interface be called anything without a slash or a space."""
    machine = Namespace("escapes")
    try:
        name = "e\x1b[31m\x07"
        machine.ip("link", "add", name, "type", "veth", "peer", "name", "peer0")
        machine.ip("link", "set", name, "up")
        machine.ip("link", "set", "peer0", "up")
        machine.ip("addr", "add", "10.89.0.1/24", "dev", name)
        command = [*machine.prefix(), binary, "candidates", "--format", format_]
        outcome = Running("ip", command, limits=no_core_dumps, environment=UTF8).wait()
    finally:
        machine.remove()
    assert outcome.status == 0 and b"10.89.0.1" in outcome.output, outcome.describe()
    assert_safe(outcome)


# O04: secrets


def without_canary(*outcomes):
    for outcome in outcomes:
        assert CANARY.encode() not in outcome.output + outcome.errors, outcome.describe()
        assert CANARY.encode().hex().encode() not in outcome.output + outcome.errors, outcome.describe()


@pytest.mark.parametrize("arguments", [["--password", CANARY], [f"--password={CANARY}"]], ids=["apart", "joined"])
def test_a_password_leaves_the_process_list(start, arguments):
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stdin:
        running = start("decode", *arguments, "-", stdin=stdin)
    command_line = Path(f"/proc/{running.process.pid}/cmdline")
    deadline = time.monotonic() + 2
    while b"decode" not in command_line.read_bytes() or CANARY.encode() in command_line.read_bytes():
        assert time.monotonic() < deadline, "the password can still be read in /proc"
        time.sleep(0.002)
    os.write(writing, b"stun:a.test")
    os.close(writing)
    outcome = running.wait()
    assert outcome.status == 0, outcome.describe()
    without_canary(outcome)


UNSIGNED = message(BINDING_REQUEST, b"0123456789ab", attribute(0x0006, b"user"), attribute(0x0008, b"\0" * 20)).hex()


@pytest.mark.parametrize("format_", ["text", "json"])
@pytest.mark.parametrize("pasted", [UNSIGNED, "stun:a.test", "nonsense", ""], ids=["message", "uri", "nonsense", "empty"])
def test_decoding_with_a_password_does_not_show_it(run, format_, pasted):
    by_argument = run("decode", "--format", format_, "--password", CANARY, "--", pasted)
    by_environment = run(
        "decode", "--format", format_, "--", pasted, environment=UTF8 | {"ICECHECK_TURN_PASSWORD": CANARY}
    )
    assert by_argument.status == by_environment.status == (0 if pasted == "stun:a.test" else 1), by_argument.describe()
    without_canary(by_argument, by_environment)


@pytest.mark.parametrize(
    "arguments",
    [
        ["decode", "--password", CANARY, "--format", "sdp", "x"],
        ["decode", "--password", CANARY, "--no-such-option", "x"],
        ["decode", "--password", CANARY, "--format", "yaml", "x"],
        ["decode", f"--password={CANARY}", "one", "two"],
        ["stun", "--password", CANARY, "stun:127.0.0.1"],
        ["stun", f"--password={CANARY}", "stun:127.0.0.1"],
        ["stun", f"turn:user:{CANARY}@a.test"],
        ["stun", f"turn://user:{CANARY}@a.test"],
        ["stun", f"turn:{CANARY}@a.test:0"],
    ],
    ids=lambda arguments: " ".join(arguments).replace(CANARY, "CANARY"),
)
def test_no_refusal_repeats_a_password(run, arguments):
    outcome = run(*arguments)
    assert outcome.status == USAGE and len(outcome.errors.splitlines()) == 1, outcome.describe()
    without_canary(outcome)


@pytest.mark.parametrize(
    "content",
    [
        f'[{{"urls": "turn:a.test", "username": "u", "credential": "{CANARY}"',
        f'[{{"urls": 7, "credential": "{CANARY}"}}]',
        f'[{{"urls": "stun:a.test", "credential": ["{CANARY}"]}}]',
        f'[{{"urls": "stun:a.test", "credential": "{CANARY}", "credential": "{CANARY}"}}]',
        f'[{{"urls": "turn:u:{CANARY}@a.test"}}]',
        f'[{{"urls": "stun:a.test", "credential": {CANARY}}}]',
        f'[{{"urls": "turn:a.test", "credentialType": "{CANARY}", "credential": "x"}}]',
    ],
    ids=["cut", "no-urls", "list", "twice", "in-uri", "unquoted", "as-type"],
)
def test_no_refusal_of_ice_servers_repeats_a_credential(run, tmp_path, content):
    path = tmp_path / "ice.json"
    path.write_text(content)
    refused = run("stun", "--ice-servers", path)
    assert refused.status == USAGE and len(refused.errors.splitlines()) == 1, refused.describe()
    decoded = [run("decode", "--format", format_, path) for format_ in ("text", "json")]
    without_canary(refused, *decoded)


@pytest.mark.parametrize("command", ["stun", "check", "candidates"])
def test_a_credential_reaches_neither_the_report_nor_the_wire(run, tmp_path, good, command):
    path = tmp_path / "ice.json"
    turn = f"turn:127.0.0.1:{good.port}?transport=udp"
    path.write_text(f'[{{"urls": ["{uri(good)}", "{turn}"], "username": "u", "credential": "{CANARY}"}}]')
    outcomes = [
        run(command, *more, "--timeout", "2", "--format", format_, "--ice-servers", path)
        for format_ in ("text", "json")
        for more in ([], ["--dry-run"])
    ]
    # A check asks for a relay with the credential, which this server has not.
    statuses = [1, 0, 1, 0] if command == "check" else [0] * 4
    assert [outcome.status for outcome in outcomes] == statuses, outcomes[0].describe()
    without_canary(*outcomes)
    assert good.received
    for _, data, _ in good.received:
        assert CANARY.encode() not in data


def test_a_decoded_configuration_hides_its_credential(run):
    content = f'{{"iceServers": [{{"urls": "turn:a.test", "username": "u", "credential": "{CANARY}"}}]}}'
    outcomes = [run("decode", "--format", format_, content) for format_ in ("text", "json")]
    assert [outcome.status for outcome in outcomes] == [0, 0], outcomes[0].describe()
    without_canary(*outcomes)


# O06: where the output goes


def commands(server):
    return {
        "stun": ["stun", uri(server)],
        "json": ["stun", "--format", "json", uri(server)],
        "check": ["check", "--timeout", "2", uri(server)],
        "candidates": ["candidates"],
        "sdp": ["candidates", "--format", "sdp"],
        "dry-run": ["check", "--dry-run", uri(server)],
        "decode": ["decode", uri(server)],
        "serve": ["serve", "--port", "0"],
    }


NAMES = ["stun", "json", "check", "candidates", "sdp", "dry-run", "decode", "serve"]


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_has_its_own_status(run, good, name):
    with open("/dev/full", "wb") as full:
        outcome = run(*commands(good)[name], stdout=full)
    assert outcome.status == CANNOT_WRITE, outcome.describe()
    assert len(outcome.errors.splitlines()) == 1 and b"No space left" in outcome.errors, outcome.describe()


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_that_has_gone_is_no_signal(run, good, name):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as stdout:
        outcome = run(*commands(good)[name], stdout=stdout)
    assert outcome.status == CANNOT_WRITE, outcome.describe()
    assert len(outcome.errors.splitlines()) == 1, outcome.describe()


@pytest.mark.parametrize("name", NAMES)
def test_a_closed_standard_output_is_an_output_that_cannot_be_written(run, good, name):
    def close_output():
        no_core_dumps()
        os.close(1)

    outcome = run(*commands(good)[name], limits=close_output)
    assert outcome.status == CANNOT_WRITE, outcome.describe()
    assert len(outcome.errors.splitlines()) == 1, outcome.describe()
    for _, data, _ in good.received:
        assert len(data) < 200, "a report went into a socket"


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_into_a_full_disk_is_no_crash(run, option):
    with open("/dev/full", "wb") as full:
        assert run(option, stdout=full).status >= 0


def test_a_refusal_keeps_its_status_where_it_cannot_be_told(run):
    with open("/dev/full", "wb") as full:
        assert run("stun", "stun:", stderr=full).status == USAGE


def test_progress_lives_on_the_terminal_and_leaves_nothing(run, good, silent):
    with Terminal() as terminal:
        arguments = ("check", "--timeout", "1", uri(good), uri(silent))
        outcome = run(*arguments, environment=XTERM, stderr=terminal.secondary)
    assert outcome.status == 1 and b"1 of 2 servers answered" in terminal.shown, terminal.shown
    assert [line for line in screen(terminal.shown) if line] == [], terminal.shown
    assert not COLOUR.search(terminal.shown)
    # The report went into a file: no colour, no live line.
    assert b"\x1b" not in outcome.output and b"\r" not in outcome.output, outcome.describe()


@pytest.mark.parametrize(
    "arguments, environment", [(["--no-progress"], XTERM), ([], UTF8 | {"TERM": "dumb"})], ids=["option", "dumb"]
)
def test_progress_can_be_absent_on_a_terminal(run, good, silent, arguments, environment):
    with Terminal() as terminal:
        outcome = run(
            "check", *arguments, "--timeout", "1", uri(good), uri(silent), environment=environment,
            stderr=terminal.secondary,
        )  # fmt: skip
    assert outcome.status == 1 and terminal.shown == b"", terminal.shown


def test_an_interrupted_run_clears_its_line_too(start, good, silent):
    with Terminal() as terminal:
        running = start("check", "--timeout", "20", uri(good), uri(silent), environment=XTERM, stderr=terminal.secondary)
        deadline = time.monotonic() + 10
        while b"servers answered" not in terminal.shown:
            assert time.monotonic() < deadline, terminal.shown
            time.sleep(0.005)
        running.signal(2)
        outcome = running.wait()
    assert outcome.status == 130 and outcome.output, outcome.describe()
    assert [line for line in screen(terminal.shown) if line] == [], terminal.shown


def test_colour_is_the_only_code_in_a_report_on_a_terminal(run, good, silent):
    with Terminal() as terminal:
        run("stun", "--timeout", "1", uri(good), uri(silent), environment=XTERM, stdout=terminal.secondary)
    assert COLOUR.search(terminal.shown), terminal.shown
    assert b"\x1b" not in COLOUR.sub(b"", terminal.shown).replace(ERASE, b""), terminal.shown


@pytest.mark.parametrize("columns", [1, 20, 40, 60, 100, 300])
def test_lines_fit_the_terminal(run, good, silent, columns):
    """Down to 40 columns; below that a table has no sense, and the terminal breaks the lines."""
    with Terminal(columns) as terminal:
        outcome = run("check", "--timeout", "1", uri(good), uri(silent), environment=XTERM, stdout=terminal.secondary)
    assert outcome.status == 1, outcome.describe()
    longest = max(screen(terminal.shown), key=len)
    assert len(longest.rstrip("\r")) <= max(columns, 40), longest


@pytest.mark.parametrize("width", [0, 1, 65535])
def test_a_terminal_of_a_senseless_width_is_no_crash(run, good, width):
    with Terminal(width) as terminal:
        outcome = run("check", "--timeout", "1", uri(good), environment=XTERM, stdout=terminal.secondary)
    assert outcome.status == 0 and terminal.shown, outcome.describe()


def test_a_terminal_that_goes_away_does_not_end_the_measurement(start, good, silent):
    with Terminal() as terminal:
        running = start("check", "--timeout", "1", uri(good), uri(silent), environment=XTERM, stderr=terminal.secondary)
    outcome = running.wait()
    assert outcome.status == 1 and outcome.output, outcome.describe()


@pytest.mark.parametrize("name", [*NAMES[:-1], "help"])
def test_in_the_c_locale_everything_is_ascii(run, good, name):
    with ExitStack() as servers:
        hostile = [servers.enter_context(serve(one)) for one in ("hostile-software", "hostile-reason")]
        arguments = {**commands(good), "help": ["--help"]}[name]
        if name in ("stun", "check"):
            arguments = [*arguments, *[uri(server) for server in hostile], "stun:bücher.invalid"]
        outcome = run(*arguments, environment=PLAIN)
    assert outcome.output and outcome.output.isascii() and outcome.errors.isascii(), outcome.describe()


def test_in_the_c_locale_a_refusal_is_ascii(run):
    outcome = run("stun", "stun:bücher!.test", environment=PLAIN)
    assert outcome.status == USAGE and outcome.errors.isascii(), outcome.describe()
