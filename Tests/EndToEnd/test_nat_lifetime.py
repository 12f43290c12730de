"""`icecheck nat --lifetime` as it is typed: behind kernel NATs that forget a mapping after 15 s, and on loopback."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Running, no_core_dumps, validate
from hostile import serve
from natlab import NATLab
from netlab import remove_leftovers, why_not
from terminal import on_terminal
from test_commands import served, server  # noqa: F401
