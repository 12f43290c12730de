"""Names: what a resolver can answer, each in its own words, and none at the cost of another server."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes import nameserver
from fakes.hostile import serve
from fakes.nameserver import (
    ADDRESS,
    ADDRESS6,
    CNAME,
    FORMERR,
    NOTIMP,
    NXDOMAIN,
    OWNER,
    REFUSED,
    SERVFAIL,
    SRV,
    A,
    FromElsewhere,
    NameServer,
    Question,
    a,
    aaaa,
    failing,
    fit,
    labels,
    naptr,
    record,
    reply,
    srv,
    zone,
)
from harness.addresses import FALSE_NAME_ADDRESS
from harness.running import Running, assert_safe, no_core_dumps
from labs.namespaces import Namespace

TIMEOUT, SLACK = 3, 0.5
PORT, OTHER_PORT = 3478, 4000
MEGABYTE = 1 << 20
# What a terminal would obey, in what a resolver says.
ESCAPES = b"\x1b[31m\x07\x9b\xe2\x80\xae"


def truncated_and_mute(question):
    """Asks to be asked over TCP, and hangs up there."""
    return reply(question, truncated=True) if question.over == "udp" else None


def truncated_then_whole(question):
    if question.over == "udp":
        return reply(question, truncated=True)
    return zone(A=[a()])(question)


def from_elsewhere(question):
    return FromElsewhere(reply(question, a(FALSE_NAME_ADDRESS)))


def other_question(question):
    false = Question(question.number, "other.test", A, labels("other.test") + question.wire[-4:], question.over)
    return reply(false, a(FALSE_NAME_ADDRESS), wire=false.wire)


def compression_loop(question):
    """The owner's name is a pointer to itself."""
    place = 12 + len(question.wire)
    return reply(question, record(question.kind, b"\0" * 16, owner=bytes([0xC0 | place >> 8, place & 0xFF])))


def cname_loop(question):
    return reply(
        question,
        record(CNAME, labels("round.cname-loop.test")),
        record(CNAME, OWNER, owner=labels("round.cname-loop.test")),
    )


def pointer_chain(question):
    """NAPTR that leads on and on: n0 to n1 to n2."""
    if question.kind != nameserver.NAPTR:
        return reply(question)
    first = question.name.split(".")[0]
    number = int(first[1:]) if first.startswith("n") and first[1:].isdigit() else -1
    return reply(question, naptr(f"n{number + 1}.naptr-chain.test"))


class Flipping:
    """Another address at each question, as an attacker's resolver would give (DNS rebinding)."""

    def __init__(self):
        self.turn = 0

    def __call__(self, question):
        if question.kind != A:
            return reply(question)
        self.turn += 1
        return reply(question, a(ADDRESS if self.turn == 1 else FALSE_NAME_ADDRESS))


@dataclass(frozen=True)
class Case:
    """A name of the server's, and what the report says of it."""

    answer: object
    # Of its entries: the address of each that answers; empty for one entry without an answer.
    reaches: tuple = ()
    says: tuple = ()
    # Still not answered when the run ends: not measured, which is no failure of the name.
    is_pending: bool = False
    scheme: str = "stun"


def fails(answer, *says, **rest):
    return Case(answer, says=says, **rest)


def pending(answer):
    return Case(answer, says=("no answer to SRV _stun._udp.",), is_pending=True)


def reaches(answer, *addresses, **rest):
    return Case(answer, reaches=addresses, **rest)


MAIN, MAIN6, OTHER = f"{ADDRESS}:{PORT}", f"[{ADDRESS6}]:{PORT}", f"{ADDRESS}:{OTHER_PORT}"

