"""A machine that refuses, lacks or changes something: each is named, and no refusal ends more than it must."""

import ctypes
import os
import resource
import shutil
import struct
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from fakes.hostile import serve
from harness.running import Running, assert_safe, no_core_dumps

MEGABYTE = 1 << 20
NOBODY = 65534
PORT = 3478
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="it takes root to become another user or to mount")


def uri(server):
    return f"stun:127.0.0.1:{server.port}"


def needs(tool):
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


@pytest.fixture
def good():
    with serve("good") as server:
        yield server


# P03: what the system refuses

# Before it, the list of interfaces is asked of the kernel with two calls of the same name.
FIRST_DATAGRAM = 3


def under_strace(binary, injections, *arguments, timeout=30):
    """Runs icecheck with system calls that fail: `sendto:error=ENOBUFS:when=1`."""
    with tempfile.NamedTemporaryFile() as trace:
        inject = [word for one in injections for word in ("-e", f"inject={one}")]
        command = ["-f", "-qq", "-o", trace.name, *inject, binary, *arguments]
        outcome = Running("strace", command, limits=no_core_dumps).wait(timeout)
        if b"PTRACE" in outcome.errors:
            pytest.skip("this machine permits no ptrace")
        assert b"INJECTED" in trace.read(), f"{injections} were never called"
    assert_safe(outcome)
    return outcome


@needs("strace")
@pytest.mark.parametrize(
    "errno, kind",
    [
        ("ENOBUFS", "local"),
        ("ENOMEM", "local"),
        ("EPERM", "not-permitted"),
        ("EACCES", "not-permitted"),
        ("ENETUNREACH", "no-route"),
        ("EADDRNOTAVAIL", "local"),
        ("EINVAL", "local"),
    ],
)
def test_a_send_that_is_refused_is_named(binary, good, errno, kind):
    outcome = under_strace(
        binary, [f"sendto:error={errno}:when={FIRST_DATAGRAM}+"], "stun", "--format", "json", "--timeout", "1", uri(good)
    )
    [entry] = outcome.report["stun"]
    assert (outcome.status, entry["error"]["kind"]) == (1, kind), outcome.describe()
    assert good.received == [] and outcome.unhindered < 5, outcome.describe()


@needs("strace")
@pytest.mark.parametrize("errno", ["ENOBUFS", "ENOMEM"])
def test_a_shortage_that_passes_is_no_failure(binary, good, errno):
    outcome = under_strace(
        binary, [f"sendto:error={errno}:when={FIRST_DATAGRAM}"], "stun", "--format", "json", "--timeout", "3", uri(good)
    )
    assert (outcome.status, outcome.report["stun"][0]["ok"]) == (0, True), outcome.describe()


@needs("strace")
@pytest.mark.parametrize("call, number", [("sendto", FIRST_DATAGRAM), ("recvmsg", 4), ("epoll_pwait2", 1), ("write", 1)])
def test_an_interrupted_system_call_is_called_again(binary, good, call, number):
    outcome = under_strace(binary, [f"{call}:error=EINTR:when={number}"], "stun", "--format", "json", uri(good))
    assert (outcome.status, outcome.report["stun"][0]["ok"]) == (0, True), outcome.describe()


@needs("strace")
@pytest.mark.parametrize("call, status", [("epoll_create1", 70), ("pipe2", 70)])
def test_without_an_event_loop_there_is_one_line(binary, good, call, status):
    outcome = under_strace(binary, [f"{call}:error=EMFILE"], "stun", uri(good))
    assert outcome.status == status and outcome.output == b"", outcome.describe()
    assert len(outcome.errors.splitlines()) == 1 and b"Too many open files" in outcome.errors, outcome.describe()


@needs("strace")
@pytest.mark.parametrize("errno", ["EADDRNOTAVAIL", "EADDRINUSE", "EACCES"])
def test_a_bind_that_is_refused_ends_its_own_probes_only(binary, errno):
    with serve("good") as one:
        outcome = under_strace(binary, [f"bind:error={errno}"], "stun", "--format", "json", "--timeout", "1", uri(one))
    assert outcome.status in (1, 70) and outcome.unhindered < 5, outcome.describe()
    if outcome.status == 1:
        assert outcome.report["stun"][0]["error"]["kind"] in ("local", "not-permitted"), outcome.describe()
    else:
        assert len(outcome.errors.splitlines()) == 1, outcome.describe()


