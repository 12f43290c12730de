"""Each fault of the catalogue against the real binary: what it concludes, how it says so, and that it ends.

The table says for each behaviour of the hostile server what `icecheck stun` must report. Where the catalogue leaves
the word open, a set of error kinds is given.
"""

import json
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from fakes.hostile import BEHAVIOURS, serve
from fakes.hostile_datagrams import ERROR_CODES, HOSTILE_TEXT
from harness.addresses import FALSE_ADDRESS
from harness.running import assert_safe
from harness.seeds import SEED

TIMEOUT = 2
SLACK = 0.5
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Expected:
    """`kinds` empty means a good answer."""

    kinds: frozenset = frozenset()
    ignored: frozenset = frozenset()
    code: int | None = None
    says: str = ""
    within: float = TIMEOUT + SLACK
    also: list = field(default_factory=list)


def good(*also, ignored=()):
    return Expected(ignored=frozenset(ignored), also=list(also))


def bad(*kinds, ignored=(), **more):
    return Expected(frozenset(kinds), frozenset(ignored), **more)


def error(code, *also):
    return Expected(frozenset({"error-response"}), code=code, within=1.5, also=list(also))


def software_is(text):
    return lambda entry: entry.get("software") == text


def at_most(key, length):
    return lambda entry: len(entry.get(key, "")) <= length


def reason_is(text):
    return lambda entry: entry["error"].get("reason", "") == text


def reason_is_short(entry):
    return len(entry["error"]["reason"]) <= 300


def reason_bytes_start(raw):
    return lambda entry: bytes.fromhex(entry["error"]["reasonHex"]).startswith(raw)


def attempts_at_least(count):
    return lambda entry: entry["attempts"] >= count


MALFORMED = bad("malformed", ignored=["malformed"])
BROKEN_ERROR = bad("error-response", "malformed")
NO_ADDRESS = bad("unusable-address", "malformed")
UNUSABLE = bad("unusable-address")
NOT_A_RESPONSE = bad("foreign-answer", "malformed", ignored=["not-a-response"])