CASES = {
    "nxdomain": fails(failing(NXDOMAIN), "NXDOMAIN"),
    "empty": fails(zone(), "no record"),
    "servfail": fails(failing(SERVFAIL), "SERVFAIL"),
    "refused": fails(failing(REFUSED), "REFUSED"),
    "formerr": fails(failing(FORMERR), "FORMERR"),
    "notimp": fails(failing(NOTIMP), "NOTIMP"),
    "silent": pending(lambda question: None),
    "wrong-number": pending(lambda question: reply(question, a(FALSE_NAME_ADDRESS), number=question.number ^ 1)),
    "wrong-question": pending(other_question),
    "wrong-source": pending(from_elsewhere),
    "truncated-without-tcp": fails(truncated_and_mute, "resolver"),
    "truncated-then-whole": reaches(truncated_then_whole, MAIN),
    "cut-short": fails(lambda question: reply(question, a())[:-3], "resolver"),
    "compression-loop": fails(compression_loop, "resolver|no record"),
    "cname-loop": fails(cname_loop, "no record|resolver|NXDOMAIN"),
    "cname-to-nothing": fails(
        lambda question: reply(question, record(CNAME, labels("gone.test")), code=NXDOMAIN), "NXDOMAIN"
    ),
    "a-only": reaches(zone(A=[a()]), MAIN),
    "aaaa-only": reaches(zone(AAAA=[aaaa()]), MAIN6),
    "both": reaches(zone(A=[a()], AAAA=[aaaa()]), MAIN, MAIN6),
    "a-twice": reaches(zone(A=[a(), a()]), MAIN),
    "aaaa-fails": reaches(lambda q: reply(q, a()) if q.kind == A else reply(q, code=SERVFAIL), MAIN),
    "unspecified": fails(zone(A=[a("0.0.0.0")]), "0.0.0.0", "not the address of a host"),
    "broadcast": fails(zone(A=[a("255.255.255.255")]), "not the address of a host"),
    "multicast": fails(zone(A=[a("224.0.0.1")], AAAA=[aaaa("ff02::1")]), "not the address of a host"),
    "srv": reaches(zone(SRV=[srv("srv-target.test", OTHER_PORT)], A=[a(FALSE_NAME_ADDRESS)]), OTHER),
    "srv-target": reaches(zone(A=[a()]), MAIN),
    "srv-weight-0": reaches(
        zone(SRV=[srv("srv-target.test", OTHER_PORT), srv("srv-target.test", PORT)]), OTHER, MAIN
    ),
    "srv-dot": fails(zone(SRV=[srv("", 0)], A=[a()]), "no such service"),
    "srv-port-0": fails(zone(SRV=[srv("srv-target.test", 0)]), "port 0"),
    "srv-to-nothing": fails(zone(SRV=[srv("gone.test")]), "A gone.test", "NXDOMAIN"),
    "srv-escapes": fails(zone(SRV=[srv(ESCAPES)]), "not a host name"),
    "srv-cut-short": fails(
        lambda q: reply(q, record(SRV, b"\0\0\0\0\x0d")) if q.kind == SRV else reply(q), "malformed"
    ),
    "srv-fails": reaches(lambda q: reply(q, code=SERVFAIL) if q.kind == SRV else zone(A=[a()])(q), MAIN),
    "naptr": reaches(
        zone(NAPTR=[naptr("_turn._udp.naptr-srv.test", "s")], A=[a(FALSE_NAME_ADDRESS)]), OTHER, scheme="turn"
    ),
    "naptr-srv": reaches(zone(SRV=[srv("srv-target.test", OTHER_PORT)]), OTHER, scheme="turn"),
    "naptr-to-address": reaches(zone(NAPTR=[naptr("srv-target.test", "a")]), MAIN, scheme="turn"),
    "naptr-loop": fails(zone(NAPTR=[naptr("naptr-loop.test")]), "lead back", scheme="turn"),
    "naptr-chain": fails(pointer_chain, "8 NAPTR steps", scheme="turn"),
    "naptr-both": fails(
        zone(NAPTR=[naptr("srv-target.test", "a", expression="!.*!gone.test!")]), "regular expression", scheme="turn"
    ),
    "naptr-flag": fails(zone(NAPTR=[naptr("srv-target.test", "\x1b")]), "flag", scheme="turn"),
}  # fmt: skip

CHAIN = {f"n{number}.naptr-chain.test": pointer_chain for number in range(40)}
# The first 16 by priority are tried, and the rest is counted: no port of these is served.
THOUSAND = [srv("srv-target.test", 10_000 + number, priority=number) for number in range(1000)]


