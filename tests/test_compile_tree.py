"""Bytecode of a tree: made once for each content, linked, and not looked at again."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from importlib.machinery import SourcelessFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

import pytest

from runner.adapters.bytecode import SCRIPTS, compile_tree
from runner.adapters.commands import HostCommands
from runner.errors import NoSpace
from tests.builders import an_interpreter
from tests.disks import fill, small_disk

HERE = an_interpreter("{}.{}".format(*sys.version_info)).model_copy(
    update={"executable": sys.executable}
)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "bytecode"


def a_tree(folder: Path, **sources: bytes) -> Path:
    """A tree with these modules."""
    (folder / "lib").mkdir(parents=True)
    for name, content in sources.items():
        (folder / "lib" / f"{name}.py").write_bytes(content)
    return folder


def compiled(tree: Path, kept: Path) -> dict[str, Path]:
    """Compile a tree; the bytecode of each module that has some."""
    subprocess.run(
        [sys.executable, "-I", "-S", SCRIPTS / "compile_tree.py", tree, kept], check=True
    )
    found = (
        (each.stem, Path(cache_from_source(str(each)))) for each in (tree / "lib").glob("*.py")
    )
    return {name: path for name, path in found if path.exists()}


def test_bytecode_is_what_this_python_loads_without_looking_at_the_source(
    tmp_path: Path, kept: Path
) -> None:
    tree = a_tree(
        tmp_path / "tree", one=b"VALUE = 41 + 1\n", accents=b"# coding: latin-1\nX = '\xe9'\n"
    )
    found = compiled(tree, kept)
    assert {*found} == {"one", "accents"}
    for path in found.values():
        data = path.read_bytes()
        assert data[:4] == MAGIC_NUMBER
        assert int.from_bytes(data[4:8], "little") == 1, "unchecked, by its hash"
    values: dict[str, object] = {}
    for name, path in found.items():
        code = SourcelessFileLoader(name, str(path)).get_code(name)
        assert code is not None
        exec(code, values)
    assert (values["VALUE"], values["X"]) == (42, "\xe9")


def test_the_same_content_is_compiled_once_and_linked(tmp_path: Path, kept: Path) -> None:
    trees = [a_tree(tmp_path / name, **{name: b"x = 1\n"}) for name in ("one", "two")]
    first, second = (path for each in trees for path in compiled(each, kept).values())
    assert first.stat().st_ino == second.stat().st_ino
    assert len([each for each in kept.rglob("*") if each.is_file()]) == 1


def is_linked_to_the_limit(file: Path, folder: Path) -> bool:
    """Link a file until the file system refuses another one; whether it did."""
    folder.mkdir()
    try:
        for number in range(100_000):
            os.link(file, folder / str(number))
    except OSError as error:
        return error.errno == errno.EMLINK
    return False


def test_what_can_be_linked_no_more_is_copied(tmp_path: Path, kept: Path) -> None:
    """Empty modules are in each tree of a store: some thousand trees come to what ext4 allows."""
    trees = [a_tree(tmp_path / name, empty=b"") for name in ("one", "two", "three")]
    first = compiled(trees[0], kept)["empty"]
    if not is_linked_to_the_limit(first, tmp_path / "links"):
        pytest.skip("this file system has no such limit")
    second = compiled(trees[1], kept)["empty"]
    compile_tree(trees[2], HERE, kept, HostCommands())
    third = Path(cache_from_source(str(trees[2] / "lib" / "empty.py")))
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()
    assert first.stat().st_ino not in (second.stat().st_ino, third.stat().st_ino)
    assert {each.stat().st_mode & 0o777 for each in (first, second, third)} == {0o644}


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk")
def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    tree = a_tree(tmp_path / "tree", one=b"x = 1\n")
    with small_disk(tmp_path / "disk", 1) as disk:
        (disk / "bytecode").mkdir()
        fill(disk, 0)
        with pytest.raises(NoSpace, match="the disk was full"):
            compile_tree(tree, HERE, disk / "bytecode", HostCommands())


@pytest.mark.parametrize("content", [b"x = (\n", b"a\0b", b"# coding: no-such\n", b"(" * 100_000])
def test_what_this_python_cannot_read_stays_without(
    tmp_path: Path, kept: Path, content: bytes
) -> None:
    found = compiled(a_tree(tmp_path / "tree", good=b"x = 1\n", bad=content), kept)
    assert {*found} == {"good"}


def test_no_interpreter_is_started_for_what_was_all_kept(tmp_path: Path, kept: Path) -> None:
    first, second = (a_tree(tmp_path / name, one=b"x = 1\n", two=b"") for name in ("a", "b"))
    compile_tree(first, HERE, kept, HostCommands())
    nobody = HostCommands()
    nobody.stop()
    compile_tree(second, HERE, kept, nobody)
    assert [each.stat().st_nlink for each in bytecode_of(second)] == [3, 3]


def test_what_was_not_kept_is_compiled_beside_what_was(tmp_path: Path, kept: Path) -> None:
    first = a_tree(tmp_path / "a", one=b"x = 1\n")
    second = a_tree(tmp_path / "b", one=b"x = 1\n", two=b"y = 2\n")
    for each in (first, second):
        compile_tree(each, HERE, kept, HostCommands())
    assert sorted(each.stat().st_nlink for each in bytecode_of(second)) == [2, 3]


def bytecode_of(tree: Path) -> list[Path]:
    return [*(tree / "lib" / "__pycache__").iterdir()]
