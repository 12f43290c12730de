"""Bad input: one line with the place and the right form, exit 64, and nothing sent."""

import json

import pytest
from fakes.hostile import serve
from harness.running import assert_safe

USAGE = 64
MEGABYTE = 1 << 20


def refused(outcome, *mentions):
    assert outcome.status == USAGE, outcome.describe()
    assert outcome.output == b"", outcome.describe()
    lines = outcome.errors.decode("utf-8").splitlines()
    assert len(lines) == 1, outcome.describe()
    assert len(lines[0]) < 1000, "a line that repeats its input without end"
    for mention in mentions:
        assert mention.lower() in lines[0].lower(), f"{mention!r} is not in: {lines[0]}"
    assert outcome.unhindered < 2 and outcome.peak_bytes < 100 * MEGABYTE, outcome.describe()
    assert_safe(outcome)


@pytest.mark.parametrize(
    "uri, mention",
    [
        ("stun:127.0.0.1:0", "0"),
        ("stun:127.0.0.1:70000", "70000"),
        ("stun:127.0.0.1:", "port"),
        ("stun:127.0.0.1:port", "port"),
        ("stun:127.0.0.1:99999999999999999999", "port"),
        ("stun:127.0.0.1:-1", "port"),
        ("stun:127.0.0.1?transport=udp", "transport"),
        ("stun:127.0.0.1:3478?transport=tcp", "transport"),
        ("stun:", "stun:"),
        ("stun:127.0.0.1:3478/path", "/path"),
        ("stun:user@127.0.0.1", "user"),
        ("stun:[::1", "["),
        ("stun:[127.0.0.1]", "["),
        ("stun:::1", "stun:"),
        ("stun:[::gggg]:3478", "::gggg"),
        ("stun:127.0.0.1:3478#fragment", "#"),
        ("stun:exa mple.invalid", "stun:"),
        ("stun:exa\x00mple.invalid".replace("\x00", "%00"), "stun:"),
        ("stun:\x1b[31m.invalid", "stun:"),
        ("stun:" + "a" * 64 + ".invalid", "63"),
        ("stun:" + "a." * 127 + "aa", "stun:"),
        ("stun://127.0.0.1:3478", "stun:"),
        ("http://127.0.0.1/", "stun:"),
        ("turn:127.0.0.1?transport=sctp", "sctp"),
        ("", ""),
    ],
)
def test_a_wrong_uri_is_refused(run, uri, mention):
    refused(run("stun", uri), mention)


@pytest.mark.parametrize(
    "arguments, mention",
    [
        (["stun", "--transport", "carrier-pigeon", "stun:127.0.0.1"], "transport"),
        (["stun", "--timeout", "-1", "stun:127.0.0.1"], "timeout"),
        (["stun", "--timeout", "0", "stun:127.0.0.1"], "timeout"),
        (["stun", "--timeout", "1e308", "stun:127.0.0.1"], "timeout"),
        (["stun", "--timeout", "nan", "stun:127.0.0.1"], "timeout"),
        (["stun", "--count", "0", "stun:127.0.0.1"], "count"),
        (["stun", "--count", "99999999999999999999", "stun:127.0.0.1"], "count"),
        (["stun", "--format", "yaml", "stun:127.0.0.1"], "format"),
        (["stun", "--bind", "not-an-address", "stun:127.0.0.1"], "bind"),
        (["stun", "--interface", "", "stun:127.0.0.1"], "interface"),
        (["stun", "-4", "-6", "stun:127.0.0.1"], "-4"),
        (["stun", "--no-such-option", "stun:127.0.0.1"], "--no-such-option"),
    ],
)
def test_a_wrong_option_is_refused(run, arguments, mention):
    refused(run(*arguments), mention)


