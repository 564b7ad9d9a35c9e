"""What a user's uv configuration says of where packages come from, and nothing else of it."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from runner.errors import IndexUnreachable

# What else it says, of which releases to take, would make a cell depend on the machine.
_OF_INDEXES = frozenset(
    {
        *("index", "index-url", "extra-index-url", "find-links", "no-index", "index-strategy"),
        *("keyring-provider", "allow-insecure-host", "native-tls", "system-certs"),
    }
)


# Variables with addresses, in uv's order; the last two name the index that is asked last.
_OF_ADDRESSES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_PAGES = "max-age=600"
"""How long uv may rely on an index's pages: as long as fixproof does on what it read of them."""
_FILES = "max-age=365000000, immutable"
"""What is once on the public index under some name stays as it is."""


def write_index_settings(
    environ: Mapping[str, str], target: Path, *, remembering: bool = False
) -> Mapping[str, str]:
    """Write a configuration for uv with the user's settings of indexes alone.

    Args:
        environ: the user's environment, which says where the user's own configuration is.
        target: the file to write.
        remembering: pages that were read in the last ten minutes are relied on. It overrules
            uv's `--refresh`.

    Returns:
        The environment without the variables that the configuration now speaks for.
    """
    settings: Mapping[str, Any] = index_settings(environ)
    if remembering:
        settings, environ = remembered(settings, environ)
    text = tomli_w.dumps(settings)
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        # Made readable by its owner alone, as an address may hold a password.
        with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False) as new:
            new.write(text)
        Path(new.name).replace(target)
    return environ


def remembered(
    settings: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The same indexes, with pages that uv need not ask for again for ten minutes.

    Indexes that send no word on how long they may be relied on would be asked for each cell.
    Passwords out of variables are written nowhere: where one is in an address, all stays as it is.
    """
    told = {name: environ[name].split() for name in _OF_ADDRESSES if environ.get(name)}
    addresses = [address for each in told.values() for address in each]
    if not all("://" in each and "@" not in each for each in addresses):
        return dict(settings), environ
    rest = {name: each for name, each in settings.items() if name not in _KEYS_OF_ADDRESSES}
    found = _indexes(settings, told)
    if not settings.get("no-index") and not any(each.get("default") for each in found):
        found.append({"url": _public(), "default": True})
    rest["index"] = [_with_cache_control(each) for each in found]
    return rest, {name: each for name, each in environ.items() if name not in told}


_KEYS_OF_ADDRESSES = ("index", "extra-index-url", "index-url")


def _indexes(settings: Mapping[str, Any], told: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    """All indexes as tables, in the order in which uv asks them."""
    in_files = [dict(each) for each in settings.get("index", [])]
    extra = (*told.get("UV_EXTRA_INDEX_URL", ()), *settings.get("extra-index-url", ()))
    found = [
        *map(_named, told.get("UV_INDEX", ())),
        *(each for each in in_files if not each.get("default")),
        *({"url": each} for each in extra),
    ]
    last = [
        *map(_named, told.get("UV_DEFAULT_INDEX", ())),
        *(each for each in in_files if each.get("default")),
        *({"url": each} for each in told.get("UV_INDEX_URL", ())),
        *({"url": settings[name]} for name in ("index-url",) if settings.get(name)),
    ]
    return [*found, *({**each, "default": True} for each in last[:1])]


def _named(text: str) -> dict[str, Any]:
    """`NAME=ADDRESS`, or an address alone."""
    name, separator, address = text.partition("=")
    if not separator or "/" in name:
        return {"url": text}
    return {"name": name, "url": address}


def _with_cache_control(index: Mapping[str, Any]) -> dict[str, Any]:
    if "cache-control" in index or index.get("format") == "flat":
        return dict(index)
    public = str(index["url"]).rstrip("/") == _public()
    return {**index, "cache-control": {"api": _PAGES, **({"files": _FILES} if public else {})}}


def _public() -> str:
    """The address of the public index."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    return PYPI_SIMPLE_ENDPOINT.rstrip("/")


def index_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings of indexes, the user's before the system's; those of `pip` are uv's own too."""
    found: dict[str, Any] = {}
    for path in reversed(uv_files(environ)):
        table = uv_toml(path)
        for settings in (table.get("pip", {}), table):
            found |= {key: value for key, value in settings.items() if key in _OF_INDEXES}
    return found


def uv_files(environ: Mapping[str, str]) -> list[Path]:
    """Where uv's configuration is, the user's first."""
    if environ.get("UV_NO_CONFIG"):
        return []
    if environ.get("UV_CONFIG_FILE"):
        return [Path(environ["UV_CONFIG_FILE"])]
    home = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '/nonexistent')}/.config"
    return [Path(home, "uv/uv.toml"), Path("/etc/xdg/uv/uv.toml"), Path("/etc/uv/uv.toml")]


def uv_toml(path: Path) -> dict[str, Any]:
    """One configuration; an empty one where there is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise IndexUnreachable(f"{path} cannot be read: {error}") from error
