"""Chance that can be had again: ICECHECK_TEST_SEED is in the head of each run."""

import os
import random

SEED = int(os.environ.get("ICECHECK_TEST_SEED", "1"))


def seeded(seed=SEED):
    """A generator that gives the same each time."""
    return random.Random(seed)
