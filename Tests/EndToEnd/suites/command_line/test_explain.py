"""`icecheck explain`: words as people write them, in text and JSON, and slips of the pen."""

import json
import re

import pytest
from harness.running import assert_safe


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


@pytest.mark.parametrize("words", [("udp-blocked", "symmetric NAT"), ("udp-blocked", "symmetric", "NAT")])
def test_several_words_are_explained_in_turn_quoted_or_not(run, words):
    text = run("explain", *words).text
    assert text.startswith("udp-blocked") and "\nsymmetric-nat  Symmetric NAT\n" in text


def test_json_has_what_a_finding_means_its_causes_and_its_remedy(run):
    one, = json.loads(run("explain", "udp-blocked", "--format", "json").text)
    assert one["kind"] == "finding" and all(one[key] for key in ("title", "meaning", "causes", "remedy"))


def test_an_unknown_word_gets_one_line_with_the_nearest(run):
    outcome = run("explain", "udp-bloked")
    assert outcome.status == 64 and outcome.output == b""
    assert outcome.errors.decode().strip() == "icecheck: no entry 'udp-bloked'; closest: udp-blocked, tcp-blocked"
    outcome = run("explain", "\x1b[31mnonsense")
    assert outcome.status == 64 and b"\x1b" not in outcome.errors
