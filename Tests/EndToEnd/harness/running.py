"""Finds the binary, runs it under a watch, and holds what it left behind against what is always true of it."""

import functools
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.stopwatch import Stopwatch

# Where the packages of the tests are, and the repository.
HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent

# C0 but LF and TAB, DEL and C1, and every control of direction or of joining that can disguise a line.
UNSAFE_TEXT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def found_binary():
    named = os.environ.get("ICECHECK")
    candidates = [Path(named)] if named else [ROOT / ".build" / kind / "icecheck" for kind in ("debug", "release")]
    return next((path.resolve() for path in candidates if os.access(path, os.X_OK)), None)


@functools.cache
def declared_statuses():
    """The exit statuses of the man page, those of signals aside."""
    manual = (ROOT / "man/icecheck.1").read_text()
    section = re.search(r"^\.Sh EXIT STATUS\n(.*?)^\.Sh ", manual, re.MULTILINE | re.DOTALL).group(1)
    return {int(number) for number in re.findall(r"^\.It (\d+)$", section, re.MULTILINE)}


# Signals that nobody sends: what the processor or the runtime ends a process with.
CRASHES = {-signal.SIGILL, -signal.SIGTRAP, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGSEGV}


def assert_declared(outcome):
    """No run ends with a status that the manual does not name, nor with a crash."""
    number = outcome.status
    assert number < 0 or number > 128 or number in declared_statuses(), outcome.describe()
    assert number not in CRASHES and number - 128 not in {-crash for crash in CRASHES}, outcome.describe()


@dataclass
class Outcome:
    """What a run left behind. `status` is negative where a signal ended it, as in subprocess."""

    arguments: list
    status: int
    output: bytes
    errors: bytes
    seconds: float
    # What of the seconds it, and the servers of the test, had no processor.
    stalled: float
    # The seconds from the last signal to the end, without those that it was stalled.
    after_signal: float | None
    peak_bytes: int

    @property
    def unhindered(self):
        """The seconds that it would have taken on a machine that has nothing else to do."""
        return max(0, self.seconds - self.stalled)

    @property
    def text(self):
        return self.output.decode("utf-8")

    @property
    def report(self):
        """The report, read by a parser that is not icecheck's own, and held against the published schema."""
        parsed = json.loads(self.text, parse_constant=refuse_constant, object_pairs_hook=refuse_duplicates)
        validate(parsed)
        return parsed

    def describe(self):
        shown = self.output[:2000].decode("utf-8", "backslashreplace")
        errors = self.errors[:2000].decode("utf-8", "backslashreplace")
        took = f"{self.seconds:.2f} s ({self.stalled:.2f} s without a processor)"
        return f"{self.arguments} -> {self.status} in {took}\nstdout: {shown}\nstderr: {errors}"


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def refuse_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key stands twice in {keys}")
    return dict(pairs)


@functools.cache
def validator():
    import jsonschema

    printed = subprocess.run([found_binary(), "schema", "--closed"], check=True, stdout=subprocess.PIPE)
    return jsonschema.Draft202012Validator(json.loads(printed.stdout))


def validate(report):
    """A report has what the schema declares, and no key beyond it."""
    validator().validate(report)


def assert_safe(outcome):
    """O01: nothing that a terminal obeys leaves the tool, on either stream."""
    for stream in (outcome.output, outcome.errors):
        unsafe = UNSAFE_TEXT.search(stream.decode("utf-8"))
        assert unsafe is None, f"{unsafe.group()!r} at {unsafe.start()} in {outcome.describe()}"


class Running:
    """A started binary, whose output goes to files so that no pipe can stall it."""

    def __init__(
        self, binary, arguments, *, environment=None, cwd=None, stdin=None, stdout=None, stderr=None, limits=None
    ):
        self.arguments = [str(argument) for argument in arguments]
        self.output = tempfile.TemporaryFile()
        self.errors = tempfile.TemporaryFile()
        self.watch, self.signalled = Stopwatch(), None
        self.inherited = peak_of(resource.getrusage(resource.RUSAGE_SELF))
        self.seen_peak = 0
        self.process = subprocess.Popen(
            [str(binary), *self.arguments],
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=self.output if stdout is None else stdout,
            stderr=self.errors if stderr is None else stderr,
            env=environment,
            cwd=cwd,
            preexec_fn=limits,
            close_fds=True,
        )

    def signal(self, number):
        self.signalled = Stopwatch()
        self.process.send_signal(number)

    def wait(self, patience=30):
        """Ends it by force after `patience` seconds, which is then the test's failure."""
        pid = self.process.pid
        # As long as nobody has asked for its status, what the kernel knows of it is to be read.
        while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            self.look_at_memory()
            if self.watch.seconds > patience:
                self.process.kill()
                os.wait4(pid, 0)
                self.process.returncode = -signal.SIGKILL
                pytest.fail(f"{self.arguments} still ran after {patience} s")
            time.sleep(0.002)
        seconds, stalled = self.watch.seconds, self.watch.stalled(pid)
        after_signal = self.signalled and max(0, self.signalled.seconds - self.signalled.stalled())
        _, status, usage = os.wait4(pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        # The kernel counts the memory of this process, before exec, as the child's own peak. Only what is above it
        # is the child's for certain; below it, what was seen on the way is.
        peak = peak_of(usage)
        self.output.seek(0)
        self.errors.seek(0)
        outcome = Outcome(
            self.arguments,
            self.process.returncode,
            self.output.read(),
            self.errors.read(),
            seconds,
            stalled,
            after_signal,
            peak if peak > self.inherited else self.seen_peak,
        )
        assert_declared(outcome)
        return outcome

    def look_at_memory(self):
        process = Path(f"/proc/{self.process.pid}")
        try:
            has_begun = (process / "exe").resolve() != Path(sys.executable).resolve()
            line = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
        except OSError:
            return  # It has ended meanwhile.
        if line and has_begun:
            self.seen_peak = max(self.seen_peak, int(line.group(1)) * 1024)


def peak_of(usage):
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def no_core_dumps():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
