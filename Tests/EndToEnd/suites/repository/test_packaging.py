"""What a user gets: one binary that needs little, its man page and completions, an installation, a README that is true."""

import json
import os
import re
import subprocess

import pytest
from harness.running import ROOT

# What belongs to libc itself; libcrypto is loaded only when a digest is asked for.
LIBC = {"linux-vdso.so.1", "libc.so.6", "libm.so.6", "libresolv.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}

# Where a README's command is run, these servers and files stand for themselves, and nothing is sent outside.
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def release():
    """The binary that is installed; a debug build is linked to Swift's shared runtime."""
    path = ROOT / ".build/release/icecheck"
    if not path.exists():
        pytest.skip("no release build: run 'make build'")
    return path


def test_the_release_binary_needs_libc_only(release):
    linked = subprocess.run(["ldd", release], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0].rsplit("/", 1)[-1] for line in linked.splitlines()}
    assert names <= LIBC, linked


def test_the_man_page_and_the_completions_are_those_of_the_code(release):
    done = subprocess.run([ROOT / "Scripts/check-generated", release], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_man_page_has_no_faults():
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", ROOT / "man/icecheck.1"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    "shell, script, shown",
    [
        ("bash", "set -e; . completions/icecheck.bash; complete -p icecheck", "_icecheck icecheck"),
        (
            "zsh -f",
            "set -e; autoload -U compinit; fpath=($PWD/completions $fpath); compinit -D -u; autoload +X _icecheck;"
            " print ${_comps[icecheck]}",
            "_icecheck",
        ),
        ("fish --no-config", "source completions/icecheck.fish; complete -C 'icecheck st'", "stun"),
    ],
    ids=["bash", "zsh", "fish"],
)
def test_each_shell_takes_its_completions(tmp_path, shell, script, shown):
    done = subprocess.run(
        [*shell.split(), "-c", script], cwd=ROOT, capture_output=True, text=True, env=os.environ | {"HOME": str(tmp_path)}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout


def test_an_installation_is_complete_and_goes_away_again(release, tmp_path):
    for target, expected in [("install", 5), ("uninstall", 0)]:
        # Built already: `build` is not what is tested here.
        subprocess.run(
            ["make", "-o", "build", target, f"PREFIX={tmp_path}"], cwd=ROOT, check=True, capture_output=True
        )
        installed = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(installed) == expected, installed
        if target == "install":
            command = [tmp_path / "bin/icecheck", "--version"]
            assert subprocess.run(command, capture_output=True, text=True).stdout.startswith("icecheck ")


def readme_commands():
    """The commands of README's console blocks, each with the exit status that its block says: `[exit 1]` at the end."""
    for block in CONSOLE.findall((ROOT / "README.md").read_text()):
        commands = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
        said = re.search(r"^\[exit (\d+)\]$", block, re.MULTILINE)
        for command in commands:
            yield pytest.param(command, int(said.group(1)) if said else 0, id=command)


@pytest.fixture(scope="module")
def served():
    """The server that README's recipes run against, on the ports that they name."""
    binary = ROOT / ".build/release/icecheck"
    server = subprocess.Popen(
        [binary, "serve", "--port", "3490", "--tls-port", "0", "--user", "alice:correct-horse"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    for line in server.stdout:
        if line.startswith("RFC 5780 is served"):
            break
    yield server
    server.terminate()
    server.wait()


@pytest.mark.parametrize("command, status", readme_commands())
def test_a_command_of_the_readme_does_what_it_says(release, served, tmp_path, command, status):
    relay = {"urls": ["turn:127.0.0.1:3490"], "username": "alice", "credential": "correct-horse"}
    (tmp_path / "ice.json").write_text(json.dumps({"iceServers": [{"urls": "stun:127.0.0.1:3490"}, relay]}))
    (tmp_path / "pw.txt").write_text("correct-horse\n")
    path = f"{release.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"PATH": path}, timeout=20,
    )
    assert done.returncode == status, done.stdout + done.stderr