@pytest.fixture(scope="module")
def machine(permitted):
    """A machine of one address for each family, whose resolver is ours."""
    made = Namespace("names")
    settings = Path("/etc/netns") / made.name
    try:
        settings.mkdir(parents=True)
        # The resolver's own time is the usual one: 5 seconds for each of two attempts.
        (settings / "resolv.conf").write_text("nameserver 127.0.0.53\nsearch .\n")
        made.ip("link", "set", "lo", "up")
        made.sysctl("net.ipv6.conf.default.accept_dad", 0)
        made.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
        made.ip("link", "set", "eth0", "up")
        made.ip("link", "set", "eth1", "up")
        made.ip("addr", "add", f"{ADDRESS}/24", "dev", "eth0")
        made.ip("addr", "add", f"{ADDRESS6}/64", "dev", "eth0", "nodad")
        # Everything has a route, and nothing else an answer.
        made.ip("route", "add", "default", "dev", "eth0")
        made.ip("-6", "route", "add", "default", "dev", "eth0")
        yield made
    finally:
        (settings / "resolv.conf").unlink(missing_ok=True)
        settings.rmdir()
        try:
            settings.parent.rmdir()
        except OSError:
            pass  # It holds the settings of others.
        made.remove()


@pytest.fixture
def names(machine):
    """The name server with the names of this test."""

    def begin(table):
        with machine.entered():
            return NameServer(table)

    with ExitStack() as servers:
        yield lambda table: servers.enter_context(begin(table))


@pytest.fixture
def answering(machine):
    """STUN servers on both families and on a second port."""
    with ExitStack() as servers, machine.entered():
        made = [serve("good", address=address, port=PORT) for address in (ADDRESS, ADDRESS6)]
        made.append(serve("good", address=ADDRESS, port=OTHER_PORT))
        for server in made:
            servers.enter_context(server)
        yield made


@pytest.fixture
def run_inside(machine, binary):
    def run(*arguments, timeout=TIMEOUT):
        command = [*machine.prefix(), binary, *arguments[:1], "--timeout", timeout, *arguments[1:]]
        outcome = Running("ip", command, limits=no_core_dumps).wait()
        assert outcome.unhindered <= timeout + SLACK, outcome.describe()
        assert_safe(outcome)
        return outcome

    return run


@pytest.mark.parametrize("name", CASES)
def test_a_resolvers_answer(names, answering, run_inside, name):
    case = CASES[name]
    names({f"{known}.test": one.answer for known, one in CASES.items()} | CHAIN)
    uri, healthy = f"{case.scheme}:{name}.test", f"stun:{MAIN}"
    started = time.monotonic()
    outcome = run_inside("stun", "--format", "json", uri, healthy)
    entries = [entry for entry in outcome.report["stun"] if entry["server"] == uri]
    assert outcome.status == (0 if case.reaches else 1), outcome.describe()
    if case.reaches:
        assert [entry["ok"] for entry in entries] == [True] * len(case.reaches), outcome.describe()
        assert sorted(entry["serverAddress"] for entry in entries) == sorted(case.reaches), outcome.describe()
    else:
        [entry] = entries
        if case.is_pending:
            message = entry["notMeasured"]["detail"]
            assert entry["notMeasured"]["reason"] == "deadline", outcome.describe()
        else:
            message = entry["error"]["message"]
            assert entry["error"]["kind"] == "name-not-resolved", outcome.describe()
        assert not entry["ok"] and "mappedAddress" not in entry, outcome.describe()
        for said in case.says:
            assert any(one in message for one in said.split("|")), outcome.describe()
    assert FALSE_NAME_ADDRESS not in outcome.text, outcome.describe()
    # The other server has not waited for the resolver.
    [other] = [entry for entry in outcome.report["stun"] if entry["server"] == healthy]
    assert other["ok"], outcome.describe()
    assert answering[0].received[0][0] - started < 1 + outcome.stalled, "the healthy server was asked late"


def test_each_failure_has_its_own_words(names, answering, run_inside):
    failing_names = ["nxdomain", "empty", "servfail", "refused", "srv-dot", "srv-port-0", "unspecified"]
    names({f"{known}.test": case.answer for known, case in CASES.items()})
    outcome = run_inside("stun", "--format", "json", *[f"stun:{name}.test" for name in failing_names])
    messages = {entry["error"]["message"].split(": ", 1)[1] for entry in outcome.report["stun"]}
    assert len(messages) == len(failing_names), outcome.describe()


