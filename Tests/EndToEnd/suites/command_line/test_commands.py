"""Every command as a user types it, against servers that run here, and read by others than icecheck."""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import zlib

import jsonschema
import pytest
from fakes.stunwire import (
    BINDING_REQUEST,
    BINDING_SUCCESS,
    MESSAGE_INTEGRITY,
    SOFTWARE,
    attribute,
    message,
    with_fingerprint,
    xor_mapped,
)
from harness.capture import await_capture
from harness.running import assert_safe
from harness.servers import ended_afterwards, free_port

TRANSACTION = b"0123456789ab"
USERNAME, REALM = 0x0006, 0x0014
ANSWER = with_fingerprint(message(BINDING_SUCCESS, TRANSACTION, xor_mapped(TRANSACTION, ("192.0.2.1", 5000))))
CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host"
CHANNEL_DATA = struct.pack("!HH", 0x4000, 4) + b"data"
SDP = "\r\n".join(
    [
        "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "m=audio 9 RTP/AVP 0", "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv", "a=" + CANDIDATE, "",
    ]
)  # fmt: skip
ICE_SERVERS = '{"iceServers": [{"urls": "stun:a.example"}]}'
COMMANDS = ["check", "candidates", "stun", "nat", "serve", "decode"]


# What a command says of itself.


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option_within_100_columns(run, command):
    outcome = run(command, "--help")
    assert outcome.status == 0 and outcome.errors == b"", outcome.describe()
    usage, _, rest = outcome.text.partition("USAGE: ")[2].partition("\n\n")
    assert max(map(len, rest.splitlines())) <= 100
    offered = set(re.findall(r"--[a-z][a-z0-9-]*", usage)) | {"--help", "--version"}
    for option in offered:
        entry = re.search(rf"^  (?:-\w, )?{option}(?: <[^>]+>)?(?:\s{{2,}}|\n\s{{10,}}| )(\w.*)$", rest, re.MULTILINE)
        assert entry, f"{option} of {command} has no explanation"


def test_help_of_the_whole_names_every_command(run):
    outcome = run("--help")
    assert outcome.status == 0
    assert all(re.search(rf"^  {command}\b", outcome.text, re.MULTILINE) for command in COMMANDS)


def test_version_is_one_line(run):
    outcome = run("--version")
    assert outcome.status == 0
    assert re.fullmatch(r"icecheck \d+\.\d+\.\d+\S*\n", outcome.text)


# Servers that are not ours, and ours.

WAYS = [("127.0.0.1", "udp"), ("127.0.0.1", "tcp"), ("[::1]", "udp"), ("[::1]", "tcp")]


@pytest.mark.parametrize("host, transport", WAYS)
def test_stun_is_answered_by_a_real_server(run, server, host, transport):
    outcome = run("stun", f"stun:{host}:{server}", "--transport", transport, "--format", "json")
    assert outcome.status == 0, outcome.describe()
    report = outcome.report
    assert report["verdict"]["ok"] is True
    (result,) = report["stun"]
    assert result["ok"] is True and result["transport"] == transport
    assert result["serverAddress"] == f"{host}:{server}"
    assert result["mappedAddress"].rpartition(":")[0] == host
    assert 0 < result["rttMs"] < 1000 and result["attempts"] == 1
    assert result["answeredFrom"] == result["serverAddress"]


def test_other_address_is_shown_in_text_and_json(run, server):
    uri = f"stun:127.0.0.1:{server}"
    (result,) = run("stun", uri, "--format", "json").report["stun"]
    assert result["otherAddress"] == f"127.0.0.2:{server + 1}"
    text = run("stun", uri)
    assert text.status == 0 and f"127.0.0.2:{server + 1}" in text.text


def test_coturn_names_itself(run, coturn):
    (result,) = run("stun", f"stun:127.0.0.1:{coturn}", "--format", "json").report["stun"]
    assert result["software"].startswith("Coturn")


def test_count_sends_that_many_and_loses_none_on_loopback(run, server):
    outcome = run("stun", f"stun:127.0.0.1:{server}", "--count", "20", "--format", "json")
    assert outcome.status == 0, outcome.describe()
    (result,) = outcome.report["stun"]
    assert result["attempts"] == 20
    series = result["statistics"]
    assert (series["sent"], series["received"], series["lossRatio"]) == (20, 20, 0)
    assert series["minMs"] <= series["medianMs"] <= series["maxMs"]


