"""A terminal of our own: what is written to it is kept, and it has the width that a test gives it."""

import fcntl
import os
import pty
import re
import struct
import termios
import threading

# What a terminal does with the codes that icecheck may send: carriage return and erase-to-end of the live line.
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
ERASE = b"\x1b[K"


class Terminal:
    def __init__(self, columns=100):
        self.primary, self.secondary = pty.openpty()
        fcntl.ioctl(self.secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        self.collected = []
        self.reader = threading.Thread(target=self._collect, daemon=True)

    def __enter__(self):
        self.reader.start()
        return self

    def __exit__(self, *_):
        os.close(self.secondary)
        self.reader.join(timeout=5)
        os.close(self.primary)

    def _collect(self):
        while True:
            try:
                data = os.read(self.primary, 65536)
            except OSError:
                return  # Nobody has it open any more.
            if not data:
                return
            self.collected.append(data)

    @property
    def shown(self):
        """Everything that was written to it; whole once the `with` is left."""
        return b"".join(self.collected)


def screen(shown):
    """The lines that stand on the screen at the end, with what was erased gone."""
    lines = []
    for written in COLOUR.sub(b"", shown).decode("utf-8").split("\n"):
        line = ""
        for part in re.split("(\r|\x1b\\[K)", written):
            if part == "\r":
                column = 0
            elif part == "\x1b[K":
                line = line[:column]
            elif part:
                column = 0 if not line else column
                line = line[:column] + part + line[column + len(part) :]
                column += len(part)
        lines.append(line)
    return lines
