"""Trees that somebody uses stay where they are, whoever wants them away and whatever happens."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from runner.adapters.shared_scripts import shared
from runner.adapters.tree_uses import TreeUses
from runner.backends import INSIDE

USER = """
import sys
from pathlib import Path
from runner.adapters.tree_uses import TreeUses
uses = TreeUses(Path(sys.argv[1]))
for name in sys.argv[2:]:
    uses.use(name)
print("used", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        tree = tmp_path / "envs" / name
        tree.mkdir(parents=True)
        (tree / "file").write_text("content")
    return tmp_path


@contextmanager
def another(store: Path, *names: str) -> Iterator[subprocess.Popen[str]]:
    """A process that uses trees until its standard input is closed."""
    words = [sys.executable, "-c", USER, str(store), *names]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "used\n"
        yield process


def files(store: Path) -> list[Path]:
    return [each for each in (store / "uses").iterdir() if each.name != ".gate"]


def test_what_nobody_uses_can_be_taken_away(store: Path) -> None:
    assert TreeUses(store).take_away("one")
    assert [each.name for each in (store / "envs").iterdir()] == ["two"]


def test_what_another_process_uses_stays(store: Path) -> None:
    with another(store, "one"), another(store, "one", "two"):
        uses = TreeUses(store)
        assert uses.in_use() == {"one", "two"}
        assert not uses.take_away("one")
        assert (store / "envs" / "one" / "file").read_text() == "content"
    assert uses.take_away("one")


def test_what_is_still_to_be_made_can_be_used(store: Path) -> None:
    with another(store, "three"):
        assert "three" in TreeUses(store).in_use()


def test_a_process_that_was_killed_uses_nothing(store: Path) -> None:
    with another(store, "one") as process:
        process.kill()
        process.wait()
        assert TreeUses(store).take_away("one")
        assert files(store) == []


def test_who_leaves_uses_nothing_and_may_come_back(store: Path) -> None:
    own, other = TreeUses(store), TreeUses(store)
    own.use("one")
    own.use("two")
    assert not other.take_away("one")
    own.leave()
    assert files(store) == []
    own.use("two")
    assert other.in_use() == {"two"}
    assert other.take_away("one")
    own.leave()


def keep_taking_away(store: Path, over: threading.Event) -> None:
    uses = TreeUses(store)
    while not over.is_set():
        with suppress(FileNotFoundError):  # another was faster, or it is not made again yet
            uses.take_away("one")


def keep_using(store: Path, missed: list[str]) -> None:
    """Use a tree and make it anew where it is not there, again and again."""
    uses, tree = TreeUses(store), store / "envs" / "one"
    for _ in range(200):
        uses.use("one")
        if not tree.exists():
            with tempfile.TemporaryDirectory(dir=store) as folder, suppress(OSError):
                fresh = Path(folder) / "tree"
                fresh.mkdir()
                (fresh / "file").write_text("content")
                fresh.rename(tree)
        if not (tree / "file").exists():
            missed.append("what was used is gone")
        uses.leave()


def test_a_tree_never_vanishes_while_it_is_used(store: Path) -> None:
    over, missed = threading.Event(), list[str]()
    users = [threading.Thread(target=keep_using, args=(store, missed)) for _ in range(2)]
    takers = [threading.Thread(target=keep_taking_away, args=(store, over)) for _ in range(2)]
    for each in (*takers, *users):
        each.start()
    for each in users:
        each.join()
    over.set()
    for each in takers:
        each.join()
    assert missed == []
    assert list((store / "envs").glob(".gone-*")) == []


def test_scripts_are_copied_once_and_anew_when_they_change(store: Path, tmp_path: Path) -> None:
    first = shared(INSIDE, store)
    assert {each.name for each in first.iterdir()} == {each.name for each in INSIDE.glob("*.py")}
    assert (first / "loaded.py").read_bytes() == (INSIDE / "loaded.py").read_bytes()
    assert shared(INSIDE, store) == first
    other = tmp_path / "scripts"
    other.mkdir()
    (other / "loaded.py").write_text("pass\n")
    second = shared(other, store)
    assert second != first
    assert (second / "loaded.py").read_text() == "pass\n"
    assert [each.name[0] != "." for each in (store / "inside").iterdir()] == [True, True]