@pytest.mark.parametrize("form", ["localhost:{}", "stun:localhost:{}", "127.0.0.1:{}", "LOCALHOST.:{}"])
def test_a_server_is_found_in_the_form_that_people_type(run, served, form):
    outcome = run("stun", "-4", form.format(served), "--format", "json")
    assert outcome.status == 0, outcome.describe()
    assert [result["ok"] for result in outcome.report["stun"]] == [True]


@pytest.mark.parametrize("command", ["check", "candidates", "stun"])
def test_text_and_json_agree_and_json_fits_the_schema(run, served, command):
    dead = free_port(("127.0.0.1",))
    for uris, status in (([f"stun:127.0.0.1:{served}"], 0), ([f"stun:127.0.0.1:{dead}"], 1)):
        arguments = [command, *uris, "--timeout", "2"]
        text, parsed = run(*arguments), run(*arguments, "--format", "json")
        report = parsed.report
        assert text.status == parsed.status == (0 if report["verdict"]["ok"] else 1)
        assert report["verdict"]["ok"] is (status == 0), parsed.describe()
        assert text.text.startswith("✔" if status == 0 else "✘")
        for result in report["stun"]:
            assert result["serverAddress"] in text.text
            assert result["ok"] or result["error"]["message"] in " ".join(text.text.split())
        for finding in report["findings"]:
            assert f"[{finding['id']}]" in text.text
        for candidate in report.get("candidates", []):
            assert candidate["address"] in text.text
        assert_safe(text)


def test_candidate_lines_come_back_through_decode(run):
    outcome = run("candidates", "--format", "sdp")
    lines = outcome.text.splitlines()
    if not lines:
        pytest.skip("this machine has no address that a browser would offer")
    priorities = [int(line.split()[3]) for line in lines]
    assert priorities == sorted(set(priorities), reverse=True)
    decoded = run("decode", outcome.text, "--format", "json")
    assert decoded.status == 0, decoded.describe()
    parsed = json.loads(decoded.text)
    assert parsed["kind"] == "candidates" and parsed["isSound"] is True
    assert len(parsed["nodes"]) == len(lines)


# decode


KINDS = [
    ("stun-message", ANSWER.hex()),
    ("stun-message", base64.b64encode(ANSWER).decode()),
    ("stun-message", ANSWER),
    ("channel-data", CHANNEL_DATA),
    ("channel-data", CHANNEL_DATA.hex()),
    ("stream", ANSWER + CHANNEL_DATA + ANSWER),
    ("stream", (ANSWER + ANSWER).hex()),
    ("candidates", CANDIDATE),
    ("candidates", "a=" + CANDIDATE),
    ("sdp", SDP),
    ("uri", "stun:stun.example.org:19302"),
    ("uri", "turns:[2001:db8::1]?transport=tcp"),
    ("ice-servers", ICE_SERVERS),
]


# An argument is text, so that binary comes from a file or a pipe.
SOURCES = [
    pytest.param(way, kind, given, id=f"{way}-{number}-{kind}")
    for number, (kind, given) in enumerate(KINDS)
    for way in (["argument"] if isinstance(given, str) else []) + ["file", "stdin"]
]


@pytest.mark.parametrize("document", ["report", "decode"])
def test_the_schema_is_a_schema_and_passes_over_unknown_keys_where_it_is_open(run, document):
    for arguments, refuses in [([], False), (["--closed"], True)]:
        outcome = run("schema", document, *arguments)
        assert outcome.status == 0, outcome.describe()
        jsonschema.Draft202012Validator.check_schema(json.loads(outcome.text))
        assert ("additionalProperties" in outcome.text) == refuses


@pytest.mark.parametrize("way, kind, given", SOURCES)
def test_decode_knows_each_kind_from_wherever_it_comes(run, tmp_path, way, kind, given):
    plain = given.encode() if isinstance(given, str) else given
    path = tmp_path / "given"
    path.write_bytes(plain)
    with path.open("rb") as stdin:
        source = {"argument": given, "file": path, "stdin": "-"}[way]
        outcome = run("decode", source, "--format", "json", stdin=stdin)
    assert outcome.status == 0, outcome.describe()
    parsed = json.loads(outcome.text)
    assert parsed["schema"] == "icecheck/decode/1"
    jsonschema.validate(parsed, json.loads(run("schema", "decode", "--closed").text), jsonschema.Draft202012Validator)
    assert (parsed["kind"], parsed["isSound"], parsed["problems"]) == (kind, True, [])
    with path.open("rb") as stdin:
        text = run("decode", source, stdin=stdin)
    assert text.status == 0 and text.text.startswith("✔ ")
    assert_safe(text)


