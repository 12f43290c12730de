"""`icecheck explain`: every finding that the source can make, words as people write them, and slips of the pen."""

import json
import re

import pytest
from harness.running import ROOT, assert_safe

RULES = ROOT / "Sources/Diagnosis/Findings"


def test_every_finding_of_the_rules_is_explained_and_no_other(run):
    made = {found for rule in RULES.glob("*.swift") for found in re.findall(r'\bid: "([a-z0-9-]+)"', rule.read_text())}
    outcome = run("explain", "--format", "json")
    explained = {one["id"] for one in json.loads(outcome.text) if one["kind"] == "finding"}
    assert made and explained == made


def test_without_a_word_it_lists_everything_in_groups(run):
    outcome = run("explain")
    assert outcome.status == 0
    for heading in ("finding", "error code", "failure", "term"):
        assert re.search(rf"^ *{heading}$", outcome.text, re.MULTILINE), outcome.text
    assert_safe(outcome)


@pytest.mark.parametrize("word", ["438", "Error 438", "stale nonce"])
def test_an_error_code_says_when_it_is_normal_and_when_not(run, word):
    outcome = run("explain", word)
    assert outcome.status == 0 and "438 Stale Nonce" in outcome.text
    assert "balancer" in outcome.text and "RFC 8489" in outcome.text


def test_several_words_are_explained_in_turn(run):
    text = run("explain", "udp-blocked", "symmetric NAT").text
    assert text.index("udp-blocked") < text.index("address-and-port-dependent")


def test_an_unknown_word_gets_one_line_with_the_nearest(run):
    outcome = run("explain", "udp-bloked")
    assert outcome.status == 64 and outcome.output == b""
    assert outcome.errors.decode().strip() == "icecheck: no entry 'udp-bloked'; closest: udp-blocked"
    outcome = run("explain", "\x1b[31mnonsense")
    assert outcome.status == 64 and b"\x1b" not in outcome.errors