def test_a_dead_resolver_costs_its_own_limit_only(names, run_inside):
    """It is given five seconds, however long the run might still last."""
    names({"silent.test": CASES["silent"].answer})
    outcome = run_inside("stun", "--format", "json", "stun:silent.test", timeout=20)
    assert outcome.status == 1 and 4.9 <= outcome.seconds and outcome.unhindered <= 5.5, outcome.describe()
    [entry] = outcome.report["stun"]
    assert "did not answer in time" in entry["error"]["message"], outcome.describe()


def test_a_resolver_that_drops_only_services_costs_two_seconds(names, answering, run_inside):
    """Some home routers do. The name has an address, so the run goes on with it, and ends when that has answered."""
    names({"home.test": lambda question: None if question.kind == SRV else zone(A=[a()])(question)})
    outcome = run_inside("stun", "--format", "json", "stun:home.test", timeout=10)
    [entry] = outcome.report["stun"]
    assert (outcome.status, entry["serverAddress"]) == (0, MAIN), outcome.describe()
    assert 1.9 <= outcome.seconds and outcome.unhindered <= 2.6, outcome.describe()


def test_no_name_server_at_all_is_said_at_once(run_inside):
    """Nothing listens at the address of resolv.conf."""
    outcome = run_inside("stun", "--format", "json", "stun:any.test")
    [entry] = outcome.report["stun"]
    assert (outcome.status, entry["error"]["kind"]) == (1, "name-not-resolved"), outcome.describe()
    assert "resolver" in entry["error"]["message"], outcome.describe()
    assert outcome.unhindered < 2, outcome.describe()


def test_of_a_thousand_services_sixteen_are_tried(names, run_inside):
    names(
        {
            "srv-1000.test": lambda question: fit(question, zone(SRV=THOUSAND)(question)),
            "srv-target.test": zone(A=[a()]),
        }
    )
    outcome = run_inside("stun", "--format", "json", "stun:srv-1000.test")
    addresses = [entry["serverAddress"] for entry in outcome.report["stun"]]
    assert addresses == [f"{ADDRESS}:{10_000 + number}" for number in range(16)], outcome.describe()
    assert outcome.status == 1 and outcome.peak_bytes < 40 * MEGABYTE, outcome.describe()


def test_of_a_hundred_addresses_sixteen_are_tried_and_the_rest_is_counted(names, run_inside):
    many = [a(f"10.88.0.{number}") for number in range(100, 200)]
    names({"many.test": zone(A=many)})
    outcome = run_inside("stun", "--format", "json", "stun:many.test", timeout=1)
    assert len([entry for entry in outcome.report["stun"] if entry.get("serverAddress")]) == 16, outcome.describe()
    assert "more addresses of stun:many.test" in outcome.text, outcome.describe()


def test_a_name_keeps_one_meaning_in_a_run(names, answering, run_inside):
    """N03: each question is asked once, and all servers of that name get the same address."""
    server = names({"flip.test": Flipping()})
    uris = [f"stun:flip.test:{PORT}", f"stun:flip.test:{OTHER_PORT}"]
    outcome = run_inside("check", "--format", "json", *uris)
    addresses = [entry["serverAddress"] for entry in outcome.report["stun"]]
    assert (outcome.status, addresses) == (0, [MAIN, OTHER]), outcome.describe()
    assert server.asked["A flip.test"] == 1, server.asked
    assert FALSE_NAME_ADDRESS not in outcome.text, outcome.describe()


ODD_ADDRESSES = {
    "private": (a(ADDRESS), MAIN),
    "loopback": (a("127.0.0.1"), f"127.0.0.1:{PORT}"),
    "link-local": (a("169.254.169.254"), f"169.254.169.254:{PORT}"),
    "mapped": (aaaa(f"::ffff:{ADDRESS}"), f"[::ffff:{ADDRESS}]:{PORT}"),
    "nat64": (aaaa("64:ff9b::a58:1"), f"[64:ff9b::a58:1]:{PORT}"),
    "6to4": (aaaa("2002:a58:1::1"), f"[2002:a58:1::1]:{PORT}"),
    "unique-local": (aaaa(ADDRESS6), MAIN6),
}


