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


def write_index_settings(environ: Mapping[str, str], target: Path) -> None:
    """Write a configuration for uv with the user's settings of indexes alone."""
    text = tomli_w.dumps(index_settings(environ))
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        # Made readable by its owner alone, as an address may hold a password.
        with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False) as new:
            new.write(text)
        Path(new.name).replace(target)


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
