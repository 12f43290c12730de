"""Each fault of the catalogue against the real binary: what `icecheck turn` concludes, how it says so, that it ends.

What is right in each is in `hostile_turn.SCENARIOS`; here is how it is seen, and what holds in all of them: nothing is
left on the server that it was told of, no secret leaves, nothing is printed raw, no server is asked without end.
"""

import os
import socket
from collections import Counter
from contextlib import closing, contextmanager

import pytest
from fakes.hostile_turn import FINDINGS, PUBLIC, SCENARIOS, TRANSPORTS, serve, uri
from fakes.stunwire import MAGIC_COOKIE, parse
from fakes.turnwire import (
    ALLOCATE,
    LIFETIME,
    PASSWORD,
    PASSWORD_ALGORITHM,
    PASSWORD_ALGORITHMS,
    REFRESH,
    REQUEST,
    USER,
    USERHASH,
    USERNAME,
    class_of,
    is_signed_with,
    key_of,
    method_of,
)  # fmt: skip
from harness.running import Running, assert_safe, found_binary, no_core_dumps
from labs.namespaces import command
from labs.natlab import SERVERS, NATLab

# What the client needs to know that nothing better comes is four seconds.
TIMEOUT = 5
# Beside the timeout: the clean-up takes less than half a second (T06), and a debug build starts slowly.
SLACK = 1.5
MEGABYTE = 1 << 20
EVERY = [(name, transport) for name in SCENARIOS if name not in PUBLIC for transport in TRANSPORTS[name]]
# The server deletes nothing in these, or never told of an allocation that could be deleted.
UNDELETED = {"refresh-silent", "refresh-438-for-ever"}
# An unauthenticated success is none: there is no allocation of ours to give up.
UNBELIEVED = {"not-authenticated"}
# RFC 8656 s6: a run asks one server for four relays at most (two families, two sockets); each may be tried twice from
# another five-tuple, with at most 2 realms and 3 nonces. Far above it is a loop.
MOST_ALLOCATES = 60


@pytest.fixture(autouse=True)
def no_credentials_of_the_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("ICECHECK_TURN"):
            monkeypatch.delenv(name)


def arguments(server, transport, *more):
    credentials = ["--user", USER, "--password", PASSWORD]
    family = "-6" if "[" in uri(server, transport) else "-4"
    return ["turn", uri(server, transport), family, *credentials, "--timeout", TIMEOUT, "--format", "json", *more]


def requests_of(server, method=ALLOCATE):
    """The different requests of this method: retransmissions are the same ones."""
    found = {}
    for entry in server.received:
        try:
            one = parse(entry[1])
        except ValueError:
            continue
        if method_of(one.kind) == method and class_of(one.kind) == REQUEST:
            found.setdefault(one.transaction, one)
    return list(found.values())


def assert_holds(outcome, server):
    """What is true of every run."""
    assert outcome.status in (0, 1), outcome.describe()
    assert outcome.unhindered < TIMEOUT + SLACK, outcome.describe()
    assert outcome.peak_bytes < 100 * MEGABYTE, f"{outcome.peak_bytes / MEGABYTE:.1f} MB"
    assert_safe(outcome)
    assert PASSWORD.encode() not in outcome.output + outcome.errors, outcome.describe()
    # Nor on the wire, where it is plain.
    assert not any(PASSWORD.encode() in entry[1] for entry in server.received)
    assert len(requests_of(server)) <= MOST_ALLOCATES, len(requests_of(server))


def meet(name, transport, run, server, *more):
    """The report, held against the table."""
    row, kinds, code = SCENARIOS[name]
    outcome = run(*arguments(server, transport, *more))
    assert_holds(outcome, server)
    report = outcome.report
    shown = f"{row} {name}: {outcome.describe()}"
    assert report["turn"], shown
    if kinds is None:
        assert outcome.status == 0 and all(entry["ok"] for entry in report["turn"]), shown
        assert all(entry["relay"]["received"] > 0 for entry in report["turn"]), shown
    else:
        assert outcome.status == 1 and not any(entry["ok"] for entry in report["turn"]), shown
        for entry in report["turn"]:
            assert entry.get("error", {}).get("kind") in kinds.split("|"), shown
            assert code is None or entry["error"]["code"] == code, shown
        assert report["findings"], shown
    if name in FINDINGS:
        assert report["findings"][0]["id"] in FINDINGS[name].split("|"), shown
    if name not in UNDELETED and kinds not in UNBELIEVED:
        assert server.left() == [], shown
    return report, outcome


