"""Ends of an ICE session by whoever speaks it, joined by pipes across an `icelab`.

`join(lab, "aioice", "icecheck", turn=(True, False))` starts an end of each kind in the lab's two namespaces, the first
offers, and says what became of it at both. An end is a program that says one line on standard output and reads one on
standard input, or, as the browser, a thread that does the same.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from fakes.turnwire import PASSWORD, USER
from harness.running import HERE, found_binary
from harness.stopwatch import end_of
from labs.icelab import STUN, TURN, TURN_PORT
from labs.labels import LABELS
from labs.namespaces import tied_to_us

KILL = 9


@dataclass(frozen=True)
class Outcome:
    """What became of a session at one end. Kinds are those of candidates, and None where nothing was nominated."""

    connected: bool
    local: str | None = None
    remote: str | None = None
    seconds: float = 0
    detail: str = ""
    # The seconds that the end had no processor, where it is a program of its own.
    stalled: float = 0
    # What icecheck's report of the session says that it had expected, where the end is one.
    expected: dict | None = None

    @property
    def way(self):
        """What of a pair two implementations must agree on: the local side's own reflexive address, which some name
        and others do not, is that of its host."""
        if not self.connected:
            return "none"
        return "relayed" if "relay" in (self.local, self.remote) else "direct"


class Servers:
    """The lab's servers that an end is given: by all its families, and over TCP where UDP does not get out."""

    def __init__(self, lab, place, turn):
        label = LABELS[lab.ends[place].label]
        self.families = [family for family in lab.families if family in label.families]
        self.turn, self.transport = turn, "udp" if label.udp == "passes" else "tcp"

    @property
    def stun(self):
        return [STUN[family][0] for family in self.families]

    @property
    def turns(self):
        return [TURN[family] for family in self.families if self.turn]

    @property
    def stun_uris(self):
        return [f"stun:{_host(one)}" for one in self.stun]

    @property
    def turn_uris(self):
        return [f"turn:{_host(one)}:{TURN_PORT}?transport={self.transport}" for one in self.turns]

    @property
    def words(self):
        """As icecheck is told of them, and of the families."""
        words = [*self.stun_uris, *self.turn_uris]
        if self.turn:
            words += ["--user", USER, "--password", PASSWORD]
        return words + [f"-{family}" for family in self.families if len(self.families) == 1]


def _host(address):
    return f"[{address}]" if ":" in address else address


class ProcessEnd:
    """A program in an end's namespace."""

    def __init__(self, lab, place, offers, turn, patience=10):
        self.namespace, self.offers = lab.ends[place].namespace, offers
        self.servers, self.patience = Servers(lab, place, turn), patience
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
        stalled = end_of(self.process, max(0.1, deadline - time.monotonic()))
        self._errors.seek(0)
        said = self._errors.read()[-2000:]
        text = self.output.read_text() if self.output.exists() else ""
        return replace(self.outcome(text, said), stalled=stalled)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._errors.close()
        self._directory.cleanup()


class AioiceEnd(ProcessEnd):
    def command(self):
        role = "--offer" if self.offers else "--answer"
        words = [sys.executable, HERE / "peers/aioice_end.py", role, "--output", self.output]
        words += ["--timeout", self.patience]
        words += ["--families", "".join(map(str, self.servers.families)), "--stun", self.servers.stun[0]]
        if self.servers.turn:
            # It takes one server of each kind.
            words += ["--turn", self.servers.turns[0], "--turn-transport", self.servers.transport]
            words += ["--user", USER, "--password", PASSWORD]
        return words

    def outcome(self, text, said):
        result = json.loads(text or "{}")
        return Outcome(
            result.get("connected", False), result.get("local"), result.get("remote"), result.get("seconds", 0),
            said or result.get("error", "" if text else "no result"),
        )  # fmt: skip


class IcecheckEnd(ProcessEnd):
    """`icecheck connect`: with SDP for whoever speaks that, and, between two, with lines of its own."""

    sdp, more = True, ()

    def command(self):
        role = [] if not self.sdp else ["--sdp"] if self.offers else ["--sdp", "--answer"]
        words = [found_binary(), "connect", *role, "--stdio", "--format", "json", "--output", self.output]
        words += ["--duration", "0.2", "--timeout", self.patience, *self.more]
        return words + self.servers.words

    def outcome(self, text, said):
        if not text:
            return Outcome(False, detail=said or "no report")
        report = json.loads(text)
        failure = report["connect"].get("failure", "")
        detail = "; ".join(one for one in (failure, said) if one)
        return Outcome(*connected_by(report), detail=detail, expected=report["connect"].get("prediction"))


class IcecheckLineEnd(IcecheckEnd):
    sdp = False


