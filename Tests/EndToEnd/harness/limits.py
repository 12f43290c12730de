"""How many of the workers do the same at once, where that takes much of the machine."""

import fcntl
import os
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def at_most(count, name):
    """Waits for one of `count` places of this name, which are those of all test runs of this user."""
    directory = Path(tempfile.gettempdir()) / f"icecheck-test-places-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    with ExitStack() as stack:
        places = [stack.enter_context(open(directory / f"{name}-{number}", "w")) for number in range(count)]
        while not any(map(_is_taken_by_us, places)):
            time.sleep(0.05)
        yield


def _is_taken_by_us(place):
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
