"""The house holds: a wrong import, or the outside world in a pure target, is refused with its reason."""

import shutil
import subprocess

import pytest
from harness.running import ROOT


@pytest.fixture
def copy(tmp_path):
    """The check and the sources that it reads, to be broken."""
    (tmp_path / "Scripts").mkdir()
    shutil.copy(ROOT / "Scripts/check-arrows", tmp_path / "Scripts")
    shutil.copytree(ROOT / "Sources", tmp_path / "Sources")
    return tmp_path


def check(copy):
    done = subprocess.run([copy / "Scripts/check-arrows"], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_the_arrows_hold(copy):
    status, said = check(copy)
    assert status == 0, said


@pytest.mark.parametrize(
    "target, line, reason",
    [
        ("NetTypes", "import STUN", "NetTypes may not import STUN"),
        ("STUN", "package import Engines", "STUN may not import Engines"),
        ("Engines", "internal import HostIO", "Engines may not import HostIO"),
        ("Session", "@preconcurrency import Diagnosis", "Session may not import Diagnosis"),
        ("Planning", "import Facts", "Planning may not import Facts"),
        ("Facts", "import Session", "Facts may not import Session"),
        ("Diagnosis", "import SimNet", "Diagnosis may not import SimNet"),
        ("Diagnosis", "import Session", "Diagnosis may not import Session"),
        ("Prediction", "import Session", "Prediction may not import Session"),
        ("HostIO", "import STUN", "HostIO may not import STUN"),
        ("Reporting", "import CSystem", "Reporting may not import CSystem"),
        ("icecheck", "import CSystem", "icecheck may not import CSystem"),
        ("Diagnosis", "import Foundation", "not in its list of outside modules"),
        ("Session", "import Glibc", "not in its list of outside modules"),
        ("Engines", "let now = ContinuousClock().now", "an engine is given its time"),
        ("Engines", "let id = UInt64.random(in: 0...9)", "an engine is given its random source"),
        ("Diagnosis", 'func f() { print("x") }', "only the executable writes"),
        ("Server", 'func f() { fatalError("x") }', "what comes from outside never traps"),
    ],
)
def test_a_breach_is_refused_with_its_reason(copy, target, line, reason):
    breach = copy / "Sources" / target / "Breach.swift"
    breach.write_text(line + "\n")
    status, said = check(copy)
    assert status == 1 and reason in said and f"Sources/{target}/Breach.swift:1" in said, said


def test_a_target_without_arrows_is_refused(copy):
    (copy / "Sources/Stray").mkdir()
    status, said = check(copy)
    assert status == 1 and "Sources/Stray: a target without arrows" in said, said