@pytest.mark.parametrize("name", ODD_ADDRESSES)
def test_a_name_that_leads_inside_is_asked_and_flagged(names, answering, run_inside, name):
    """N04: the user named it, so it is asked; the report says what kind of address the name led to."""
    odd, address = ODD_ADDRESSES[name]
    names({"odd.test": zone(**({"A": [odd]} if len(odd) == 16 else {"AAAA": [odd]}))})
    outcome = run_inside("stun", "--format", "json", "stun:odd.test", timeout=1)
    assert outcome.status == (0 if address in (MAIN, MAIN6) else 1), outcome.describe()
    found = {one["id"]: one["evidence"] for one in outcome.report["findings"]}
    assert [address in line for line in found["server-address-not-global"]] == [True], outcome.describe()


@pytest.mark.parametrize(
    "written, asked",
    [
        ("bücher.test", "xn--bcher-kva.test"),
        ("BÜCHER。test", "xn--bcher-kva.test"),
        ("faß.test", "xn--fa-hia.test"),
        ("xn--bcher-kva.test", "xn--bcher-kva.test"),
        ("under_score.test", "under_score.test"),
        ("trailing.test.", "trailing.test"),
        ("UPPER.Test", "upper.test"),
        ("r3---sn.test", "r3---sn.test"),
    ],
)
def test_a_name_is_asked_for_as_the_dns_knows_it(names, answering, run_inside, written, asked):
    server = names({asked: zone(A=[a()])})
    outcome = run_inside("stun", "--format", "json", f"stun:{written}")
    assert outcome.status == 0 and outcome.report["stun"][0]["serverAddress"] == MAIN, outcome.describe()
    assert {question.split(" ")[1] for question in server.asked} == {asked, f"_stun._udp.{asked}"}, server.asked


def test_a_name_of_the_link_is_not_looked_up_by_service(names, run_inside):
    """N07: names below .local are kept out of the DNS; whether the system asks there is the system's affair."""
    server = names({})
    outcome = run_inside("stun", "--format", "json", "stun:printer.local")
    assert outcome.status == 1 and not any(one.startswith("SRV") for one in server.asked), server.asked


def test_a_name_with_a_port_is_not_looked_up_by_service(names, answering, run_inside):
    server = names({"srv.test": zone(SRV=[srv("gone.test")], A=[a()])})
    outcome = run_inside("stun", "--format", "json", f"stun:srv.test:{PORT}")
    assert outcome.status == 0 and set(server.asked) == {"A srv.test", "AAAA srv.test"}, outcome.describe()


@pytest.mark.parametrize("format_", ["text", "json", "sdp"])
def test_what_a_resolver_says_reaches_no_terminal_raw(names, run_inside, format_):
    names(
        {
            "a.test": zone(SRV=[srv(ESCAPES), srv(b"a\nb")]),
            "b.test": zone(NAPTR=[naptr("srv-target.test", ESCAPES.decode("latin-1"))]),
            "c.test": zone(NAPTR=[naptr("x.test", "", expression=ESCAPES.decode("latin-1"))]),
        }
    )
    command = "candidates" if format_ == "sdp" else "stun"
    run_inside(command, "--format", format_, "stun:a.test", "turn:b.test", "turn:c.test", timeout=2)


@pytest.mark.parametrize(
    "literal, mapped",
    [
        ("[::1%25lo]", "[::1]"),
        ("[::1%lo]", "[::1]"),
        ("[::ffff:10.88.0.1]", "10.88.0.1"),
    ],
)
def test_a_literal_keeps_its_scope_to_itself(answering, machine, run_inside, literal, mapped):
    """N06: the zone steers the socket and stands in no address that another machine would read."""
    with machine.entered():
        local = serve("good", address="::1", port=PORT)
    with local:
        outcome = run_inside("stun", "--format", "json", f"stun:{literal}")
    [entry] = outcome.report["stun"]
    assert entry["ok"] == (mapped == "[::1]") or literal.startswith("[::ffff"), outcome.describe()
    if entry["ok"]:
        assert entry["mappedAddress"].startswith(mapped + ":"), outcome.describe()


def test_a_link_local_server_needs_its_interface(answering, machine, run_inside):
    outcome = run_inside("stun", "stun:[fe80::1]")
    assert outcome.status == 64 and b"%25" in outcome.errors, outcome.describe()
    assert len(outcome.errors.splitlines()) == 1 and outcome.output == b"", outcome.describe()