@pytest.mark.parametrize("name, transport", EVERY)
def test_each_fault_is_named(run, name, transport):
    with serve(name) as server:
        meet(name, transport, run, server)


# What the table cannot say


@pytest.fixture
def met(run):
    """Meets a scenario, and gives the entry, the outcome, and the server as it was at the end."""

    def meeting(name, *more, transport="udp"):
        with serve(name) as server:
            report, outcome = meet(name, transport, run, server, *more)
            return report["turn"][0], outcome, server

    return meeting


def test_refused_credentials_are_sent_once(met):
    """A01: for each relay a request without, and one with them."""
    entry, outcome, server = met("401-for-ever")
    signed = [one for one in requests_of(server) if one.value(USERNAME)]
    assert 1 <= len(signed) <= 2 and entry["stage"] == "allocate", outcome.describe()


def requests_by_port(server):
    """How many requests with a user name came from each port. What is sent once more is the same request."""
    signed = ((source, parse(data)) for _, data, source, _ in server.received)
    return Counter(source for source, _ in {(source, one.transaction) for source, one in signed if one.value(USERNAME)})


def test_a_nonce_is_renewed_three_times_at_most(met):
    """A02: the signed request, and one with each of three new nonces."""
    _, outcome, server = met("438-for-ever")
    assert max(requests_by_port(server).values()) <= 4, outcome.describe()


def test_a_second_realm_is_tried_and_no_third(met):
    """A03."""
    _, outcome, server = met("realm-changes-each-time")
    assert max(requests_by_port(server).values()) <= 2, outcome.describe()


@pytest.mark.parametrize(
    "name",
    ["401-without-realm", "401-without-nonce", "401-empty-nonce", "huge-realm", "huge-nonce", "unknown-algorithm"],
)
def test_a_broken_challenge_gets_no_credentials(met, name):
    """A04, A05, A09: neither a name nor a digest that a password could be guessed from."""
    _, outcome, server = met(name)
    for one in requests_of(server):
        assert one.value(USERNAME) is None and one.value(USERHASH) is None, outcome.describe()
    assert max(len(entry[1]) for entry in server.received) < 1200


@pytest.mark.parametrize("name", ["algorithms-promised-and-missing"])
def test_a_downgrade_is_not_retried(met, name):
    """A08: RFC 8489 s9.2.5."""
    _, outcome, server = met(name)
    assert not any(one.value(USERNAME) for one in requests_of(server)), outcome.describe()


def test_a_weaker_offer_is_not_taken(met):
    """A08: nothing is signed with MD5 once SHA-256 was offered."""
    _, outcome, server = met("algorithms-weakened-later")
    chosen = {one.value(PASSWORD_ALGORITHM) for one in requests_of(server)} - {None}
    assert chosen == {b"\0\2\0\0"}, outcome.describe()


def test_the_strongest_algorithm_is_chosen_and_the_offer_sent_back(met):
    _, outcome, server = met("strongest-wanted")
    signed = [one for one in requests_of(server) if one.value(USERNAME)]
    assert signed and all(one.value(PASSWORD_ALGORITHM) == b"\0\2\0\0" for one in signed), outcome.describe()
    assert all(one.value(PASSWORD_ALGORITHMS) == b"\0\1\0\0\0\2\0\0" for one in signed)


def test_a_user_name_is_hidden_where_the_server_takes_it(met):
    _, outcome, server = met("userhash")
    assert any(one.value(USERHASH) for one in requests_of(server)), outcome.describe()
    assert not any(USER.encode() in entry[1] for entry in server.received)


def test_an_address_that_is_not_authenticated_is_not_shown(met):
    """A06."""
    for name in ("success-unsigned", "success-wrongly-signed", "success-signed-with-another-key"):
        entry, outcome, _ = met(name)
        assert "relayedAddress" not in entry, outcome.describe()


