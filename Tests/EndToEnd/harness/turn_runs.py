"""Runs of `icecheck turn` against a server with something planted, and what must hold of each."""

import os
from contextlib import ExitStack

from fakes.turn_causes import CANARIES

from harness.running import Running, assert_safe, no_core_dumps


def begin(binary, planted, *more, environment=None):
    arguments = ["turn", *planted.arguments, *more]
    # A credential of this machine's user is none of the tests'.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ICECHECK_TURN")} | (
        environment or {}
    )
    if planted.prefix:
        return Running(
            "ip", [*planted.prefix, binary, *arguments], limits=no_core_dumps, environment=environment
        )
    return Running(binary, arguments, limits=no_core_dumps, environment=environment)


def assert_secret(outcome):
    """O04: what is secret is in no output, and nothing is printed raw."""
    assert_safe(outcome)
    for canary in CANARIES:
        assert canary.encode() not in outcome.output + outcome.errors, outcome.describe()


def assert_nothing_left(planted, outcome):
    left = planted.server.allocations_left(but=planted.wanted)
    assert left == [], f"{left} in {planted.server.log}\nof {outcome.describe()}"


class Stack:
    """A planted server without a place in the table."""

    def __init__(self, plant):
        self.plant, self.stack = plant, ExitStack()

    def __enter__(self):
        return self.plant(self.stack)

    def __exit__(self, *_):
        self.stack.close()
