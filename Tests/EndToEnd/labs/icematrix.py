"""Every kind of network against every other: what ends by several ICE implementations become there, and what is
predicted of it from what icecheck measured in the same labs."""

import json
import subprocess
import tempfile
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from harness.running import found_binary
from peers.chromium_end import browsing
from peers.iceends import WORDS, Servers, join

from labs.icelab import ICELab, shape
from labs.labels import LABELS
from labs.namespaces import tied_to_us

# What RFC 4787 tells apart, and no NAT.
NETWORKS = ["no-nat", *(name for name in LABELS if name.startswith("nat-"))]
TURNS = {"none": (False, False), "both": (True, True), "first": (True, False), "second": (False, True)}
# Who meets: the first offers and controls, and so chooses the pair.
MEETINGS = {
    "icecheck": ("icecheck", "icecheck"),
    # Here whoever has the larger tie-breaker controls.
    "line": ("icecheck-line", "icecheck-line"),
    "aioice": ("icecheck", "aioice"),
    "chromium": ("icecheck", "chromium"),
    "aioice-alone": ("aioice", "aioice"),
    "chromium-alone": ("chromium", "chromium"),
}
KILL = 9


@dataclass(frozen=True)
class Cell:
    """What joined two networks: "direct", "relayed" or "none", and the kind of each side's candidate, as the other
    side calls it. A side's own word for itself is no measure: to some a host behind a NAT is a host."""

    way: str
    first: str | None = None
    second: str | None = None
    detail: str = ""
    # The seconds that the ends had no processor.
    stalled: float = 0

    @property
    def result(self):
        return self.way, self.first, self.second

    def __str__(self):
        if self.way == "none":
            return "-"
        return f"{self.way[0].upper()} {(self.first or '?')[0]}-{(self.second or '?')[0]}"



def cell(first, second):
    """From the outcomes of both ends."""
    detail = "; ".join(one.detail for one in (first, second) if one.detail)
    stalled = first.stalled + second.stalled
    if first.connected != second.connected:
        return Cell("half", second.remote, first.remote, f"one end is connected only: {first}, {second}", stalled)
    if not first.connected:
        return Cell("none", detail=detail, stalled=stalled)
    way = "relayed" if "relayed" in (first.way, second.way) else "direct"
    return Cell(way, second.remote, first.remote, detail, stalled)


class Labs:
    """One lab for each pair of shapes, made when it is first wanted, and another network from then on.

    `browsers` is None where there are none, or whether they hide their addresses.
    """

    def __init__(self, families=(4,), servers=True, browsers=None):
        self.families, self.servers, self.browsers = families, servers, browsers
        self._labs, self._stack = {}, ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._labs = {}
        self._stack.close()

    def at(self, first, second=None):
        """The lab of these two networks, fresh; with one, both ends are behind its router."""
        key = shape(first), second and shape(second)
        if key not in self._labs:
            made = self._stack.enter_context(ICELab(first, second, self.families))
            if self.servers:
                made.start_stun()
                made.start_turn()
            self._labs[key] = made
        lab = self._labs[key]
        lab.become(first, second)
        if self.browsers is not None and not lab.browsers:
            lab.start_browsers(self.browsers)
        return lab


def meet(lab, meeting, turn, patience=10):
    with browsing() if "chromium" in MEETINGS[meeting] else nullcontext():
        return cell(*join(lab, *MEETINGS[meeting], TURNS[turn], patience=patience))


class Predictions:
    """What `icecheck predict` says, from reports that `icecheck check` made at either end of the labs."""

    def __init__(self, labs):
        self.labs, self._reports = labs, {}
        self._directory = tempfile.TemporaryDirectory(prefix="icecheck-test-reports-")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._directory.cleanup()

    def of(self, first, second=None, turn="none"):
        """Of two networks, or of two ends behind one router."""
        names = (first, first if second is None else second)
        reports = [self.report(name, place, TURNS[turn][place], second is None) for place, name in enumerate(names)]
        return predicted_by(json.loads(_run([found_binary(), "predict", "--format", "json", *reports])))

    def report(self, name, place, turn, is_shared=False):
        """What was measured of this network at this place, once."""
        key = name, place, turn, is_shared
        if key not in self._reports:
            # Its peer is of no matter.
            lab = self.labs.at(*([name] if is_shared else [name, name]))
            path = Path(self._directory.name) / f"{len(self._reports)}-{name}.json"
            words = Servers(lab, place, turn).words
            inside = ["ip", *lab.ends[place].namespace.prefix(), found_binary(), "check", "--format", "json", *words]
            path.write_text(_run(inside))
            self._reports[key] = path
        return self._reports[key]


def predicted_by(report):
    """The one pair of a report of `predict` on two."""
    (path,) = report["paths"]
    kinds = [WORDS[path[side]["type"]] if path.get(side) else None for side in ("local", "remote")]
    doubt = f"depends on {path['dependsOn']}" if path.get("dependsOn") else ""
    return Cell(path["outcome"], *kinds, detail=doubt)


def _run(words):
    # Its status says what it found, which is not what is asked here.
    done = subprocess.run(
        list(map(str, words)), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        preexec_fn=tied_to_us(KILL),
    )  # fmt: skip
    if not done.stdout:
        raise OSError(f"{' '.join(map(str, words))}: {done.stderr.strip() or done.returncode}")
    return done.stdout
