"""Ends of an ICE session by whoever speaks it, joined by pipes across an `icelab`.

`join(lab, "aioice", "icecheck", turn=(True, False))` starts an end of each kind in the lab's two namespaces, the first
offers, and says what became of it at both. An end is a program that says one line on standard output and reads one on
standard input, or, as the browser, a thread that does the same.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from conftest import HERE
from icelab import STUN, TURN, TURN_PORT
from natlab import tied_to_us
from turnwire import PASSWORD, USER

KILL = 9


@dataclass(frozen=True)
class Outcome:
    """What became of a session at one end. Kinds are those of candidates, and None where nothing was nominated."""

    connected: bool
    local: str | None = None
    remote: str | None = None
    seconds: float = 0
    detail: str = ""

    @property
    def way(self):
        """What of a pair two implementations must agree on: the local side's own reflexive address, which some name
        and others do not, is that of its host."""
        if not self.connected:
            return "none"
        return "relayed" if "relay" in (self.local, self.remote) else "direct"


@dataclass(frozen=True)
class Servers:
    """The lab's servers that an end is given."""

    family: int
    turn: bool

    @property
    def stun(self):
        return STUN[self.family][0]

    @property
    def turn_address(self):
        return TURN[self.family]

    @property
    def turn_uri(self):
        host = f"[{self.turn_address}]" if self.family == 6 else self.turn_address
        return f"turn:{host}:{TURN_PORT}?transport=udp"

    @property
    def stun_uri(self):
        return f"stun:[{self.stun}]" if self.family == 6 else f"stun:{self.stun}"


class ProcessEnd:
    """A program in an end's namespace."""

    def __init__(self, lab, place, offers, turn, families=None, patience=10):
        self.namespace, self.offers = lab.ends[place].namespace, offers
        self.families = families or lab.families
        self.servers = Servers(4 if 4 in self.families else 6, turn)
        self.patience = patience
        self._directory = tempfile.TemporaryDirectory(prefix="icecheck-test-ice-")
        self.output = Path(self._directory.name) / "result"
        self._errors = open(Path(self._directory.name) / "errors", "w+")

    def start(self, reading, writing):
        command = ["ip", *self.namespace.prefix(), *map(str, self.command())]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=reading, stdout=writing, stderr=self._errors, preexec_fn=tied_to_us(KILL),
            env=self.environment(),
        )  # fmt: skip

    def environment(self):
        return None

    def wait(self, deadline):
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._errors.seek(0)
        said = self._errors.read()[-2000:]
        text = self.output.read_text() if self.output.exists() else ""
        return self.outcome(text, said)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._errors.close()
        self._directory.cleanup()


class AioiceEnd(ProcessEnd):
    def command(self):
        role = "--offer" if self.offers else "--answer"
        words = [sys.executable, HERE / "aioice_end.py", role, "--output", self.output, "--timeout", self.patience]
        words += ["--families", "".join(map(str, self.families)), "--stun", self.servers.stun]
        if self.servers.turn:
            words += ["--turn", self.servers.turn_address, "--user", USER, "--password", PASSWORD]
        return words

    def outcome(self, text, said):
        result = json.loads(text or "{}")
        return Outcome(
            result.get("connected", False), result.get("local"), result.get("remote"), result.get("seconds", 0),
            said or result.get("error", "" if text else "no result"),
        )  # fmt: skip


KINDS = {"aioice": AioiceEnd}


def join(lab, first, second, turn=(False, False), families=None, patience=10):
    """A session between an end of each kind: the outcomes of both."""
    ends = [
        KINDS[kind](lab, place, place == 0, turn[place], families, patience)
        for place, kind in enumerate((first, second))
    ]
    started = []
    try:
        to_second, from_first = os.pipe()
        to_first, from_second = os.pipe()
        for end, pipes in zip(ends, ((to_first, from_first), (to_second, from_second))):
            end.start(*pipes)
            started.append(end)
            for one in pipes:
                os.close(one)
        deadline = time.monotonic() + patience + 5
        return tuple(end.wait(deadline) for end in ends)
    finally:
        for end in started:
            end.close()
