"""The relays of `icecheck connect` are reached as those of `icecheck turn`."""

import json
import shlex
import subprocess

import pytest
from fakes.hostile_turn import serve, uri
from fakes.stunwire import parse
from fakes.turnwire import ALLOCATE, PASSWORD, REQUESTED_ADDRESS_FAMILY, USER, method_of
from harness.running import found_binary

LOCAL = ("-4", "--bind", "127.0.0.1", "--timeout", "15", "--duration", "0.2", "--format", "json")


def connect(server, transport, tmp_path, *options):
    """Both reports of two ends of which the first has the server's relays only, and its exit status."""
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    binary = str(found_binary())
    other = shlex.join([binary, "connect", *LOCAL, "--stdio", "--output", str(files[1])])
    credentials = ("--user", USER, "--password", PASSWORD)
    one = [binary, "connect", *LOCAL, "--output", str(files[0]), "--via", other, "--force", "relay", *options]
    done = subprocess.run(
        [*one, *credentials, uri(server, transport)], stdin=subprocess.DEVNULL, capture_output=True, timeout=40,
        check=False,
    )  # fmt: skip
    assert files[0].exists(), done.stderr
    return [json.loads(file.read_text()) for file in files], done.returncode


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_redirect_leads_to_a_relayed_candidate(transport, tmp_path):
    with serve("redirect-once") as server:
        (report, _), status = connect(server, transport, tmp_path)
        kinds = {candidate["type"] for candidate in report["connect"]["localCandidates"]}
        assert kinds == {"relayed"} and status == 0, report["verdict"]
        assert {place for _, _, _, place in server.received} == {0, 1}
        assert not server.left()


def test_a_redirect_is_not_followed_where_the_options_say_so(tmp_path):
    with serve("redirect-once") as server:
        (report, _), status = connect(server, "udp", tmp_path, "--no-redirect")
        assert status == 1 and not report["connect"]["localCandidates"]
        assert "candidates-not-gathered" in {finding["id"] for finding in report["findings"]}
        assert {place for _, _, _, place in server.received} == {0}


def test_only_the_families_of_the_options_are_asked_for(tmp_path):
    with serve("redirect-once") as server:
        (report, _), _ = connect(server, "udp", tmp_path)
        requests = [parse(data) for _, data, _, _ in server.received if data[0] < 4]
        allocates = [request for request in requests if method_of(request.kind) == ALLOCATE]
        assert allocates and not any(request.value(REQUESTED_ADDRESS_FAMILY) for request in allocates)
        assert "candidates-not-gathered" not in {finding["id"] for finding in report["findings"]}
