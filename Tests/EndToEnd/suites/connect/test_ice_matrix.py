"""Real ICE ends behind real NATs of every kind: what joins them is what the RFCs let, what icecheck predicts, and the
same whoever the other end is. `Scripts/ice-matrix` prints all of it; here each pair of networks is met once.

A pair that cannot be joined costs the patience that it is given, so that is short: it is five times what a pair takes
that can.
"""

import subprocess
import sys

import pytest
from harness.running import HERE
from harness.waiting import wait_until
from labs.icematrix import MEETINGS, NETWORKS, TURNS, Cell, Labs, Predictions, meet
from labs.labels import LABELS
from labs.namespaces import command
from peers.aioice_end import PACKAGES
from peers.chromium_end import is_installed
from peers.iceends import join

PATIENCE, PATIENCE_IN_VAIN = 15, 2.5

PAIRS = [(a, b) for place, a in enumerate(NETWORKS) for b in NETWORKS[place:]]
# Each pair once, and among all meetings in both orders.
TRANSPOSED = [pair[::-1] for pair in PAIRS]


def rule(first, second):
    """What ICE finds without a relay, from RFC 4787's words alone."""
    one, other = (LABELS[name].ipv4 for name in (first, second))
    kinds = [{"none": "host", "endpoint-independent": "srflx"}.get(end.mapping, "prflx") for end in (one, other)]
    strict = "address-and-port-dependent"
    if kinds == ["prflx", "prflx"]:
        # Only a filter that lets everyone in takes the first check; its sender must take the answer from another port,
        # and one of both must go on from the port that it was seen at.
        filters = {one.filtering, other.filtering}
        meets = (
            "endpoint-independent" in filters and strict not in filters and {one.mapping, other.mapping} != {strict}
        )
    else:
        # The checks of an end whose port nobody can know come unasked for from that port.
        meets = not any(
            kind == "prflx" and peer.filtering == strict for kind, peer in zip(kinds, (other, one))
        )
    return Cell("direct", *kinds) if meets else Cell("none")


@pytest.fixture(scope="module")
def labs(permitted, coturn_installed):
    with Labs() as made:
        yield made


def labs_for_browsers(hide):
    if not is_installed():
        pytest.skip("Chromium is not installed (Debian: chromium, chromium-driver)")
    with Labs(browsers=hide) as made:
        yield made


@pytest.fixture(scope="module")
def labs_with_browsers(permitted, coturn_installed):
    yield from labs_for_browsers(hide=False)


@pytest.fixture(scope="module")
def labs_with_hidden_browsers(permitted, coturn_installed):
    yield from labs_for_browsers(hide=True)


@pytest.fixture(scope="module")
def aioice_installed():
    if not (PACKAGES / "aioice").exists():
        pytest.skip("aioice is not installed (Scripts/install-packages test)")


@pytest.fixture(scope="module")
def predictions(binary, labs):
    with Predictions(labs) as made:
        yield made


@pytest.fixture(scope="module")
def dual_labs(permitted, coturn_installed):
    with Labs(families=(4, 6)) as made:
        yield made


@pytest.fixture(scope="module")
def dual_predictions(binary, dual_labs):
    with Predictions(dual_labs) as made:
        yield made


def met(labs, meeting, names, turn, expected):
    patience = PATIENCE if expected.way != "none" else PATIENCE_IN_VAIN
    return meet(labs.at(*names), meeting, turn, patience)


def agrees(cell, expected, turn):
    """Whether it is what was predicted. Where each end has a relay, either's may carry the data: which pair is ready
    when one is nominated is a matter of milliseconds, and so of what else the machine does. An end that had no
    processor may find any relay ready before a better path."""
    if turn == "both" and cell.way == "relayed" and cell.stalled > 0.05:
        return expected.way in ("direct", "relayed")
    if turn == "both" and expected.way == "relayed":
        return cell.way == "relayed" and sorted([cell.first, cell.second]) == sorted([expected.first, expected.second])
    return cell.result == expected.result


def named(values):
    return "-".join(one.removeprefix("nat-") for one in values) if isinstance(values, tuple) else None


# The labs themselves: an implementation that is not icecheck's finds what the rule says.
ALONE = [pair for place, pair in enumerate(PAIRS) if place % 5 == 0]


@pytest.mark.parametrize("names", ALONE, ids=named)
def test_aioice_alone_finds_what_the_rule_lets(labs, aioice_installed, names):
    expected = rule(*names)
    cell = met(labs, "aioice-alone", names, "none", expected)
    assert cell.result == expected.result, cell.detail


