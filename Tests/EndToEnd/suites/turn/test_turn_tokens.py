"""Third-party authorization (RFC 7635) against Debian's coturn: tokens that it takes, and each way in which it does not.

coturn takes keys of 20 bytes, and of these it uses the first 16; icecheck tries the whole key first.
"""

import base64
import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import time

import pytest
from fakes.coturn import Coturn
from fakes.turnwire import REALM
from harness.running import Running, assert_safe, no_core_dumps

KEY_ID = "kid-22BIjxU93h"
# Text, so that a leak is seen in whatever way it is written.
KEY, LONG_KEY, OTHER_KEY = b"canary-key-9f3be1c07", b"canary-key-" + b"a" * 21, b"canary-oth-71d0c2ae4"


@pytest.fixture(autouse=True, scope="module")
def installed():
    for name in ("turnserver", "turnutils_oauth"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed (Debian: coturn)")


def base64_of(value):
    return base64.b64encode(value).decode()


class Issuer:
    """An authorization server that shares a key with the TURN server."""

    def __init__(self):
        self.key, self.written = secrets.token_bytes(32), []

    def admit(self, server, key_id=KEY_ID):
        """Puts the shared key into the server's table."""
        with sqlite3.connect(server.directory / "users", timeout=10) as database:
            database.execute(
                "create table if not exists oauth_key (kid varchar(128), ikm_key varchar(256), timestamp bigint default "
                "0, lifetime integer default 0, as_rs_alg varchar(64) default '', realm varchar(127) default '', "
                "primary key (kid))"
            )
            database.execute(
                "insert into oauth_key (kid, ikm_key, timestamp, lifetime, as_rs_alg, realm) values (?, ?, 0, 0, ?, '')",
                (key_id, base64_of(self.key), "A256GCM"),
            )

    def token(self, mac_key=KEY, server_name=REALM, made=None, lifetime=600):
        """An access token, base64."""
        made = int(time.time()) if made is None else made
        words = {
            "-i": server_name, "-j": KEY_ID, "-k": base64_of(self.key), "-l": made - 60, "-m": 10**6, "-n": "A256GCM",
            "-o": base64_of(secrets.token_bytes(12)), "-p": base64_of(mac_key), "-q": made << 16, "-r": lifetime,
        }  # fmt: skip
        said = subprocess.run(
            ["turnutils_oauth", "-e", *(str(word) for pair in words.items() for word in pair)],
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        token = re.search(rb'"access_token":"([^"]+)"', said)[1].decode()
        self.written.append(token)
        return token


def answer(token, mac_key=KEY, **more):
    """What an authorization server says."""
    return {
        "access_token": token, "token_type": "pop", "expires_in": 600, "kid": KEY_ID, "key": base64_of(mac_key),
        "alg": "HMAC-SHA-256-128",
    } | more  # fmt: skip


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def server(issuer):
    with Coturn(addresses=["127.0.0.1"], more=["oauth"]) as server:
        issuer.admit(server)
        yield server


class Asked:
    """A run of `icecheck turn`, and that nothing of a token or key is in what it writes, in either format."""

    def __init__(self, binary, issuer, words, content=None, tmp_path=None, environment=None):
        self.binary, self.issuer, self.words = binary, issuer, [str(word) for word in words]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ICECHECK_TURN")}
        self.environment = clean | (environment or {})
        if content is not None:
            path = tmp_path / "token.json"
            path.write_text(content if isinstance(content, str) else json.dumps(content))
            self.words += ["--access-token-file", str(path)]

    def run(self, *more):
        outcome = Running(
            self.binary, ["turn", *self.words, *more], limits=no_core_dumps, environment=self.environment
        ).wait(patience=60)
        assert_safe(outcome)
        hidden = [KEY, LONG_KEY, OTHER_KEY]
        hidden += [base64_of(key).encode() for key in hidden] + [token.encode() for token in self.issuer.written]
        for canary in hidden:
            assert canary[:20] not in outcome.output + outcome.errors, outcome.describe()
        return outcome

    def findings(self, status):
        """The ids of the JSON report; the text report comes to the same."""
        assert self.run().status == status
        outcome = self.run("--format", "json")
        assert outcome.status == status, outcome.describe()
        return [finding["id"] for finding in outcome.report["findings"]], outcome


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_token_is_taken(binary, issuer, server, tmp_path, transport):
    asked = Asked(binary, issuer, [server.uri(transport)], answer(issuer.token()), tmp_path)
    findings, outcome = asked.findings(0)
    # coturn cuts the key: that it does is a finding, and no obstacle.
    assert findings == ["turn-token-key-cut"], outcome.describe()
    (entry,) = [one for one in outcome.report["turn"] if "notMeasured" not in one]
    assert entry["stage"] == "relay" and entry["relay"]["received"] > 0
    assert server.allocations_left() == []


def test_a_key_as_plain_text_is_taken(binary, issuer, server, tmp_path):
    """As in RFC 7635's own example, and as turnutils_oauth writes it."""
    content = answer(issuer.token()) | {"key": KEY.decode()}
    assert Asked(binary, issuer, [server.uri()], content, tmp_path).findings(0)[0] == ["turn-token-key-cut"]


def test_a_token_comes_from_the_environment_too(binary, issuer, server):
    environment = {"ICECHECK_TURN_ACCESS_TOKEN": json.dumps(answer(issuer.token()))}
    asked = Asked(binary, issuer, [server.uri()], environment=environment)
    assert asked.findings(0)[0] == ["turn-token-key-cut"]


def test_a_token_comes_from_an_ice_servers_object_too(binary, issuer, server, tmp_path):
    path = tmp_path / "servers.json"
    credential = {"macKey": base64_of(KEY), "accessToken": issuer.token()}
    path.write_text(
        json.dumps(
            {"iceServers": [{
                "urls": server.uri(), "username": KEY_ID, "credentialType": "oauth", "credential": credential,
            }]}
        )
    )  # fmt: skip
    asked = Asked(binary, issuer, ["--ice-servers", path])
    assert asked.findings(0)[0] == ["turn-token-key-cut"]


def test_a_key_that_coturn_cannot_use_is_named(binary, issuer, server, tmp_path):
    asked = Asked(binary, issuer, [server.uri()], answer(issuer.token(LONG_KEY), LONG_KEY), tmp_path)
    findings, outcome = asked.findings(1)
    assert findings[0] == "turn-token-refused", outcome.describe()
    assert "32 bytes" in outcome.report["findings"][0]["causes"][0]


def test_an_expired_token_is_refused_and_its_age_said_where_it_is_known(binary, issuer, server, tmp_path):
    made = int(time.time()) - 4000
    token = issuer.token(made=made)
    asked = Asked(binary, issuer, [server.uri()], answer(token), tmp_path)
    findings, outcome = asked.findings(1)
    assert findings[0] == "turn-token-refused", outcome.describe()
    assert "expired" in outcome.report["findings"][0]["causes"][0]
    dated = Asked(binary, issuer, [server.uri()], answer(token, expires_at=made + 600), tmp_path)
    findings, outcome = dated.findings(1)
    assert findings[0] == "turn-token-expired", outcome.describe()
    assert server.sessions_made() == []


def test_a_wrong_key_a_wrong_key_id_and_a_wrong_server_name_are_refused(binary, issuer, server, tmp_path):
    for content in (
        answer(issuer.token(), OTHER_KEY),
        answer(issuer.token(), kid="another"),
        answer(issuer.token(server_name="other.example")),
    ):
        before = len(server.errors_sent())
        findings, outcome = Asked(binary, issuer, [server.uri()], content, tmp_path).findings(1)
        assert findings[:1] == ["turn-token-refused"], outcome.describe()
        assert any(f'"{REALM}"' in line for line in outcome.report["findings"][0]["evidence"]), outcome.describe()
        # Unsigned, with the whole key and with a cut one, for each of two runs; and what a busy server answers late is
        # sent once more.
        assert 0 < len(server.errors_sent()) - before <= len(outcome.report["turn"]) * 3 * 2 * 2, server.log
    assert server.sessions_made() == []


def test_a_server_without_third_party_authorization_is_named(binary, issuer, tmp_path):
    with Coturn(addresses=["127.0.0.1"]) as server:
        findings, outcome = Asked(binary, issuer, [server.uri()], answer(issuer.token()), tmp_path).findings(1)
        assert findings[0] == "turn-token-not-taken", outcome.describe()
        assert 'oauth' in outcome.report["findings"][0]["remedy"]
        # The token is not given away to a server that did not ask for one: the unsigned requests alone were sent.
        assert "ACCESS" not in server.log and server.sessions_made() == []


@pytest.mark.parametrize(
    "content, words",
    [
        ("not json", "not JSON"),
        ("[]", "a list"),
        (answer("AAAA") | {"token_type": "Bearer"}, "type pop"),
        ({"error": "invalid_grant"}, "refused"),
        ({"kid": "a", "key": "AAAA"}, "'access_token' is missing"),
        ({"kid": "a", "access_token": "AAAA"}, "'key' is missing"),
        (answer("AA!AA"), "'access_token' is no base64"),
        (answer("AAAA") | {"key": 3}, "'key' is a number"),
        (answer("AAAA") | {"kid": None}, "'kid' is missing"),
        (answer("A" * 2000), "at most 1024"),
    ],
)
def test_a_bad_file_gets_one_clear_line(binary, issuer, tmp_path, content, words):
    outcome = Asked(binary, issuer, ["turn:127.0.0.1:9"], content, tmp_path).run()
    assert outcome.status == 64, outcome.describe()
    assert words in outcome.errors.decode() and len(outcome.errors.decode().strip().splitlines()) <= 2


def test_options_that_contradict_a_token_are_refused(binary, issuer, tmp_path):
    for words in (["--password", "x", "--user", "a"], ["--secret", "x"], ["--user", "another"]):
        outcome = Asked(binary, issuer, ["turn:127.0.0.1:9", *words], answer("AAAA"), tmp_path).run()
        assert outcome.status == 64, outcome.describe()
