"""What the manual declares is all that there is: no other variable is read, and variables mean the same for each way in."""

import os
import re
import shutil
import subprocess

import pytest
from harness.running import ROOT, assert_safe, declared_statuses

# Those of the C library, of the loader and of Swift's runtime, which no program can leave unread.
OTHERS = re.compile(r"^(SWIFT_\w+|LD_\w+|DYLD_\w+|LIBDISPATCH_\w+|MALLOC_\w+|GCONV_PATH|LOCPATH|NLSPATH|LOCALDOMAIN|RES_OPTIONS|OPENSSL_\w+|"
                    r"QLOG\w*|SSLKEYLOGFILE|CTLOG_FILE|HOME|PATH)$")  # fmt: skip

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
extern char **environ;
static char *find(const char *name) {
    size_t length = strlen(name);
    for (char **entry = environ; entry && *entry; entry++)
        if (!strncmp(*entry, name, length) && (*entry)[length] == '=') return *entry + length + 1;
    return 0;
}
static char *told(const char *name) {
    char *path = find("TEST_VARIABLES");
    int file = path ? open(path, O_WRONLY | O_APPEND) : -1;
    if (file >= 0) {
        char line[256];
        size_t length = strlen(name) < 255 ? strlen(name) : 254;
        memcpy(line, name, length);
        line[length] = '\n';
        (void)!write(file, line, length + 1);
        close(file);
    }
    return find(name);
}
char *getenv(const char *name) { return told(name); }
char *secure_getenv(const char *name) { return told(name); }
"""


def section(title):
    """The entries of a section of the man page, as they stand in its source."""
    text = (ROOT / "man/icecheck.1").read_text()
    body = re.search(rf"^\.Sh {title}\n(.*?)^\.Sh ", text, re.MULTILINE | re.DOTALL).group(1)
    return [name.strip() for line in re.findall(r"^\.It (.*)$", body, re.MULTILINE) for name in line.split(",")]


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    compiler = next((name for name in ("cc", "clang", "gcc") if shutil.which(name)), None)
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c"], check=True)
    return folder / "shim.so"


@pytest.mark.parametrize(
    "line",
    [
        ["stun", "127.0.0.1:9"],
        ["check", "--timeout", "1", "turn:127.0.0.1:9"],
        ["nat", "--timeout", "1", "turns:127.0.0.1:9"],
        ["turn", "turns:127.0.0.1:9", "--timeout", "1"],
        ["turn", "credentials", "--ttl", "60"],
        ["connect", "--stdio", "--bind", "127.0.0.1", "--timeout", "0.3"],
        ["decode", "stun:example.org"],
        ["explain", "438"],
        ["serve", "--user", "alice", "--listen", "192.0.2.1", "--port", "0"],
    ],
    ids=lambda line: line[0],
)
def test_no_undeclared_variable_is_read(start, shim, tmp_path, line):
    seen = tmp_path / "seen"
    seen.touch()
    environment = {"LD_PRELOAD": str(shim), "TEST_VARIABLES": str(seen), "ICECHECK_TURN_SECRET": "secret"}
    start(*line, environment=environment).wait()
    names = set(seen.read_text().split())
    assert {"LC_ALL", "TERM", "ICECHECK_TURN_SECRET", "ICECHECK_TURN_PASSWORD"} & names, "the shim sees nothing"
    assert [name for name in sorted(names) if name not in section("ENVIRONMENT") and not OTHERS.match(name)] == []


def test_the_manual_names_the_variables_and_the_statuses():
    assert {"ICECHECK_TURN_ACCESS_TOKEN", "ICECHECK_TURN_SECRET", "ICECHECK_TURN_PASSWORD"} <= set(section("ENVIRONMENT"))
    assert declared_statuses() == {0, 1, 64, 66, 70, 74}


@pytest.mark.parametrize("command", ["check", "nat"])
def test_a_secret_of_the_environment_is_used_whichever_way_the_line_is_read(start, command):
    """Nobody listens there: a relay that was asked for and is not there is a no."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ICECHECK_TURN")}
    environment["ICECHECK_TURN_SECRET"] = "canary-of-the-environment"
    outcomes = [
        start(command, *more, "turn:127.0.0.1:9", environment=environment).wait() for more in ([], ["--no-progress"])
    ]
    for outcome in outcomes:
        assert_safe(outcome)
        assert b"canary" not in outcome.output + outcome.errors
        assert outcome.status == 1, outcome.describe()
        # The temporary credential's user: the relay was tried.
        assert re.search(rb"--user \d{10}\b", outcome.output), outcome.describe()


def test_without_a_standard_input_the_peer_cannot_be_reached(start):
    outcome = start("connect", "--bind", "127.0.0.1", limits=lambda: os.close(0)).wait()
    assert outcome.status == 66 and outcome.errors.startswith(b"icecheck: the peer cannot be reached"), outcome.describe()
