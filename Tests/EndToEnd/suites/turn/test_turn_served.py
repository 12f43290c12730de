"""`icecheck turn` against `icecheck serve`: every transport, quotas, signals, and what is left behind."""

import re
import signal
import subprocess
import time

import pytest
from harness.running import Running, found_binary

USER, PASSWORD = "alice", "canary-served-9f31"
CREDENTIAL = ("--user", USER, "--password", PASSWORD)


class Relaying:
    """`icecheck serve` with an account, on ports of the system's choice."""

    def __init__(self, *more):
        self.lines = []
        self.process = subprocess.Popen(
            [found_binary(), "serve", "--listen", "127.0.0.1", "--listen", "::1", "--port", "0", "--tls-port", "0", "-v",
             "--user", f"{USER}:{PASSWORD}", *map(str, more)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.ports = {}
        while len(self.ports) < 8:
            line = self.process.stdout.readline()
            assert line and "cannot listen" not in line, [*self.lines, line]
            self.lines.append(line)
            if found := re.match(r"listening on (.*):(\d+) over (\w+)", line):
                self.ports[found[1], found[3]] = int(found[2])

    def uri(self, transport, address="127.0.0.1"):
        host = f"[{address}]" if ":" in address else address
        port = self.ports[host, transport.upper()]
        scheme = "turns" if transport in ("tls", "dtls") else "turn"
        return f"{scheme}:{host}:{port}?transport={'tcp' if transport in ('tcp', 'tls') else 'udp'}"

    def end(self):
        """Its last line's numbers: made, deleted, expired, left."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.lines += self.process.communicate(timeout=10)[0].splitlines(keepends=True)
        last = re.search(
            r"(\d+) allocations made, (\d+) deleted, (\d+) expired, \d+ ended with their connection, (\d+) left",
            "".join(self.lines),
        )
        return tuple(map(int, last.groups()))


@pytest.fixture
def relaying():
    servers = []

    def start(*more):
        servers.append(Relaying(*more))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls", "dtls"])
def test_relays_over_every_transport(run, relaying, transport, address):
    server = relaying()
    insecure = ["--insecure"] if transport in ("tls", "dtls") else []
    outcome = run("turn", server.uri(transport, address), *CREDENTIAL, *insecure, "--format", "json")
    assert outcome.status == 0, outcome.describe()
    entries = outcome.report["turn"]
    assert {entry["relayedFamily"] for entry in entries} == {"ipv4", "ipv6"}
    for entry in entries:
        assert entry["transport"] == transport and entry["ok"] and entry["deleted"] == "confirmed"
        assert entry["relay"]["received"] == entry["relay"]["sent"] >= 6
        assert entry["relay"]["channel"]["returned"] > 0 and entry["relay"]["indications"]["returned"] > 0
        if insecure:
            assert entry["tls"]["alpn"] == "stun.turn" and not entry["tls"]["verified"]
    # And from relay to relay, with two allocations more in each family.
    pairs = outcome.report["relayPairs"]
    assert {pair["relayedFamily"] for pair in pairs} == {"ipv4", "ipv6"} and all(pair["ok"] for pair in pairs), pairs
    assert server.end() == (6, 6, 0, 0)
    assert PASSWORD not in "".join(server.lines)


def test_without_insecure_its_own_certificate_is_refused(run, relaying):
    server = relaying()
    outcome = run("turn", server.uri("tls"), *CREDENTIAL, "--format", "json")
    assert outcome.status == 1
    assert [finding["id"] for finding in outcome.report["findings"]] == ["tls-self-signed"]
    assert server.end()[0] == 0


def test_a_temporary_credential_of_one_command_opens_the_other(run, relaying, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("canary-shared-5a1c\n")
    # Late in a second: a server that reads its clock in whole seconds is then almost a second behind for good.
    while time.time() % 1 < 0.9:
        time.sleep(0.005)
    server = relaying("--secret-file", secret)
    good = run("turn", server.uri("udp"), "-4", "--user", "carol", "--secret-file", secret, "--format", "json")
    assert good.status == 0, good.describe()
    made = run("turn", "credentials", "--user", "carol", "--secret-file", secret, "--ttl", "1").text.splitlines()
    username, password = (line.split(" ", 1)[1] for line in made)
    time.sleep(max(0, int(username.split(":")[0]) + 0.05 - time.time()))
    expired = run("turn", server.uri("udp"), "-4", "--user", username, "--password", password, "--format", "json")
    assert expired.status == 1
    assert expired.report["findings"][0]["id"] == "turn-credential-expired"
    for outcome in (good, expired):
        assert b"canary-shared" not in outcome.output + outcome.errors
    assert "canary" not in "".join(server.lines)


def test_a_quota_of_one_is_enough_for_a_check_of_every_transport(run, relaying):
    """The check's own allocations are not the user's: it waits for them to go."""
    server = relaying("--quota", 1)
    outcome = run("turn", server.uri("udp").split("?")[0], *CREDENTIAL, "--all-transports", "--format", "json")
    assert outcome.status == 0, outcome.describe()
    assert len(outcome.report["turn"]) == 4
    # For two relays at once there is no room: of each family's pair one was made.
    assert [pair["notMeasured"]["reason"] for pair in outcome.report["relayPairs"]] == ["limit", "limit"]
    assert server.end() == (6, 6, 0, 0)


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_nothing_is_left_behind_a_signal(relaying, number, status):
    server = relaying()
    running = Running(found_binary(), ["turn", server.uri("udp"), *CREDENTIAL, "--duration", 20, "--format", "json"])
    while "allocation made" not in server.lines[-1]:
        server.lines.append(server.process.stdout.readline())
    time.sleep(0.3)
    running.signal(number)
    outcome = running.wait()
    assert outcome.status == status and outcome.after_signal < 2
    assert outcome.report["interrupted"] and all(entry["deleted"] == "confirmed" for entry in outcome.report["turn"])
    made, deleted, expired, left = server.end()
    assert made == deleted and left == 0


def test_the_deadline_leaves_nothing_behind(run, relaying):
    server = relaying()
    outcome = run("turn", server.uri("udp"), "-4", *CREDENTIAL, "--duration", 20, "--timeout", 1, "--format", "json")
    assert outcome.unhindered < 2.5 and outcome.report["turn"][0]["deleted"] == "confirmed"
    assert server.end() == (1, 1, 0, 0)


def test_a_certificate_and_its_key_go_together(run):
    outcome = run("serve", "--port", "0", "--user", "a:b", "--cert", "x.pem")
    assert outcome.status == 64 and b"--cert and --key go together" in outcome.errors
