"""Debian's `turnserver` for as long as a test wants it, and what its log says of the allocations that it had.

`with Coturn(user_quota=1) as server: ... server.uri("udp") ... server.allocations_left()`. Each has a directory, ports
and a log of its own, so any number may run side by side. Inside a namespace it runs by `prefix=["ip",
*namespace.prefix()]`.
"""

import base64
import fcntl
import hashlib
import hmac
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path

from harness.stopwatch import watch
from labs.namespaces import tied_to_us

from fakes.turnwire import PASSWORD, REALM, USER

# Below the ephemeral ports, which other programs are given without asking.
PORTS, BLOCK = range(10240, 30720), 64
# Of the Debian package.
SCHEMA = Path("/usr/share/coturn/schema.sql")
READY = "IO method (admin thread)"


class Coturn:
    """One server: options are its configuration, `None` or `False` leaves one out.

    `users` maps names to passwords, or to keys ("0x" and 32 digits, see `long_term_key`). `secret` makes it take TURN
    REST credentials in their place. `certificate` is a pair of files: chain and key. `more` are further lines of
    turnserver.conf. `relay_ports` is a pair, both included, or how many.
    """

    def __init__(
        self, *, addresses=("127.0.0.1", "::1"), relay_addresses=None, prefix=(), realm=REALM, users=None, secret=None,
        stale_nonce=None, user_quota=None, total_quota=None, denied_peers=(), allowed_peers=(), loopback_peers=True,
        relay_ports=None, external_ip=None, certificate=None, udp=True, tcp=True, alternate_servers=(),
        ports=None, max_lifetime=None, more=(),
    ):  # fmt: skip
        self.addresses, self.prefix, self.realm = tuple(addresses), list(map(str, prefix)), realm
        self.users = {USER: PASSWORD} if users is None and secret is None else dict(users or {})
        self.udp, self.tcp, self.secured = udp, tcp, certificate is not None
        self.process = self.directory = None
        self._block = None
        self._fixed = ports, relay_ports
        self._settings = {
            "listening-ip": self.addresses,
            "relay-ip": tuple(relay_addresses or addresses),
            "lt-cred-mech": secret is None,
            "use-auth-secret": secret is not None,
            "static-auth-secret": secret,
            "realm": realm,
            "user": tuple(f"{name}:{password}" for name, password in self.users.items()),
            "stale-nonce": stale_nonce,
            "user-quota": user_quota,
            "total-quota": total_quota,
            "denied-peer-ip": tuple(denied_peers),
            "allowed-peer-ip": tuple(allowed_peers),
            "allow-loopback-peers": loopback_peers,
            "external-ip": external_ip,
            "cert": certificate and certificate[0],
            "pkey": certificate and certificate[1],
            "no-tls": not self.secured or not tcp,
            "no-dtls": not self.secured or not udp,
            "no-udp": not udp,
            "no-tcp": not tcp,
            "alternate-server": tuple(alternate_servers),
            "max-allocate-lifetime": max_lifetime,
            "no-cli": True,
            "no-rfc5780": True,
            "verbose": True,
            "simple-log": True,
            "no-stdout-log": True,
            "pidfile": "",
        }
        self._more = list(more)

    def __enter__(self):
        if shutil.which("turnserver") is None:
            raise OSError("turnserver is not installed (Debian: coturn)")
        for attempts_left in (2, 1, 0):
            try:
                self._start()
                return self
            except PortTaken:
                self.stop()
                if not attempts_left:
                    raise
            except BaseException:
                self.stop()
                raise

    def __exit__(self, *_):
        self.stop()

    # How to reach it

    def uri(self, transport="udp", address=None):
        """The TURN URI by which it is asked over udp, tcp, tls or dtls."""
        host = address or self.addresses[0]
        scheme, carrier = {
            "udp": ("turn", "udp"), "tcp": ("turn", "tcp"), "tls": ("turns", "tcp"), "dtls": ("turns", "udp"),
        }[transport]  # fmt: skip
        port = self.port if scheme == "turn" else self.secured_port
        return f"{scheme}:{f'[{host}]' if ':' in host else host}:{port}?transport={carrier}"

    # What it says

    @property
    def log(self):
        return self._log_file.read_text(errors="backslashreplace") if self._log_file.exists() else ""

    def sessions_made(self):
        """The sessions that got an allocation, in their order."""
        return re.findall(r"session (\d+): new, realm=", self.log)

    def sessions_released(self):
        """Those whose client asked for their end, by a Refresh with lifetime 0."""
        return set(re.findall(r"session (\d+): refreshed, realm=.*lifetime=0$", self.log, re.MULTILINE))

    def sessions_deleted(self):
        """Those that the server has given up, for whatever reason: it says so up to a second later."""
        return set(re.findall(r"session (\d+): delete: realm=", self.log))

    def allocations_left(self, patience=3, but=()):
        """The sessions whose allocations live on, after `patience` seconds at most in which they may end.

        `but` are sessions of a client that still wants them.
        """
        deadline = time.monotonic() + patience
        while True:
            gone = self.sessions_released() | self.sessions_deleted() | set(but)
            left = [session for session in self.sessions_made() if session not in gone]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.02)

    def errors_sent(self):
        """The codes of its error responses, in their order."""
        return [int(code) for code in re.findall(r"processed, error (\d+):", self.log)]

    def wait_for(self, pattern, patience=10):
        """Waits until the log has a line like that."""
        deadline = time.monotonic() + patience
        while not re.search(pattern, self.log):
            self._check_alive()
            if time.monotonic() > deadline:
                raise TimeoutError(f"turnserver never said {pattern!r}:\n{self.log[-3000:]}")
            time.sleep(0.01)

    # Start and end

    def _start(self):
        self.directory = Path(tempfile.mkdtemp(prefix="icecheck-test-coturn-"))
        self._log_file = self.directory / "log"
        ports, relay_ports = self._fixed
        count = relay_ports if isinstance(relay_ports, int) else BLOCK - 16
        relay_ports = None if isinstance(relay_ports, int) else relay_ports
        if ports is None or relay_ports is None:
            self._block = PortBlock() if not self.prefix else None
            first = self._block.first if self._block else PORTS.start
            ports = ports or (first, first + 1)
            relay_ports = relay_ports or (first + 16, first + 15 + count)
        self.port, self.secured_port = ports
        self.relay_ports = relay_ports
        self._settings |= {
            "listening-port": self.port, "tls-listening-port": self.secured_port, "min-port": relay_ports[0],
            "max-port": relay_ports[1], "userdb": self.directory / "users", "log-file": self._log_file,
        }  # fmt: skip
        self._make_tables()
        configuration = self.directory / "turnserver.conf"
        configuration.write_text("\n".join([*self._lines(), *self._more, ""]))
        configuration.chmod(0o600)
        with open(self.directory / "said", "wb") as said:
            # In the directory, or it may find another configuration beside the one named.
            self.process = watch(subprocess.Popen(
                [*self.prefix, "turnserver", "-c", str(configuration)], cwd=self.directory, stdin=subprocess.DEVNULL,
                stdout=said, stderr=said, start_new_session=True, preexec_fn=tied_to_us(signal.SIGKILL),
            ))  # fmt: skip
        self._await()

    def _make_tables(self):
        """The tables that the server would make itself, with a flush of the disk for each, while it answers already: a
        user or key that it looks for meanwhile is not found, as its own database is locked."""
        if SCHEMA.exists():
            with closing(sqlite3.connect(self.directory / "users")) as database:
                database.executescript(SCHEMA.read_text())

    def _lines(self):
        for name, value in self._settings.items():
            if value is True:
                yield name
            elif value is not None and value is not False:
                values = value if isinstance(value, tuple) else (value,)
                yield from (f"{name}={one}" for one in values)

    def _await(self):
        wanted = set()
        for address in self.addresses:
            for port in (self.port, self.secured_port) if self.secured else (self.port,):
                wanted |= {("u", address, port)} if self.udp else set()
                wanted |= {("t", address, port)} if self.tcp else set()
        deadline = time.monotonic() + 15
        while READY not in self.log or wanted - self._listening():
            self._check_alive()
            if time.monotonic() > deadline:
                raise TimeoutError(f"turnserver does not listen on {sorted(wanted - self._listening())}:\n{self.log}")
            time.sleep(0.02)

    def _check_alive(self):
        if "Cannot bind" in self.log:
            # It would go on trying for ever.
            raise (PortTaken if "errno=98" in self.log else OSError)(f"turnserver cannot listen:\n{self.log[-1000:]}")
        if self.process.poll() is not None:
            said = (self.directory / "said").read_text(errors="backslashreplace")
            raise OSError(f"turnserver ended with {self.process.returncode}:\n{said}\n{self.log[-3000:]}")

    def _listening(self):
        found = set()
        for kind in "ut":
            words = [*self.prefix, "ss", f"-Hln{kind}"]
            for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines():
                address, _, port = line.split()[3].rpartition(":")
                found.add((kind, address.strip("[]"), int(port)))
        return found

    def stop(self):
        if self.process and self.process.poll() is None:
            # It has threads, no children: a namespace's prefix becomes the server itself by exec.
            self.process.kill()
            self.process.wait()
        if self._block:
            self._block.close()
            self._block = None
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)