@pytest.mark.parametrize("names", [("nat-apdm-apdf", "nat-apdm-apdf"), ("nat-eim-apdf", "nat-adm-apdf")], ids=named)
@pytest.mark.parametrize("turn", ["both", "first", "second"])
def test_aioice_alone_is_relayed_where_there_is_no_other_way(labs, aioice_installed, names, turn):
    cell = meet(labs.at(*names), "aioice-alone", turn, PATIENCE)
    assert cell.way == "relayed", cell.detail


@pytest.mark.parametrize("hides", [True, False], ids=["hidden", "shown"])
def test_chromium_alone_meets_itself_and_hides_its_addresses_unless_told(permitted, coturn_installed, hides):
    if not is_installed():
        pytest.skip("Chromium is not installed (Debian: chromium, chromium-driver)")
    with Labs() as labs:
        lab = labs.at("nat-adm-adf", "nat-eim-adf")
        lab.start_browsers(hides_addresses=hides)
        page = lab.browsers[0].connection([{"urls": "stun:11.0.0.2"}])
        offer = page.describe()
        page.close()
        assert (".local " in offer["sdp"]) == hides and (lab.ends[0].address(4) in offer["sdp"]) != hides
        assert meet(lab, "chromium-alone", "none", PATIENCE).result == rule("nat-adm-adf", "nat-eim-adf").result