def test_an_error_that_is_not_signed_waits_for_a_better_answer(met):
    """A07: and is reported in the end, long before the deadline, and said not to be authenticated."""
    for code in (400, 441):
        entry, outcome, _ = met(f"unsigned-{code}")
        assert outcome.unhindered < 1.5 and "authenticated" in str(entry["error"]), outcome.describe()


def test_a_redirect_is_followed_three_times_at_most(met):
    """R01."""
    _, outcome, server = met("redirect-chain-of-20")
    assert {place for _, _, _, place in server.received} == {0, 1, 2, 3}, outcome.describe()


def test_a_server_is_not_asked_again_because_another_says_so(met):
    """R01: one challenge and one signed request at each, for each relay."""
    for name, places in (("redirect-to-itself", {0}), ("redirect-in-a-circle", {0, 1})):
        _, outcome, server = met(name)
        assert {place for _, _, _, place in server.received} == places, outcome.describe()
        assert len(requests_of(server)) <= 4 * len(places), outcome.describe()


@pytest.mark.parametrize("name", ["redirect-once", "redirect-before-credentials"])
def test_where_credentials_went_is_said(met, name):
    """R04: the same credentials go to the second server, as the RFC has it, and the report says to which."""
    _, outcome, server = met(name)
    second = f"127.0.0.1:{server.places[1][1]}"
    assert second in outcome.text, outcome.describe()
    key = key_of(USER, b"turn.example.test", PASSWORD)
    there = [data for _, data, _, place in server.received if place == 1]
    assert any(is_signed_with(data, key) for data in there)


def test_no_redirect_stays(run):
    """R04."""
    with serve("redirect-once") as server:
        outcome = run(*arguments(server, "udp", "--no-redirect"))
        assert_holds(outcome, server)
        [entry, *_] = outcome.report["turn"]
        assert outcome.status == 1 and entry["error"]["kind"] == "redirected", outcome.describe()
        assert {place for _, _, _, place in server.received} == {0}


def test_another_five_tuple_is_tried_once(met):
    """T01."""
    _, outcome, server = met("437-for-ever")
    assert len({source for _, _, source, _ in server.received}) <= 4, outcome.describe()


@pytest.mark.parametrize("code", [486, 508, 403, 500])
def test_a_refusal_is_not_tried_again(met, code):
    """T02: RFC 8656 wants a minute between two tries."""
    entry, outcome, server = met(f"error-{code}")
    by_port = Counter(one.transaction for one in requests_of(server) if one.value(USERNAME))
    assert len(by_port) <= 2 and entry["error"]["code"] == code, outcome.describe()
    assert outcome.unhindered < 1.5, outcome.describe()


def test_the_stage_says_how_far_it_came(met):
    for name, stages in (
        ("401-for-ever", {"allocate"}), ("permission-403", {"permission", "channel"}),
        ("permission-silent", {"permission", "channel"}), ("data-silent", {"relay"}),
    ):  # fmt: skip
        entry, outcome, _ = met(name)
        assert entry["stage"] in stages, (name, outcome.describe())


def test_the_lifetime_is_shown_as_it_came(met):
    """T03."""
    for name, lifetime in (("lifetime-zero", 0), ("lifetime-endless", 0xFFFFFFFF), ("lifetime-one-second", 1)):
        entry, outcome, _ = met(name)
        assert entry["lifetimeS"] == lifetime, outcome.describe()


@pytest.mark.parametrize("name", sorted(UNDELETED))
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_deletion_that_is_not_confirmed_is_said_and_bounded(met, name, transport):
    """T06."""
    entry, outcome, server = met(name, transport=transport)
    assert entry["deleted"] not in (True, "confirmed"), outcome.describe()
    assert outcome.unhindered < 3.5 and "turn-allocation-left" in outcome.text, outcome.describe()
    zero = [one for one in requests_of(server, REFRESH) if one.value(LIFETIME) == bytes(4)]
    assert 1 <= len(zero) <= 16