@needs("strace")
def test_without_threads_a_name_fails_and_an_address_does_not(binary, good):
    outcome = under_strace(
        binary, ["clone,clone3:error=EAGAIN"], "stun", "--format", "json", "--timeout", "3", "stun:a.test", uri(good)
    )
    entries = outcome.report["stun"]
    assert [entry["ok"] for entry in entries] == [False, True], outcome.describe()
    assert entries[0]["error"]["kind"] == "name-not-resolved", outcome.describe()
    assert "thread" in entries[0]["error"]["message"], outcome.describe()
    assert outcome.status == 1 and outcome.unhindered < 3, outcome.describe()


def without_ipv6_sockets():
    """A seccomp filter, as containers have: socket(AF_INET6) is EAFNOSUPPORT."""
    no_core_dumps()
    machine = os.uname().machine
    number = {"x86_64": 41, "aarch64": 198}[machine]
    load, equal, ret = 0x20, 0x15, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | 97
    steps = [
        (load, 0, 0, 0),  # The number of the system call,
        (equal, 0, 3, number),
        (load, 0, 0, 16),  # and its first argument.
        (equal, 0, 1, 10),
        (ret, 0, 0, refuse),
        (ret, 0, 0, allow),
    ]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    word = ctypes.c_ulong
    if libc.prctl(38, word(1), word(0), word(0), word(0)) or libc.prctl(22, word(2), program):
        raise OSError(ctypes.get_errno(), "seccomp")


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
@pytest.mark.parametrize("command", ["stun", "check"])
def test_a_sandbox_without_ipv6_costs_ipv6_only(run, good, command):
    outcome = run(
        command, "--format", "json", "--timeout", "2", "stun:[::1]:9", uri(good), limits=without_ipv6_sockets
    )
    ok = {entry["server"]: entry["ok"] for entry in outcome.report["stun"] if entry["transport"] == "udp"}
    assert (outcome.status, ok) == (1, {"stun:[::1]:9": False, uri(good): True}), outcome.describe()
    failed = next(entry for entry in outcome.report["stun"] if not entry["ok"])
    assert failed["error"]["kind"] == "no-route", outcome.describe()
    assert outcome.unhindered < 2.5, outcome.describe()


@pytest.mark.parametrize("descriptors", [9, 12, 16, 24])
def test_out_of_descriptors_some_connections_are_not_made(run, descriptors):
    """Each TCP connection takes one: those that get none say why, and the others are measured."""

    def few_descriptors():
        no_core_dumps()
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    with ExitStack() as servers:
        uris = [uri(servers.enter_context(serve("tcp-good"))) for _ in range(40)]
        arguments = ("--transport", "tcp", "--format", "json", "--timeout", "2")
        outcome = run("stun", *arguments, *uris, limits=few_descriptors)
    entries = outcome.report["stun"]
    refused = [entry for entry in entries if not entry["ok"]]
    assert outcome.status == 1 and len(entries) == 40 and outcome.unhindered <= 2.5, outcome.describe()
    assert refused and len(refused) < 40, f"{len(refused)} of 40 were refused"
    assert {entry["error"]["kind"] for entry in refused} == {"local"}, outcome.describe()
    assert all("out of sockets" in entry["error"]["message"] for entry in refused), outcome.describe()


def test_out_of_descriptors_a_name_says_so(run):
    def few_descriptors():
        no_core_dumps()
        resource.setrlimit(resource.RLIMIT_NOFILE, (7, 7))

    outcome = run("stun", "--timeout", "2", "stun:a.invalid", limits=few_descriptors)
    assert outcome.status in (1, 70) and outcome.unhindered <= 2.5, outcome.describe()
    assert b"Too many open files" in outcome.output + outcome.errors, outcome.describe()


def as_nobody():
    no_core_dumps()
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