KILLED = """
import os, signal
from labs.icelab import ICELab
lab = ICELab("masquerade", "no-nat")
lab.start_browsers()
print(*[browser._driver.pid for browser in lab.browsers], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_no_browser_is_left_of_a_run_that_is_killed(permitted):
    if not is_installed():
        pytest.skip("Chromium is not installed (Debian: chromium, chromium-driver)")
    done = subprocess.run([sys.executable, "-c", KILLED], cwd=HERE, stdout=subprocess.PIPE, text=True, timeout=60)
    groups = set(done.stdout.split())
    assert len(groups) == 2
    assert wait_until(lambda: not groups & set(command("ps", "-eo", "pgid=").split()))


# The prediction


@pytest.mark.parametrize("names", PAIRS, ids=named)
def test_what_is_predicted_is_what_the_rule_lets(predictions, names):
    for pair in (names, names[::-1]):
        predicted = predictions.of(*pair)
        assert predicted.result == rule(*pair).result and not predicted.detail


# What icecheck does


@pytest.mark.parametrize("turn", ["none", "both"])
@pytest.mark.parametrize("names", PAIRS, ids=named)
def test_two_of_icecheck_find_what_is_predicted(labs, predictions, names, turn):
    expected = predictions.of(*names, turn)
    cell = met(labs, "icecheck", names, turn, expected)
    assert agrees(cell, expected, turn), f"{cell} for {expected}: {cell.detail}"


# With TURN every third pair: the whole is printed by Scripts/ice-matrix.
@pytest.mark.parametrize(
    "names, turn", [(names, "none") for names in TRANSPOSED] + [(names, "both") for names in TRANSPOSED[::3]], ids=named
)
def test_icecheck_and_aioice_find_what_is_predicted(labs, predictions, aioice_installed, names, turn):
    expected = predictions.of(*names, turn)
    cell = met(labs, "aioice", names, turn, expected)
    assert agrees(cell, expected, turn), f"{cell} for {expected}: {cell.detail}"


@pytest.mark.parametrize("turn", ["first", "second"])
@pytest.mark.parametrize("names", [("nat-apdm-apdf", "nat-eim-apdf"), ("nat-adm-adf", "nat-apdm-adf")], ids=named)
@pytest.mark.parametrize("meeting", ["icecheck", "aioice"])
def test_a_relay_of_one_side_is_enough(labs, predictions, aioice_installed, meeting, names, turn):
    expected = predictions.of(*names, turn)
    assert expected.way == "relayed"
    cell = met(labs, meeting, names, turn, expected)
    assert cell.result == expected.result, cell.detail


@pytest.mark.parametrize(
    "names, turn",
    [
        (("nat-eim-apdf", "nat-eim-apdf"), "none"),
        (("nat-apdm-apdf", "nat-adm-apdf"), "none"),
        (("nat-apdm-adf", "nat-eim-adf"), "both"),
        (("nat-apdm-apdf", "nat-apdm-apdf"), "both"),
        (("nat-apdm-apdf", "nat-eim-apdf"), "second"),
    ],
    ids=named,
)
def test_lines_of_icecheck_lead_to_what_is_predicted_of_either_end_in_control(labs, predictions, names, turn):
    expected = predictions.of(*names, turn)
    mirrored = predictions.of(*names[::-1], {"second": "first"}.get(turn, turn))
    cell = met(labs, "line", names, turn, expected)
    assert cell.result in (expected.result, (mirrored.way, mirrored.second, mirrored.first)), cell.detail


@pytest.mark.parametrize(
    "names, turn",
    [
        (("nat-eim-apdf", "nat-eim-adf"), "none"),
        (("nat-apdm-apdf", "nat-adm-apdf"), "none"),
        (("nat-apdm-adf", "no-nat"), "none"),
        (("nat-apdm-apdf", "nat-eim-apdf"), "first"),
    ],
    ids=named,
)
def test_the_ends_say_what_they_had_expected_and_that_it_was_so(labs, binary, names, turn):
    # That nothing works is known after 11.5 s, when the last check has been given up.
    ends = join(labs.at(*names), *MEETINGS["line"], TURNS[turn], patience=20)
    # Whoever knows first that nothing works leaves, and the other has only that to tell.
    told = [end for end in ends if end.detail != "peer-left"]
    assert len(told) == 2 or told and not any(end.connected for end in ends), ends
    for end in told:
        assert end.expected and end.expected["agrees"] and "dependsOn" not in end.expected, ends
        assert end.expected["outcome"] == end.way, ends


# Other networks, with both families: with one name, both ends are behind one router.
OTHERS = [
    (("no-nat",), "none"),
    (("nat-apdm-apdf",), "none"),
    (("masquerade",), "both"),
    (("double-nat",), "none"),
    (("double-nat", "masquerade"), "none"),
    (("double-nat", "double-nat"), "none"),
    (("firewall", "masquerade"), "none"),
    (("firewall", "nat-adm-eif"), "both"),
    (("masquerade-random", "masquerade"), "none"),
    (("masquerade-random", "masquerade"), "both"),
    (("masquerade-fully-random", "no-nat"), "none"),
    (("ipv6-only", "masquerade"), "none"),
    (("udp-dropped", "no-nat"), "none"),
]


@pytest.mark.parametrize("names, turn", OTHERS, ids=named)
def test_other_networks_are_as_predicted_with_both_families(dual_labs, dual_predictions, names, turn):
    expected = dual_predictions.of(*names, turn=turn)
    cell = met(dual_labs, "icecheck", names, turn, expected)
    # Of the relays of two families, which pair is ready when one is nominated is a matter of milliseconds: a check
    # that comes to a relay before its permission is lost, and sent again after half a second.
    assert cell.way == expected.way, cell.detail
    assert cell.result == expected.result or cell.way == "relayed", cell.detail


@pytest.mark.parametrize("meeting", ["icecheck", "aioice"])
@pytest.mark.parametrize(
    "names, turn", [(("udp-dropped", "no-nat"), "first"), (("masquerade", "udp-rejected"), "second")], ids=named
)
def test_turn_over_tcp_gets_out_where_udp_does_not(labs, predictions, aioice_installed, meeting, names, turn):
    assert predictions.of(*names, turn).way == "relayed"
    assert meet(labs.at(*names), meeting, turn, PATIENCE).way == "relayed"


BROWSER_CELLS = [
    ("no-nat", "no-nat", "none"),
    ("no-nat", "nat-apdm-apdf", "none"),
    ("nat-eim-eif", "nat-eim-apdf", "none"),
    ("nat-adm-eif", "nat-adm-adf", "none"),
    ("nat-apdm-adf", "nat-eim-adf", "none"),
    ("nat-eim-apdf", "nat-apdm-eif", "none"),
    ("nat-apdm-apdf", "nat-apdm-apdf", "both"),
    ("nat-eim-apdf", "nat-adm-apdf", "both"),
    # Where Chromium with itself finds nothing.
    ("nat-apdm-eif", "nat-apdm-eif", "both"),
    ("nat-adm-adf", "nat-eim-eif", "both"),
    ("nat-apdm-apdf", "nat-eim-apdf", "first"),
    ("nat-eim-apdf", "nat-apdm-apdf", "second"),
]


@pytest.mark.parametrize("first, second, turn", BROWSER_CELLS)
def test_icecheck_and_chromium_find_what_is_predicted(labs_with_browsers, predictions, first, second, turn):
    """In Chromium's words ICE and DTLS are connected."""
    expected = predictions.of(first, second, turn)
    cell = met(labs_with_browsers, "chromium", (first, second), turn, expected)
    assert agrees(cell, expected, turn), f"{cell} for {expected}: {cell.detail}"


@pytest.mark.parametrize(
    "names, kinds",
    [
        # On one link the name is answered; from elsewhere the address is known from the server alone.
        (("masquerade",), ("host", "host")),
        (("nat-eim-apdf", "nat-eim-adf"), ("srflx", "srflx")),
        (("nat-eim-eif", "no-nat"), ("srflx", "srflx")),
    ],
    ids=["one-link", "two-nats", "no-nat"],
)
def test_icecheck_finds_a_browser_that_hides_its_addresses(labs_with_hidden_browsers, binary, names, kinds):
    cell = meet(labs_with_hidden_browsers.at(*names), "chromium", "none", PATIENCE)
    assert cell.result == ("direct", *kinds), cell.detail
