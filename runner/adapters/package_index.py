"""What releases a package has, from the index that uv is configured for."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from runner.adapters.cached_documents import CachedDocuments
from runner.errors import IndexUnreachable, UnknownPackage
from runner.releases import File, History, Release

KEPT_SECONDS = 600
"""Metadata of that age is not asked for again."""
_ANSWER_SECONDS = 30


class UvPackageIndex:
    """Asks the indexes in uv's own order; the first that has the package answers for it."""

    def __init__(self, cache: CachedDocuments) -> None:
        self._cache = cache

    def history(
        self, package: str, *, fresh: bool = False, asking: Callable[[], None] = lambda: None
    ) -> History:
        """All releases with their upload times, as far as the index tells them."""
        indexes = configured_indexes(os.environ)
        name = f"history/1 {canonicalize_name(package)} {indexes}"
        kept = None if fresh else self._cache.get(name, seconds=KEPT_SECONDS)
        if kept is not None:
            return History.model_validate_json(kept)
        asking()
        history = self._ask(canonicalize_name(package), indexes)
        self._cache.put(name, history.model_dump_json())
        return history

    def _ask(self, package: str, indexes: tuple[str, ...]) -> History:
        from pypi_simple import PYPI_SIMPLE_ENDPOINT

        for address in indexes or (PYPI_SIMPLE_ENDPOINT,):
            files = _ask_index(address, package)
            if files is not None:
                releases = _releases(files)
                return History(package=package, releases=releases, fetched=datetime.now(tz=UTC))
        raise UnknownPackage(
            f"the package index has no package {package!r}",
            hint="Is the name right? An index of your own is taken from uv's configuration.",
        )


def configured_indexes(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The addresses that uv would ask, in its order; none stands for the public index.

    uv's own variables win over its files (user's, then system's). A flat index has no metadata
    and is left out.
    """
    files = [_uv_toml(path) for path in _uv_files(environ)]
    variables = [
        *environ.get("UV_INDEX", "").split(),
        *environ.get("UV_EXTRA_INDEX_URL", "").split(),
    ]
    extra = [_credentials(each, environ) for each in variables]
    default = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL")
    for table in files:
        for each in table.get("index", []):
            if each.get("default") and not default:
                default = each["url"]
            elif not each.get("default") and not each.get("explicit"):
                extra.append(_credentials(f"{each.get('name', '')}={each['url']}", environ))
        extra += table.get("extra-index-url", [])
        default = default or table.get("index-url")
    if extra and not default:
        from pypi_simple import PYPI_SIMPLE_ENDPOINT

        default = PYPI_SIMPLE_ENDPOINT
    return (*extra, _credentials(default, environ)) if default else ()


def _uv_files(environ: Mapping[str, str]) -> list[Path]:
    if environ.get("UV_NO_CONFIG"):
        return []
    if environ.get("UV_CONFIG_FILE"):
        return [Path(environ["UV_CONFIG_FILE"])]
    home = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '/nonexistent')}/.config"
    return [Path(home, "uv/uv.toml"), Path("/etc/xdg/uv/uv.toml"), Path("/etc/uv/uv.toml")]


def _uv_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise IndexUnreachable(f"{path} cannot be read: {error}") from error


def _credentials(named: str, environ: Mapping[str, str]) -> str:
    """`NAME=ADDRESS` or an address, with the user and password that uv has for that name."""
    name, separator, address = named.partition("=")
    if not separator or "/" in name:
        return named
    variable = "UV_INDEX_" + "".join(c if c.isalnum() else "_" for c in name).upper()
    user, password = environ.get(f"{variable}_USERNAME"), environ.get(f"{variable}_PASSWORD")
    parts = urlsplit(address)
    if not user or "@" in parts.netloc:
        return address
    return urlunsplit(parts._replace(netloc=f"{user}:{password or ''}@{parts.netloc}"))


def _ask_index(address: str, package: str) -> list[File] | None:
    """All files that one index has of a package; None if it does not know it."""
    import requests
    from pypi_simple import NoSuchProjectError, PyPISimple, UnsupportedRepoVersionError

    session = requests.Session()
    session.verify = os.environ.get("SSL_CERT_FILE") or True
    try:
        with PyPISimple(endpoint=address, session=session) as client:
            page = client.get_project_page(package, timeout=_ANSWER_SECONDS)
        files = [
            File(
                name=each.filename,
                uploaded=each.upload_time,
                yanked=bool(each.is_yanked),
                requires_python=each.requires_python or "",
            )
            for each in page.packages
        ]
        if any(each.uploaded is None for each in files):
            return _with_upload_times(session, address, package, files)
    except NoSuchProjectError:
        return None
    except (requests.RequestException, UnsupportedRepoVersionError, ValueError) as error:
        raise IndexUnreachable(
            f"the package index did not answer for {package!r}: {_without_addresses(error)}",
            hint="Check the network, the index's address in uv's configuration, and certificates.",
        ) from error
    return files


def _with_upload_times(session: Any, address: str, package: str, files: list[File]) -> list[File]:
    """An index that answers without times may have them in the older JSON API beside it."""
    base = address.rstrip("/").removesuffix("/simple")
    answer = session.get(f"{base}/pypi/{package}/json", timeout=_ANSWER_SECONDS)
    if answer.status_code != 200:  # noqa: PLR2004 - that API is optional
        return files
    told = {
        each["filename"]: datetime.fromisoformat(each["upload_time_iso_8601"])
        for listed in answer.json().get("releases", {}).values()
        for each in listed
    }
    return [
        each if each.uploaded else each.model_copy(update={"uploaded": told.get(each.name)})
        for each in files
    ]


def _without_addresses(error: Exception) -> str:
    """What went wrong, without what may hold a password."""
    return type(error).__name__


def _releases(files: Iterable[File]) -> tuple[Release, ...]:
    """Files by the version in their names; a name that PEP 440 cannot order is no release."""
    by_version: dict[Version, list[File]] = {}
    for each in files:
        version = _version_of(each.name)
        if version is not None:
            by_version.setdefault(version, []).append(each)
    return tuple(
        Release(version=str(version), files=tuple(by_version[version]))
        for version in sorted(by_version)
    )


def _version_of(name: str) -> Version | None:
    try:
        if name.endswith(".whl"):
            return parse_wheel_filename(name)[1]
        return parse_sdist_filename(name)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None
