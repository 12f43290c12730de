"""tshark as a second reader of what icecheck sends."""

import time

import pytest


def await_capture(capture, path, patience=15):
    """Waits until tshark has written the head of its file: it listens from then on."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if capture.poll() is not None:
            pytest.skip(f"tshark cannot capture on lo: {capture.stderr.read().strip()}")
        if path.exists() and path.stat().st_size > 0:
            return
        time.sleep(0.02)
    pytest.fail("tshark did not begin to capture")
