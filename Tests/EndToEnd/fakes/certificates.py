"""Certificates of every kind that a TLS server can have by mistake, made with the `openssl` command.

`made()["expired"].chain` is a PEM file of the leaf and what the server sends with it, `.key` its
key; `made().root` is the root to trust. Within one process they are made once.

    root  <-  intermediate  <-  good, expired, not-yet-valid, wrong-name, no-ip, ...
    another root  <-  unknown-root                       self-signed
"""

import atexit
import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

NAME = "turn.example.test"
# The last two are those of the server in `natlab`.
NAMES = f"DNS:localhost,DNS:{NAME},IP:127.0.0.1,IP:::1,IP:11.0.0.2,IP:2a00:11::2"
OTHER_NAME = "other.example.test"
DAY = timedelta(days=1)

CONFIGURATION = """
[ca]
default_ca = house
[house]
database = index
rand_serial = yes
unique_subject = no
new_certs_dir = .
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = nothing
[nothing]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
"""


@dataclass(frozen=True)
class Kind:
    """One kind of leaf. `begins` and `ends` are counted from now."""

    words: str
    names: str | None = NAMES
    begins: timedelta = -DAY
    ends: timedelta = 30 * DAY
    issuer: str = "intermediate"
    sends_intermediate: bool = True
    key: str = "ec"
    digest: str = "sha256"
    common_name: str = NAME


KINDS = {
    "good": Kind("right in everything"),
    "expired": Kind("expired ten days ago", begins=-40 * DAY, ends=-10 * DAY),
    "not-yet-valid": Kind("valid from the day after tomorrow on", begins=2 * DAY),
    "wrong-name": Kind(
        "for another name and address", names=f"DNS:{OTHER_NAME},IP:192.0.2.1", common_name=OTHER_NAME
    ),
    "no-ip": Kind("for the names, and not for the addresses", names=f"DNS:localhost,DNS:{NAME}"),
    "common-name-only": Kind("with its name in the subject only", names=None),
    "wildcard-too-deep": Kind("for one label more than the name has", names=f"DNS:*.sub.{NAME}", common_name="wild"),
    "self-signed": Kind("signed by itself", issuer="self"),
    "unknown-root": Kind("issued by a root that nobody trusts", issuer="stranger"),
    "incomplete-chain": Kind("sent without the intermediate that issued it", sends_intermediate=False),
    "weak-key": Kind("with an RSA key of 1024 bits", key="rsa:1024"),
    "sha1": Kind("signed over SHA-1", digest="sha1"),
}


@dataclass(frozen=True)
class Certificate:
    chain: Path
    key: Path
    # The same in one file, as `openssl s_server -cert` takes it.
    both: Path

    @property
    def pair(self):
        return self.chain, self.key


class Folder(dict):
    """Certificates by kind, and the root to trust."""

    def __init__(self, directory):
        self.directory = directory
        for file, text in (("openssl.cnf", CONFIGURATION), ("index", ""), ("index.attr", "unique_subject = no\n")):
            (directory / file).write_text(text)
        for name, words in (("root", "icecheck test root"), ("stranger", "A root of nobody")):
            self._key(name, "ec")
            self._openssl(
                "req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={words}", "-days", "60", "-config",
                "openssl.cnf", "-extensions", "authority", "-out", f"{name}.pem",
            )  # fmt: skip
        self._sign("intermediate", "root", "icecheck test intermediate", None, "authority", -30 * DAY, 60 * DAY)
        for name, kind in KINDS.items():
            self[name] = self._leaf(name, kind)

    @property
    def root(self):
        return self.directory / "root.pem"

    def _leaf(self, name, kind):
        self._sign(
            name, kind.issuer, kind.common_name, kind.names, "leaf", kind.begins, kind.ends, kind.key, kind.digest
        )
        chain = (self.directory / f"{name}.pem").read_text()
        if kind.sends_intermediate and kind.issuer == "intermediate":
            chain += (self.directory / "intermediate.pem").read_text()
        # A root that is sent along is known for what it is; without it, it could as well be an intermediate.
        if kind.issuer == "stranger":
            chain += (self.directory / "stranger.pem").read_text()
        files = Certificate(*(self.directory / f"{name}-{part}.pem" for part in ("chain", "key", "both")))
        key = (self.directory / f"{name}.key").read_text()
        for file, text in ((files.chain, chain), (files.key, key), (files.both, chain + key)):
            file.write_text(text)
            file.chmod(0o600)
        return files

    def _sign(self, name, issuer, subject, names, section, begins, ends, key="ec", digest="sha256"):
        self._key(name, key)
        request = ["req", "-new", "-key", f"{name}.key", "-subj", f"/CN={subject}", "-config", "openssl.cnf"]
        if names:
            request += ["-addext", f"subjectAltName={names}"]
        self._openssl(*request, "-out", f"{name}.csr")
        by = ["-selfsign", "-keyfile", f"{name}.key"] if issuer == "self" else [
            "-cert", f"{issuer}.pem", "-keyfile", f"{issuer}.key"
        ]  # fmt: skip
        now = datetime.now(timezone.utc)
        self._openssl(
            "ca", "-batch", "-notext", "-config", "openssl.cnf", "-extensions", section, *by, "-md", digest,
            "-startdate", stamp(now + begins), "-enddate", stamp(now + ends), "-in", f"{name}.csr", "-out",
            f"{name}.pem",
        )  # fmt: skip

    def _key(self, name, kind):
        algorithm = {
            "ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "rsa:1024": ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
        }[kind]
        self._openssl("genpkey", "-algorithm", *algorithm, "-out", f"{name}.key")

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.directory, capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"openssl {' '.join(arguments)}: {done.stderr.strip()}")


def stamp(time):
    return time.strftime("%Y%m%d%H%M%SZ")


@functools.cache
def made():
    """All of them, in a directory that goes with this process."""
    directory = Path(tempfile.mkdtemp(prefix="icecheck-test-certificates-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Folder(directory)