EXPECTED = {
    "good": good(software_is("honest 1.0")),
    "good-with-fingerprint": good(),
    "mapped-address-only": good(),
    "silent": bad("timeout"),
    "wrong-transaction-id": bad("foreign-answer", ignored=["wrong-transaction-id"]),
    "wrong-transaction-id-then-good": good(),
    "wrong-source-port": bad("wrong-source", ignored=["wrong-source"]),
    "wrong-source-address": bad("wrong-source", ignored=["wrong-source"]),
    "wrong-source-then-good": good(ignored=["wrong-source"]),
    "empty-datagram": MALFORMED,
    "shorter-than-a-header": MALFORMED,
    "cut-inside-an-attribute": MALFORMED,
    "length-not-multiple-of-four": MALFORMED,
    "length-beyond-the-datagram": MALFORMED,
    "trailing-bytes": MALFORMED,
    "top-bits-set": MALFORMED,
    # Without the cookie it is a message of RFC 3489, whose transaction id is not ours.
    "no-magic-cookie": bad("malformed", "foreign-answer"),
    "attribute-overrun": MALFORMED,
    "attribute-header-cut": MALFORMED,
    "padding-not-zero": good(software_is("padme")),
    "zero-length-software": good(),
    "attribute-bomb": good(),
    "huge-software": good(at_most("software", 300)),
    "header-length-fffc": MALFORMED,
    "header-length-ffff": MALFORMED,
    "attribute-length-ffff": MALFORMED,
    "attribute-length-fffd-in-64k": MALFORMED,
    "channel-data-length-ffff": MALFORMED,
    "two-addresses": good(),
    # The first counts, and it is not where a FINGERPRINT must be: at the end.
    "two-fingerprints": bad("bad-fingerprint", "malformed"),
    "two-integrities": good(),
    "address-after-integrity": NO_ADDRESS,
    "software-after-integrity": good(lambda entry: entry.get("software") != "late"),
    "address-after-fingerprint": bad("unusable-address", "malformed", "bad-fingerprint"),
    "bad-fingerprint": bad("bad-fingerprint", ignored=["bad-fingerprint"]),
    "bad-fingerprint-then-good": good(),
    "fingerprint-of-wrong-size": bad("bad-fingerprint", "malformed"),
    "unknown-required-attribute": bad("unknown-attribute", says="0x7abc"),
    "unknown-optional-attribute": good(),
    "echo": bad("echo", ignored=["echo"]),
    "indication": NOT_A_RESPONSE,
    # A request with our transaction id is our own come back, or as good as that.
    "request": bad("echo", "foreign-answer"),
    "other-method": NOT_A_RESPONSE,
    "no-address": NO_ADDRESS,
    "zero-address": UNUSABLE,
    "port-zero": UNUSABLE,
    "multicast-address": UNUSABLE,
    "broadcast-address": UNUSABLE,
    "family-three": NO_ADDRESS,
    "short-address": NO_ADDRESS,
    "zero-length-address": NO_ADDRESS,
    "ipv6-family-with-ipv4-bytes": NO_ADDRESS,
    "mapped-differs": good(),
    **{f"error-{code}": error(code, reason_is("Because")) for code in ERROR_CODES},
    "error-without-code": BROKEN_ERROR,
    "error-class-zero": BROKEN_ERROR,
    "error-class-seven": BROKEN_ERROR,
    "error-number-199": BROKEN_ERROR,
    "error-empty-reason": error(400, reason_is("")),
    "error-long-reason": error(400, reason_is_short),
    "error-trailing-nuls": error(400, reason_is("Bad Request")),
    "error-invalid-utf8": error(400, reason_bytes_start(b"Bad \xff\xfe\xc0\xaf Request")),
    "error-code-of-three-bytes": BROKEN_ERROR,
    "error-with-address": error(400),
    "junk-then-good": good(),
    "junk-for-ever": bad("malformed", "foreign-answer"),
    "five-hundred-copies": good(),
    "late-reply": good(attempts_at_least(2)),
    "reply-after-the-deadline": bad("timeout"),
    "first-request-lost": good(attempts_at_least(2)),
    "duplicated-and-reordered": good(),
    "corrupted-then-good": good(),
    "hostile-software": good(),
    "hostile-reason": error(400, reason_bytes_start(HOSTILE_TEXT[:16])),
    "software-for-formats": good(),
    "other-address-elsewhere": good(),
    "tcp-good": good(software_is("honest 1.0")),
    "tcp-silent": bad("tcp-open-no-stun"),
    "tcp-ssh": bad("foreign-protocol", says="SSH"),
    "tcp-smtp": bad("foreign-protocol", says="SMTP"),
    "tcp-http": bad("foreign-protocol", says="HTTP"),
    "tcp-tls-alert": bad("foreign-protocol", says="TLS"),
    "tcp-hostile-banner": bad("foreign-protocol", "malformed"),
    "tcp-half-then-close": bad("truncated", says="25 of 32"),
    "tcp-half-then-stall": bad("truncated", says="25 of 32"),
    "tcp-header-cut-then-stall": bad("truncated", says="7 of"),
    "tcp-length-fffc-then-stall": bad("truncated", says="of 65552"),
    "tcp-one-byte-a-second": bad("truncated"),
    "tcp-byte-a-segment": good(),
    "tcp-several-in-a-segment": good(),
    "tcp-channel-data-first": good(),
    "tcp-endless-zeros": bad("foreign-protocol", "malformed"),
    "tcp-endless-garbage": bad("foreign-protocol", "malformed"),
    "tcp-endless-foreign-answers": bad("foreign-answer", ignored=["wrong-transaction-id"]),
    "tcp-reset-at-connect": bad("connection-reset", "connection-refused"),
    "tcp-reset-after-request": bad("connection-reset"),
    "tcp-reset-mid-message": bad("connection-reset", "truncated"),
    "tcp-fin-at-once": bad("connection-closed"),
    "tcp-fin-after-request": bad("connection-closed"),
    "tcp-wrong-transaction-id": bad("foreign-answer", ignored=["wrong-transaction-id"]),
    "tcp-echo": bad("echo"),
    "tcp-zero-address": UNUSABLE,
    "tcp-error-500": error(500, reason_is("Server Error")),
    "tcp-unknown-required-attribute": bad("unknown-attribute", says="0x7abc"),
}