def problems(node):
    for problem in node.get("problems", []):
        yield problem
    for child in node.get("nodes", []) + node.get("children", []):
        yield from problems(child)


MALFORMED = [
    (ANSWER[:30].hex(), 2, "length"),
    (with_fingerprint(message(BINDING_SUCCESS, TRANSACTION), xor=1).hex(), 20, "s14.7"),
    (message(BINDING_SUCCESS, TRANSACTION, attribute(SOFTWARE, b"abcd", length=400)).hex(), 22, "RFC 8489 s14"),
    ("candidate:1 1 udp 99999999999 192.0.2.1 50000 typ host", 18, "priority"),
    ("stun:example.org:70000", 17, "port"),
    ("stun:", 5, "host"),
]


@pytest.mark.parametrize("given, offset, rule", MALFORMED, ids=[str(i) for i in range(len(MALFORMED))])
def test_decode_says_where_something_malformed_breaks_which_rule(run, given, offset, rule):
    outcome = run("decode", given, "--format", "json")
    assert outcome.status == 1, outcome.describe()
    parsed = json.loads(outcome.text)
    assert parsed["isSound"] is False
    found = list(problems(parsed))
    assert any(one.get("offset") == offset and rule in one["rule"] for one in found), found
    text = run("decode", given)
    assert text.status == 1 and text.text.startswith("✘ ") and f"0x{offset:04x}" in text.text


def signed(key, *attributes):
    """A request with MESSAGE-INTEGRITY (RFC 8489 s14.5), made without icecheck's codec."""
    plain = message(BINDING_REQUEST, TRANSACTION, *attributes)
    covered = plain[:2] + struct.pack("!H", len(plain) - 20 + 24) + plain[4:]
    return covered + attribute(MESSAGE_INTEGRITY, hmac.new(key, covered, hashlib.sha1).digest())


SHORT_TERM = signed(b"secret", attribute(USERNAME, b"ann"))
LONG_TERM = signed(
    hashlib.md5(b"ann:example.org:secret").digest(), attribute(USERNAME, b"ann"), attribute(REALM, b"example.org")
)


@pytest.mark.parametrize(
    "given, arguments, status",
    [
        (SHORT_TERM, ["--password", "secret"], 0),
        (SHORT_TERM, ["--password", "wrong"], 1),
        (LONG_TERM, ["--password", "secret"], 0),
        (LONG_TERM, ["--password", "secret", "--user", "ann", "--realm", "example.org"], 0),
        (LONG_TERM, ["--password", "secret", "--user", "bob"], 1),
        (LONG_TERM, ["--password", "secret", "--realm", "example.com"], 1),
        (LONG_TERM, ["--password", "wrong"], 1),
        (LONG_TERM, [], 0),
    ],
)
def test_decode_checks_the_integrity_that_it_is_asked_for(run, given, arguments, status):
    outcome = run("decode", given.hex(), *arguments)
    assert outcome.status == status, outcome.describe()
    assert "secret" not in outcome.text and "wrong" not in outcome.text


def test_the_password_comes_from_the_environment_as_well(run):
    for password, status in (("secret", 0), ("wrong", 1)):
        outcome = run("decode", SHORT_TERM.hex(), environment=os.environ | {"ICECHECK_TURN_PASSWORD": password})
        assert outcome.status == status, outcome.describe()


# tshark reads what we send.


def test_an_independent_dissector_finds_our_request_well_formed(run, tmp_path):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    path = tmp_path / "lo.pcapng"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        port = server.getsockname()[1]
        capture = subprocess.Popen(
            ["tshark", "-n", "-q", "-i", "lo", "-f", f"udp dst port {port}", "-c", "1", "-w", str(path)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with ended_afterwards(capture):
            await_capture(capture, path)
            outcome = run("stun", f"stun:127.0.0.1:{port}", "--timeout", "1")
            assert outcome.status == 1
            datagram = server.recv(2048)
            capture.wait(15)
    reading = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-d", f"udp.port=={port},stun", "-V"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert reading.returncode == 0, reading.stderr
    assert "Binding Request" in reading.stdout and "FINGERPRINT" in reading.stdout
    crc = (zlib.crc32(datagram[:-8]) ^ 0x5354554E) & 0xFFFFFFFF
    assert f"{crc:08x}" in reading.stdout.lower()
    for complaint in ("Malformed", "incorrect", "Bad", "Expert Info (Error"):
        assert complaint not in reading.stdout, reading.stdout
