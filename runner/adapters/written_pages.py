"""Pages on the disk that are written anew: whole or not at all, never over somebody's change."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from runner.errors import FixproofError, NoSpace, WrongUsage
from runner.value import digest

_SUFFIXES = (".md", ".markdown", ".mdx", ".html", ".htm", ".xhtml", ".txt")


class PageChanged(FixproofError):
    """A page is not as it was when it was read."""

    exit_code = 20
    kind = "page_changed"


class WrittenPages:
    """Reads pages and replaces them."""

    def named(self, names: Iterator[str] | tuple[str, ...]) -> Iterator[tuple[Path, bool]]:
        """Each page, and whether it was named itself and not its folder.

        Raises:
            WrongUsage: a name is neither a file nor a folder.
        """
        for name in names:
            path = Path(name)
            if path.is_dir():
                inside = (each for each in sorted(path.rglob("*")) if each.is_file())
                yield from ((each, False) for each in inside if each.suffix.lower() in _SUFFIXES)
            elif path.is_file():
                yield path, True
            else:
                raise WrongUsage(f"there is no page {name}")

    def read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise WrongUsage(f"{path} cannot be read: {error.strerror}") from error

    def replace(self, path: Path, read: bytes, data: bytes) -> None:
        """Put `data` in the place of what was read, at once.

        Raises:
            PageChanged: it is another page now, which stays as it is.
            NoSpace: it cannot be written.
        """
        target = path.resolve()  # a link stays one
        try:
            mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
            with tempfile.NamedTemporaryFile(
                dir=target.parent, prefix=f".{target.name}.", delete=False
            ) as temporary:
                made = Path(temporary.name)
                try:
                    temporary.write(data)
                    temporary.flush()
                    os.fsync(temporary.fileno())
                    made.chmod(mode)
                    self._require_unchanged(target, read)
                    made.replace(target)
                except BaseException:
                    made.unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise NoSpace(f"{path} cannot be written: {error.strerror}") from error

    def _require_unchanged(self, target: Path, read: bytes) -> None:
        try:
            now = target.read_bytes()
        except OSError:
            now = None
        if now is None or digest(now) != digest(read):
            raise PageChanged(
                f"{target} changed while its sections were made; it was left as it is",
                hint="Publish again.",
            )