@pytest.fixture
def run_as_nobody(binary):
    """Runs icecheck as a user without privileges, from a folder that such a user may enter: the clone's may be none."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="icecheck-") as folder:
        os.chmod(folder, 0o755)
        copied = shutil.copy(binary, folder)
        yield lambda *arguments: Running(copied, arguments, limits=as_nobody, cwd="/", environment={}).wait()


@NEEDS_ROOT
@pytest.mark.parametrize("command", ["stun", "check"])
def test_it_needs_no_privilege(run_as_nobody, good, command):
    outcome = run_as_nobody(command, "--format", "json", "--timeout", "2", uri(good))
    assert outcome.status == 0 and all(entry["ok"] for entry in outcome.report["stun"]), outcome.describe()


@NEEDS_ROOT
def test_a_low_port_without_a_privilege_is_named(run_as_nobody):
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("anyone may listen on port 80 of this machine")
    outcome = run_as_nobody("serve", "--listen", "127.0.0.1", "--port", "80")
    assert outcome.status == 1 and b"port" in outcome.errors and b"privilege" in outcome.errors, outcome.describe()


def test_a_listening_address_of_another_machine_is_named(run):
    outcome = run("serve", "--listen", "203.0.113.9", "--port", "0")
    assert outcome.status == 1 and b"203.0.113.9" in outcome.errors, outcome.describe()
    assert b"not this machine's" in outcome.errors, outcome.describe()


# P07: what the machine lacks


MOUNTS = {
    "no resolv.conf": "mount --bind /dev/null /etc/resolv.conf",
    "nothing in etc": "mount -t tmpfs none /etc",
    "no proc": "umount -l /proc",
    "no proc/net": "mount -t tmpfs none /proc",
    "no sys": "mount -t tmpfs none /sys",
    "no tmp and no home": "mount -t tmpfs -o ro none /tmp && mount -t tmpfs -o ro none /root",
    "a root that is read-only": "mount -o remount,bind,ro /",
}


def in_poor_container(name, binary, *arguments, network=None):
    """Runs icecheck where something is missing, in a network of its own if one is made. The binary may stand in what is
    hidden, so its folder is seen at another place."""
    steps = ["mount --make-rprivate /", f"mount --bind '{binary.parent}' /mnt", MOUNTS[name], network or "true"]
    script = f'{" && ".join(steps)} || exit 99; exec "/mnt/{binary.name}" "$@"'
    unshared = ["-m", "-n"] if network else ["-m"]
    return Running("unshare", [*unshared, "sh", "-c", script, "sh", *arguments], limits=no_core_dumps).wait()


@NEEDS_ROOT
@needs("unshare")
@pytest.mark.parametrize("name", MOUNTS)
@pytest.mark.parametrize("command", ["stun", "check", "candidates"])
def test_it_works_in_a_poor_container(binary, good, name, command):
    arguments = [command, "--format", "json", "--timeout", "2", uri(good)]
    outcome = in_poor_container(name, binary, *arguments)
    if outcome.status == 99:
        pytest.skip(f"this machine permits no such mount: {outcome.errors.decode()}")
    assert outcome.status == 0 and all(entry["ok"] for entry in outcome.report["stun"]), outcome.describe()
    assert outcome.errors == b"", outcome.describe()


@NEEDS_ROOT
@needs("unshare")
@pytest.mark.parametrize("name", ["no resolv.conf", "nothing in etc"])
def test_without_a_resolver_a_name_fails_in_time(permitted, binary, name):
    """The system then asks 127.0.0.1, where nothing listens, or says that it has no resolver."""
    arguments = ["stun", "--format", "json", "--timeout", "3", "stun:a.test"]
    outcome = in_poor_container(name, binary, *arguments, network="ip link set lo up")
    [entry] = outcome.report["stun"]
    assert (outcome.status, entry["error"]["kind"]) == (1, "name-not-resolved"), outcome.describe()
    assert outcome.unhindered < 2, outcome.describe()


# P05: a network that changes


CHANGES = {
    "address removed": (["addr", "del", "10.77.1.2/24", "dev", "eth0"], True),
    "interface down": (["link", "set", "eth0", "down"], True),
    "interface gone": (["link", "del", "eth0"], True),
    "another address": (["addr", "add", "10.77.1.9/24", "dev", "eth0"], True),
    "default route gone": (["route", "del", "default"], False),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("command", ["stun", "check"])
def test_a_network_that_changes_is_said_and_the_run_ends(lab, binary, command, name):
    change, is_of_addresses = CHANGES[name]
    with lab.server.entered():
        silent = serve("silent", address=lab.server_address, port=PORT)
    with silent:
        arguments = [*lab.client.prefix(), binary, command, "--format", "json", "--timeout", "3"]
        running = Running("ip", [*arguments, f"stun:{lab.server_address}"], limits=no_core_dumps)
        deadline = time.monotonic() + 3
        while not silent.received:
            assert time.monotonic() < deadline, "nothing was sent"
            time.sleep(0.005)
        lab.client.ip(*change)
        outcome = running.wait()
    assert outcome.status == 1 and outcome.unhindered <= 3.5, outcome.describe()
    entries = [entry for entry in outcome.report["stun"] if entry["transport"] == "udp"]
    assert [entry["ok"] for entry in entries] == [False], outcome.describe()
    found = {one["id"] for one in outcome.report["findings"]}
    if is_of_addresses:
        assert "network-changed" in found, outcome.describe()
    if name != "another address":
        kinds = {one["kind"] for one in entries[0].get("pathErrors", [])} | {entries[0]["error"]["kind"]}
        assert kinds & {"no-route", "network-unreachable", "local", "address-not-available"}, outcome.describe()
    assert_safe(outcome)