# The kinds of candidates, in a report's words and in SDP's.
WORDS = {"host": "host", "server-reflexive": "srflx", "peer-reflexive": "prflx", "relayed": "relay"}


def connected_by(report):
    """Whether a report of `connect` says that it is connected, by which kinds, and after how long."""
    connect = report["connect"]
    kinds = next(
        ([WORDS[pair[side]["type"]] for side in ("local", "remote")] for pair in connect["pairs"] if pair["selected"]),
        (None, None),
    )
    times = connect["timesMs"]
    since = max(times.get("described", 0), times.get("peerDescribed", 0))
    return connect["connected"], *kinds, (times["nominated"] - since) / 1000 if "nominated" in times else 0


class ChromiumEnd:
    """A page of the browser that the lab has at that end, driven by a thread."""

    def __init__(self, lab, place, offers, turn, patience=10):
        self.browser = lab.browsers[place]
        servers = Servers(lab, place, turn)
        self.ice_servers = [{"urls": servers.stun_uris}]
        if turn:
            self.ice_servers.append({"urls": servers.turn_uris, "username": USER, "credential": PASSWORD})
        self.offers, self.patience = offers, patience
        self.state, self.trouble = None, ""

    def start(self, reading, writing):
        # The caller closes its own.
        self._reading, self._writing = open(os.dup(reading), "rb"), open(os.dup(writing), "wb")
        self._poll = select.poll()
        self._poll.register(self._reading, select.POLLIN)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, deadline):
        self._thread.join(max(0.1, deadline - time.monotonic() + 5))
        state = self.state
        if state is None or state.get("pair") is None:
            return Outcome(False, detail=self.trouble or json.dumps(state))
        pair = state["pair"]
        return Outcome(
            is_up(state) or was_up(state), pair["local"]["type"], pair["remote"]["type"], max(at for at, *_ in state["log"]) / 1000,
            json.dumps(state),
        )  # fmt: skip

    def close(self):
        self._thread.join(60)

    def _run(self):
        page = None
        try:
            page = self.browser.connection(self.ice_servers, offers=self.offers)
            if self.offers:
                self._say(page.describe())
                self._say(END_OF_CANDIDATES)
            self._take_until(page, lambda line: "sdp" in line)
            if not self.offers:
                self._say(page.describe())
                self._say(END_OF_CANDIDATES)
            self.state = self._watch(page)
        except (OSError, ValueError) as error:
            self.trouble = str(error)
        finally:
            if page:
                page.close()
            self._writing.close()
            self._reading.close()

    def _say(self, line):
        self._writing.write(json.dumps(line).encode() + b"\n")
        self._writing.flush()

    def _take_until(self, page, is_enough):
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            if line := self._line(0.1):
                page.take(line)
                if is_enough(line):
                    return
            elif line is None:
                raise OSError("the peer has ended and said nothing")
        raise OSError("the peer says nothing")

    def _watch(self, page):
        """Takes candidates that still come, until it is connected and has had time to change its mind; or to where a
        connection that was up is closed by the peer, who has then seen what it wanted."""
        deadline, settled, last = time.monotonic() + self.patience, None, None
        has_ended = False
        while True:
            if not has_ended:
                line = self._line(0.02)
                has_ended = line is None
                if line:
                    page.take(line)
            else:
                time.sleep(0.02)
            state = page.look()
            if is_up(state):
                settled, last = settled or time.monotonic() + SETTLE, state
                if time.monotonic() > settled:
                    return state
            elif last:
                return last
            elif was_up(state):
                # It came and went between two looks.
                return state
            elif state["ice"] == "failed" or time.monotonic() > deadline:
                return state

    def _line(self, seconds):
        """The next line, {} where none has come, None where no more will. A peer writes whole lines."""
        if not self._poll.poll(seconds * 1000):
            return {}
        line = self._reading.readline()
        return json.loads(line) if line.strip() else None


# A browser that controls may move on to a better pair.
SETTLE = 0.4
END_OF_CANDIDATES = {"candidate": "", "sdpMid": "0", "sdpMLineIndex": 0}


def is_up(state):
    return state["ice"] in ("connected", "completed") and state["dtls"] == "connected"


def was_up(state):
    """By the log that the page keeps: `connected` is said of a connection whose ICE and DTLS are."""
    return any(connection == "connected" for _, _, connection in state["log"])


KINDS = {"aioice": AioiceEnd, "icecheck": IcecheckEnd, "icecheck-line": IcecheckLineEnd, "chromium": ChromiumEnd}


def join(lab, first, second, turn=(False, False), patience=10):
    """A session between an end of each kind: the outcomes of both."""
    ends = [
        KINDS[kind](lab, place, place == 0, turn[place], patience)
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