def nested(depth):
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "name, content, mention",
    [
        ("no-json", "stun:127.0.0.1", "1"),
        ("cut", '[{"urls": "stun:127.0.0.1"', "1"),
        ("empty", "", "line 1"),
        ("no-urls", '[{"username": "u"}]', "urls"),
        ("urls-is-a-number", '[{"urls": 7}]', "urls"),
        ("urls-is-empty", '[{"urls": []}]', "urls"),
        ("urls-holds-a-number", '[{"urls": ["stun:127.0.0.1", 7]}]', "urls"),
        ("a-number", "7", "iceServers"),
        ("a-string", '"stun:127.0.0.1"', "iceServers"),
        ("wrong-uri-inside", '[{"urls": ["stun:127.0.0.1", "stun:127.0.0.1:70000"]}]', "70000"),
        ("query-on-stun-inside", '[{"urls": "stun:127.0.0.1?transport=udp"}]', "transport"),
        ("second-server-wrong", '[{"urls": "stun:127.0.0.1"}, {}]', "[1]"),
        ("deep", nested(100_000), "nested"),
        ("deep-object", '{"a":' * 100_000, "nested"),
        ("duplicate-urls", '[{"urls": "stun:127.0.0.1", "urls": "stun:127.0.0.2"}]', "twice"),
        ("lone-surrogate", '[{"urls": "stun:\\ud800"}]', ""),
        ("nul", '[{"urls": "stun:127.0.0.1\\u0000"}]', ""),
        ("control-in-uri", '[{"urls": "stun:\\u001b[31m"}]', ""),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "content",
)
def test_wrong_ice_servers_are_refused(run, tmp_path, name, content, mention):
    path = tmp_path / "ice.json"
    path.write_text(content)
    refused(run("stun", "--ice-servers", path), mention)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00\x01",
        b'[{"urls": "stun:\xff\xff"}]',
        b"\x00" * 100,
        b"x" * (10 * MEGABYTE),
        b'[{"urls": "stun:' + b"a" * (10 * MEGABYTE) + b'"}]',
    ],
    ids=["binary", "invalid-utf8", "nuls", "10-MB-line", "10-MB-name"],
)
def test_what_is_no_text_is_refused(run, tmp_path, content):
    path = tmp_path / "ice.json"
    path.write_bytes(content)
    refused(run("stun", "--ice-servers", path), "ice.json")


@pytest.mark.parametrize("path", ["/nonexistent/ice.json", "/", "/dev/full/x"])
def test_a_file_that_cannot_be_read_is_refused(run, path):
    refused(run("stun", "--ice-servers", path), path)


def test_ice_servers_come_from_standard_input_too(run, tmp_path):
    path = tmp_path / "ice.json"
    path.write_text("not json")
    with path.open("rb") as stdin:
        refused(run("stun", "--ice-servers", "-", stdin=stdin), "1")


def test_an_endless_input_is_refused(run):
    with open("/dev/zero", "rb") as stdin:
        refused(run("stun", "--ice-servers", "-", stdin=stdin))


@pytest.mark.parametrize(
    "shape",
    [
        lambda uri: [{"urls": uri}],
        lambda uri: [{"urls": [uri], "username": "u", "credential": "c"}],
        lambda uri: {"iceServers": [{"urls": uri}]},
        lambda uri: {"urls": [uri]},
    ],
)
def test_ice_servers_in_every_shape_that_providers_hand_out(run, tmp_path, shape):
    with serve("good") as server:
        path = tmp_path / "ice.json"
        path.write_text("\ufeff" + json.dumps(shape(f"stun:127.0.0.1:{server.port}")), encoding="utf-8")
        outcome = run("stun", "--format", "json", "--ice-servers", path)
    assert outcome.status == 0, outcome.describe()
    assert [entry["ok"] for entry in outcome.report["stun"]] == [True]


@pytest.mark.parametrize("host", ["-h", "--help", "@file", "$(id)", "`id`", ";id", "|id", "%s%n", "../../etc/passwd"])
def test_a_name_is_data(run, host):
    refused(run("stun", "--", f"stun:{host}"))


@pytest.mark.parametrize("host", ["-h", "--version"])
def test_after_two_dashes_nothing_is_an_option(run, host):
    refused(run("stun", "--", host))


def test_a_name_that_does_not_resolve_is_one_entry(run):
    with serve("good") as server:
        good = f"stun:127.0.0.1:{server.port}"
        outcome = run("stun", "--format", "json", "--timeout", "3", "stun:nothing.invalid", good)
    entries = outcome.report["stun"]
    missing = [entry for entry in entries if entry["server"] == "stun:nothing.invalid"]
    assert outcome.status == 1 and outcome.unhindered <= 3.5, outcome.describe()
    assert [entry["error"]["kind"] for entry in missing] == ["name-not-resolved"], outcome.describe()
    assert [entry["ok"] for entry in entries if entry["server"] == good] == [True], outcome.describe()
    assert_safe(outcome)


def test_an_interface_that_is_not_there_is_named(run):
    outcome = run("stun", "--timeout", "2", "--interface", "nosuchif0", "stun:127.0.0.1")
    assert outcome.status in (1, USAGE) and outcome.unhindered <= 2.5, outcome.describe()
    assert b"nosuchif0" in outcome.output + outcome.errors, outcome.describe()


def test_a_bare_host_works_as_typed(run):
    with serve("good") as server:
        assert run("stun", f"127.0.0.1:{server.port}").status == 0