class PortTaken(OSError):
    """Another program has taken a port between our look at it and turnserver's."""


class PortBlock:
    """Ports that no socket has now, and that no other test of this machine takes while it is open.

    turnserver shares its ports (SO_REUSEPORT) with whoever does the same, another turnserver for one: so a lock.
    """

    def __init__(self):
        directory = Path(tempfile.gettempdir()) / f"icecheck-test-ports-{os.getuid()}"
        directory.mkdir(mode=0o700, exist_ok=True)
        starts = list(range(PORTS.start, PORTS.stop - BLOCK, BLOCK))
        random.SystemRandom().shuffle(starts)
        for first in starts:
            self.lock = open(directory / str(first), "w")
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.lock.close()
                continue
            if all(map(_is_free, range(first, first + BLOCK))):
                self.first = first
                return
            self.lock.close()
        raise OSError(f"no {BLOCK} free ports in a row")

    def close(self):
        self.lock.close()


def _is_free(port):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            with closing(socket.socket(family, kind)) as one:
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                if kind == socket.SOCK_STREAM:
                    # A connection that lingers in TIME_WAIT is in nobody's way.
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    one.bind((address, port))
                except OSError:
                    return False
    return True


def long_term_key(user, realm, password):
    """What `turnadmin -k` prints: the key that stands in the place of a password, good for that realm only."""
    return "0x" + hashlib.md5(f"{user}:{realm}:{password}".encode()).hexdigest()


def rest_credential(secret, expiry, name=USER):
    """User name and password as the REST API makes them, good until `expiry` (seconds since 1970)."""
    user = f"{expiry}:{name}"
    return user, base64.b64encode(hmac.new(secret.encode(), user.encode(), hashlib.sha1).digest()).decode()
