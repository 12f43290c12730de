"""`Scripts/check-commits`: what it refuses in the messages of a history, and where it has nothing to read."""

import os
import shutil
import subprocess

import pytest
from harness.running import ROOT

SETTINGS = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@a.test",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@a.test",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class History:
    """A repository with the script, and one commit that is its base."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "Scripts").mkdir(parents=True)
        shutil.copy(ROOT / "Scripts/check-commits", folder / "Scripts")

    def git(self, *words):
        done = subprocess.run(
            ["git", "-C", self.folder, *words], env=os.environ | SETTINGS, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def begin(self):
        self.git("init", "-q", "-b", "main")
        self.base = self.commit("Merge branch 'main' of /work/before")
        return self

    def commit(self, message):
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def check(self, base=None):
        words = [self.folder / "Scripts/check-commits", *([base] if base else [])]
        done = subprocess.run(words, env=os.environ | SETTINGS, capture_output=True, text=True)
        return done.returncode, done.stdout


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "made").begin()


@pytest.mark.parametrize(
    "message",
    [
        "Merge branch 'main' of /srv/other",
        "Merge branch 'main' of /data/other into main",
        "Fix it\n\nSeen in /tmp/log.",
        "Try /work/main",
        "Try (/home/me/x)",
        "Read /root",
        "See ~/notes",
    ],
)
def test_a_folder_of_a_machine_is_refused_with_its_line(history, message):
    history.commit("Say why")
    history.commit(message)
    history.commit("Go on")
    status, said = history.check(history.base)
    assert status == 1 and said.count("line ") == 1 and message.splitlines()[-1] in said, said


def test_the_message_of_a_merge_is_read_too(history):
    history.git("checkout", "-q", "-b", "side")
    history.commit("Work aside")
    history.git("checkout", "-q", "main")
    history.git("merge", "-q", "--no-ff", "-m", "Merge branch 'side' of /work/side", "side")
    assert history.check(history.base)[0] == 1


@pytest.mark.parametrize(
    "message", ["Read /etc/resolv.conf once", "Say and/or, 1/2, Sources/tmp/x and https://a.test/home/x", "Of /-signs"]
)
def test_what_is_on_every_machine_may_be_named(history, message):
    history.commit(message)
    status, said = history.check(history.base)
    assert status == 0 and "none of 1 since" in said, said


def test_without_a_history_it_says_that_it_did_not_look(history, tmp_path):
    history.commit("Read /root")
    # The base of another history, a shallow clone, and no checkout at all.
    assert history.check("0" * 40)[1].startswith("check-commits: skipped, ")
    shallow = History.__new__(History)
    shallow.folder = tmp_path / "shallow"
    history.git("add", "Scripts")
    history.commit("Add the script")
    history.git("clone", "-q", "--depth", "1", f"file://{history.folder}", shallow.folder)
    assert shallow.check(history.base) == (
        0, "check-commits: skipped, this checkout has no history (it is shallow)\n"
    )  # fmt: skip
    bare = History(tmp_path / "unpacked")
    assert bare.check() == (0, "check-commits: skipped, this is not a git checkout\n")