# Rows in which the false address may be shown as what it is: a second value, or what the server claims.
MAY_SHOW_FALSE_ADDRESS = {"two-addresses", "mapped-differs", "other-address-elsewhere", "port-zero"}


def command(server, transport, format_):
    transport_options = ["--transport", "tcp"] if transport == "tcp" else []
    return [
        "stun", "--format", format_, "--timeout", str(TIMEOUT), *transport_options, f"stun:127.0.0.1:{server.port}",
    ]  # fmt: skip


def only_entry(outcome):
    entries = outcome.report["stun"]
    assert len(entries) == 1, outcome.describe()
    return entries[0]


def test_the_table_has_every_behaviour():
    assert set(EXPECTED) == set(BEHAVIOURS) - {"loss-30"}


@pytest.mark.parametrize("name", EXPECTED)
def test_fault(start, name):
    expected, transport = EXPECTED[name], BEHAVIOURS[name].transport
    with ExitStack() as servers:
        # A server for each format, at the same time: half the waiting.
        for_json, for_text = (servers.enter_context(serve(name, seed=SEED)) for _ in range(2))
        as_json = start(*command(for_json, transport, "json"))
        as_text = start(*command(for_text, transport, "text"))
        json_outcome, text_outcome = as_json.wait(), as_text.wait()

    entry = only_entry(json_outcome)
    for outcome in (json_outcome, text_outcome):
        assert outcome.status == (1 if expected.kinds else 0), outcome.describe()
        assert outcome.unhindered <= expected.within, outcome.describe()
        assert outcome.peak_bytes < 100 * MEGABYTE, outcome.describe()
        assert len(outcome.output) + len(outcome.errors) < MEGABYTE
        assert_safe(outcome)

    assert entry["ok"] == (not expected.kinds), json_outcome.describe()
    if expected.kinds:
        assert entry["error"]["kind"] in expected.kinds, json_outcome.describe()
        assert expected.says.lower() in entry["error"]["message"].lower(), json_outcome.describe()
        assert entry.get("mappedAddress") is None, json_outcome.describe()
        assert entry["error"].get("code") == expected.code or expected.code is None, json_outcome.describe()
    else:
        source = for_json.received[0][-1]
        assert entry["mappedAddress"] == f"{source[0]}:{source[1]}", json_outcome.describe()
        assert "error" not in entry, json_outcome.describe()
    assert expected.ignored <= {one["reason"] for one in entry.get("ignored", [])}, json_outcome.describe()
    assert all(one["count"] > 0 for one in entry.get("ignored", []))
    for holds in expected.also:
        assert holds(entry), json_outcome.describe()
    if name not in MAY_SHOW_FALSE_ADDRESS:
        assert f"{FALSE_ADDRESS[0]}:{FALSE_ADDRESS[1]}" not in text_outcome.text, text_outcome.describe()


def test_an_alg_is_reported_with_both_addresses(run):
    with serve("mapped-differs") as server:
        outcome = run(*command(server, "udp", "json"))
        source = server.received[0][-1]
    assert FALSE_ADDRESS[0] in outcome.text and f"{source[0]}:{source[1]}" in outcome.text, outcome.describe()


def test_junk_is_counted(run):
    with serve("junk-for-ever", seed=SEED) as server:
        outcome = run(*command(server, "udp", "json"))
    assert sum(one["count"] for one in only_entry(outcome)["ignored"]) > 1000, outcome.describe()


