"""The fixtures of all suites, and what a run says of itself."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from harness import isolation
from harness.running import Running, found_binary, no_core_dumps
from harness.seeds import SEED
from harness.servers import coturn, served, server  # noqa: F401 (fixtures)
from labs.namespaces import remove_leftovers, why_not
from labs.plainlab import PlainLab

# Under nohup SIGHUP is ignored, and by every process that the tests start: here it has its usual meaning.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_configure(config):
    is_worker = hasattr(config, "workerinput")
    if (is_worker or not config.getoption("numprocesses", None)) and not isolation.why_not():
        isolation.enter()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """The tests mostly wait: several for each processor, if they cannot meet."""
    return 2 if isolation.why_not() else 4 * (os.cpu_count() or 1)


def pytest_report_header(config):
    reason = isolation.why_not()
    return [
        f"icecheck: {found_binary() or 'not built'}",
        f"ICECHECK_TEST_SEED={SEED}",
        f"network: {f'the machine’s ({reason})' if reason else 'one for each process that runs tests'}",
    ]


@pytest.fixture
def tmp_path():
    """Short, and the same length in each worker: icecheck cuts long paths where it names them."""
    with tempfile.TemporaryDirectory(prefix="icecheck-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture(scope="session")
def binary():
    found = found_binary()
    if found is None:
        pytest.fail("no binary: run 'swift build', or name one in ICECHECK")
    return found


@pytest.fixture
def start(binary):
    """Starts icecheck; whatever still runs at the end of the test is ended."""
    running = []

    def begin(*arguments, **options):
        options.setdefault("limits", no_core_dumps)
        running.append(Running(binary, arguments, **options))
        return running[-1]

    yield begin
    for one in running:
        if one.process.returncode is None and one.process.poll() is None:
            one.process.kill()
            one.process.wait()


@pytest.fixture(scope="module")
def permitted():
    """Network namespaces can be made here, and none is left of a run that was killed."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    remove_leftovers()


@pytest.fixture
def lab(permitted):
    """One router between a client and a server."""
    with PlainLab() as made:
        yield made


@pytest.fixture(scope="module")
def coturn_installed():
    if shutil.which("turnserver") is None:
        pytest.skip("turnserver is not installed (Debian: coturn)")


@pytest.fixture
def run(start):
    """Runs icecheck to its end and gives the outcome."""

    def complete(*arguments, patience=30, **options):
        return start(*arguments, **options).wait(patience)

    return complete
