"""The certificates are wrong in what their names say, and in nothing else: OpenSSL's own words for each."""

import subprocess

import pytest
from fakes.certificates import KINDS, NAME, made

VERDICTS = {
    "good": "OK",
    "expired": "certificate has expired",
    "not-yet-valid": "certificate is not yet valid",
    "wrong-name": "hostname mismatch",
    "no-ip": "OK",
    # OpenSSL takes the subject's name where there are no others; RFC 6125 no longer does.
    "common-name-only": "OK",
    "wildcard-too-deep": "hostname mismatch",
    "self-signed": "self-signed certificate",
    "unknown-root": "self-signed certificate in certificate chain",
    "incomplete-chain": "unable to get local issuer certificate",
    "weak-key": "EE certificate key too weak",
    "sha1": "CA signature digest algorithm too weak",
}


def verify(name, *options):
    # `-untrusted` takes what comes with the leaf, as a client takes it from the handshake.
    chain = made()[name].chain
    words = ["openssl", "verify", "-CAfile", made().root, "-untrusted", chain, "-auth_level", "2", *options, chain]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    return "OK" if done.returncode == 0 else done.stderr


def test_every_kind_has_a_verdict():
    assert VERDICTS.keys() == KINDS.keys()


@pytest.mark.parametrize("name", KINDS)
def test_is_wrong_in_its_own_way(name):
    assert VERDICTS[name] in verify(name, "-verify_hostname", NAME)


@pytest.mark.parametrize("name, verdict", [("good", "OK"), ("no-ip", "IP address mismatch")])
def test_is_for_the_address_or_not(name, verdict):
    assert verdict in verify(name, "-verify_ip", "127.0.0.1")


def test_are_made_once():
    assert made() is made()
