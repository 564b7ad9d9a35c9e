"""Small distributions made on the fly: pure Python, byte for byte the same each time."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution

_WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_LONG_AGO = (2020, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Built:
    """One file of a release, as an index offers it."""

    filename: str
    data: bytes
    metadata: bytes
    requires_python: str | None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def wheel(
    name: str,
    version: str,
    *,
    files: Mapping[str, str | bytes],
    requires: Sequence[str] = (),
    requires_python: str | None = None,
) -> Built:
    """A wheel with these files, by their names below site-packages."""
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = _metadata(name, version, requires, requires_python)
    folder = f"{stem}.dist-info"
    contents = {path: _bytes(text) for path, text in files.items()}
    contents |= {f"{folder}/METADATA": metadata, f"{folder}/WHEEL": _WHEEL.encode()}
    record = "".join(f"{path},{_recorded(data)}\n" for path, data in contents.items())
    contents[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n".encode()
    return Built(f"{stem}-py3-none-any.whl", _zip(contents), metadata, requires_python)


def sdist(name: str, version: str, *, files: Mapping[str, str | bytes]) -> Built:
    """A source distribution, which nobody can install without building it."""
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = _metadata(name, version, (), None)
    contents = {path: _bytes(text) for path, text in files.items()}
    project = f'[project]\nname = "{name}"\nversion = "{version}"\n'
    contents = {"PKG-INFO": metadata, "pyproject.toml": project.encode()} | contents
    packed = _tar({f"{stem}/{path}": data for path, data in contents.items()})
    return Built(f"{stem}.tar.gz", packed, metadata, None)


def repacked(name: str) -> Built:
    """The distribution that is installed here under that name, as a wheel again."""
    found = distribution(name)
    files = {
        str(each): each.locate().read_bytes()  # type: ignore[attr-defined]  # of installed files alone
        for each in found.files or ()
        if each.suffix == ".py" and not each.is_absolute() and ".." not in each.parts
    }
    entry_points = found.read_text("entry_points.txt")
    made = wheel(
        found.metadata["Name"],
        found.version,
        files=files | _entry_points(found.metadata["Name"], found.version, entry_points),
        requires=[each for each in found.requires or () if "extra ==" not in each],
        requires_python=found.metadata["Requires-Python"],
    )
    return Built(made.filename, made.data, made.metadata, made.requires_python)


def _entry_points(name: str, version: str, text: str | None) -> dict[str, str]:
    path = f"{name.replace('-', '_')}-{version}.dist-info/entry_points.txt"
    return {path: text} if text else {}


def _metadata(
    name: str, version: str, requires: Sequence[str], requires_python: str | None
) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Requires-Dist: {each}" for each in requires]
    return ("\n".join(lines) + "\n").encode()


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _recorded(data: bytes) -> str:
    hashed = urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={hashed},{len(data)}"


def _zip(contents: Mapping[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in contents.items():
            entry = zipfile.ZipInfo(path, _LONG_AGO)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return whole.getvalue()


def _tar(contents: Mapping[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=whole, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path, data in contents.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return whole.getvalue()