def test_data_that_is_altered_is_no_data(met):
    """T09."""
    entry, outcome, _ = met("data-altered")
    assert entry["relay"]["received"] == 0 and "alter" in outcome.text, outcome.describe()


def test_data_that_comes_twice_counts_once(met):
    entry, outcome, _ = met("data-duplicated")
    assert entry["relay"]["received"] == entry["relay"]["sent"], outcome.describe()


def test_credentials_that_are_needed_are_asked_for(run):
    with serve("good") as server:
        outcome = run("turn", uri(server), "-4", "--timeout", TIMEOUT, "--format", "json")
        assert_holds(outcome, server)
        assert outcome.status == 1, outcome.describe()
        assert {entry["error"]["kind"] for entry in outcome.report["turn"]} == {"credentials-needed"}
        assert outcome.report["findings"][0]["id"] == "turn-credentials-needed"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_port_where_nobody_listens_is_named(run, transport):
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    place = f"turn:127.0.0.1:{port}?transport={transport}"
    outcome = run("turn", place, "-4", "--user", USER, "--password", PASSWORD, "--timeout", 2, "--format", "json")
    assert_safe(outcome)
    wanted = {"udp": "port-unreachable", "tcp": "connection-refused"}[transport]
    assert {entry["error"]["kind"] for entry in outcome.report["turn"]} == {wanted}, outcome.describe()
    assert outcome.status == 1 and outcome.unhindered < 2, outcome.describe()


def test_each_format_is_safe_from_a_hostile_server(run):
    """O01."""
    for name in ("hostile-reason", "hostile-realm", "redirect-with-hostile-domain"):
        with serve(name) as server:
            credentials = ["--user", USER, "--password", PASSWORD]
            outcome = run("turn", uri(server), "-4", *credentials, "--timeout", TIMEOUT)
            assert outcome.status == 1
            assert_safe(outcome)


# From a public server: R02 and R06. Both are in namespaces out of which nothing leads.


@contextmanager
def public(name):
    """The scenario at a global address, what runs icecheck beside it, and what counts the datagrams to elsewhere."""
    family = PUBLIC[name]
    with NATLab("no-nat") as lab:
        own = f"ip daddr {{ {SERVERS[4][0]}, 13.0.0.2, 13.0.0.1 }} accept"
        own6 = f"ip6 daddr {{ {SERVERS[6][0]}, 2a00:13::2, 2a00:13::1, fe80::/10, ff02::/16 }} accept"
        lab.client.nft(
            "table inet watch { counter elsewhere { }\n chain out { type filter hook output priority 0;\n"
            f"{own}\n{own6}\n counter name elsewhere drop\n}}\n}}\n"
        )
        with lab.server.entered():
            server = serve(name, address=SERVERS[family][0], port=3478)
            server.__enter__()
        try:

            def run(*words):
                return Running("ip", [*lab.client.prefix(), found_binary(), *words], limits=no_core_dumps).wait()

            def elsewhere():
                said = command("ip", *lab.client.prefix(), "nft", "list", "counters")
                return int(said.split("packets")[1].split()[0])

            yield server, run, elsewhere
        finally:
            server.__exit__(None)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_server_leads_nowhere_inside(binary, permitted, name):
    """R02, R06: and not a datagram goes there."""
    with public(name) as (server, run, elsewhere):
        meet(name, "udp", run, server)
        assert elsewhere() == 0


def test_where_a_refused_redirect_led_is_said(binary, permitted):
    with public("redirect-to-metadata") as (server, run, _):
        _, outcome = meet("redirect-to-metadata", "udp", run, server)
        assert "169.254.169.254" in outcome.text, outcome.describe()


def test_a_private_server_is_followed_where_the_user_says_so(binary, permitted):
    """Nobody is there, but it was asked."""
    with public("redirect-to-private-10") as (server, run, elsewhere):
        outcome = run(*arguments(server, "udp", "--follow-private"))
        assert outcome.status == 1 and elsewhere() > 0, outcome.describe()


def test_the_cookie_is_in_every_request(met):
    _, _, server = met("good")
    assert all(data[4:8] == MAGIC_COOKIE.to_bytes(4, "big") for _, data, _, _ in server.received if data[0] < 0x40)