@pytest.mark.parametrize("seed", range(SEED, SEED + 6))
def test_loss_of_30_percent_does_not_change_the_verdict(run, seed):
    with serve("loss-30", seed=seed) as server:
        outcome = run("stun", "--format", "json", "--timeout", "5", f"stun:127.0.0.1:{server.port}")
    entry = only_entry(outcome)
    assert server.sent, f"seed {seed} loses everything: it proves nothing"
    assert (outcome.status, entry["ok"]) == (0, True), f"seed {seed}: {outcome.describe()}"
    assert entry["attempts"] == len(server.received), f"seed {seed}: {outcome.describe()}"


def test_a_late_reply_is_not_timed_from_the_first_transmission_as_if_it_were_certain(run):
    with serve("late-reply") as server:
        outcome = run(*command(server, "udp", "json"))
    entry = only_entry(outcome)
    # 700 ms from the first transmission, about 200 ms from the second: either, or none, but nothing else.
    assert entry.get("rttMs") is None or 150 <= entry["rttMs"] <= 800 + outcome.stalled * 1000, entry


def closed_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_closed_udp_port_is_no_timeout(run):
    outcome = run("stun", "--format", "json", "--timeout", "3", f"stun:127.0.0.1:{closed_port(socket.SOCK_DGRAM)}")
    assert (outcome.status, only_entry(outcome)["error"]["kind"]) == (1, "port-unreachable"), outcome.describe()
    assert outcome.unhindered < 2, outcome.describe()


def test_a_closed_tcp_port_is_refused(run):
    port = closed_port(socket.SOCK_STREAM)
    outcome = run("stun", "--format", "json", "--transport", "tcp", "--timeout", "3", f"stun:127.0.0.1:{port}")
    assert (outcome.status, only_entry(outcome)["error"]["kind"]) == (1, "connection-refused"), outcome.describe()
    assert outcome.unhindered < 2, outcome.describe()


def test_one_bad_server_leaves_the_others_as_they_are(run):
    names = ["silent", "good", "zero-address", "echo", "error-500", "huge-software"]
    with ExitStack() as servers:
        started = [servers.enter_context(serve(name)) for name in names]
        uris = [f"stun:127.0.0.1:{server.port}" for server in started]
        outcome = run("stun", "--format", "json", "--timeout", str(TIMEOUT), *uris)
    oks = {entry["server"]: entry["ok"] for entry in outcome.report["stun"]}
    assert oks == dict(zip(uris, [False, True, False, False, False, True])), outcome.describe()
    assert outcome.status == 1, outcome.describe()
    assert outcome.unhindered <= TIMEOUT + SLACK


def test_transaction_ids_are_never_used_twice(run):
    seen = []
    for _ in range(4):
        with ExitStack() as servers:
            pair = [servers.enter_context(serve("good")) for _ in range(2)]
            run("stun", "--format", "json", "--count", "5", *[f"stun:127.0.0.1:{server.port}" for server in pair])
            seen += [data[8:20] for server in pair for _, data, _ in server.received]
    assert len(seen) == 40 and len(set(seen)) == 40


def test_no_destination_gets_a_flood(run):
    with serve("silent") as server:
        run("stun", "--timeout", "2", "--count", "1000", f"stun:127.0.0.1:{server.port}")
        times = [at for at, _, _ in server.received]
    # A burst of 40, then 50 a second; a tenth more for the clock that measures it.
    for index in range(len(times)):
        in_a_second = sum(1 for at in times[index:] if at - times[index] < 1)
        assert in_a_second <= 99, f"{in_a_second} datagrams in a second"


def test_the_report_of_a_hostile_server_is_json_for_any_reader(run):
    with ExitStack() as servers:
        started = [
            servers.enter_context(serve(name)) for name in ("hostile-software", "hostile-reason", "software-for-formats")
        ]
        outcome = run("stun", "--format", "json", *[f"stun:127.0.0.1:{server.port}" for server in started])
    outcome.output.decode("utf-8", "strict")
    assert json.loads(json.dumps(outcome.report)) == outcome.report
