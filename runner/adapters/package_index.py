"""What releases a package has, from the index that uv is configured for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from packaging.specifiers import SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.uv_configuration import uv_files, uv_toml
from runner.environment import cutoff
from runner.errors import IndexUnreachable, UnknownPackage
from runner.releases import File, History, Release
from runner.value import digest

if TYPE_CHECKING:
    from pypi_simple import PyPISimple

KEPT_SECONDS = 600
"""Metadata of that age is not asked for again."""
_ANSWER_SECONDS = 30
_WELL_KNOWN = "pip"
_NOT_FOUND = 404
_UV_ATTRIBUTE = "data-upload-time="
_UV_ACCEPTS = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.01"
)
"""An index may answer differently to who asks differently: we ask as uv does."""
_SOURCE_ENDINGS = (".tar.gz", ".tgz", ".tar.bz2", ".zip")


class UvPackageIndex:
    """Asks the indexes in uv's own order; the first that has the package answers for it."""

    def __init__(self, cache: CachedDocuments) -> None:
        self._cache = cache

    def history(
        self, package: str, *, fresh: bool = False, asking: Callable[[], None] = lambda: None
    ) -> History:
        """All releases with their upload times, as far as the index tells them."""
        indexes = configured_indexes(os.environ)
        name = f"history/2 {canonicalize_name(package)} {indexes}"
        kept = None if fresh else self._cache.get(name, seconds=KEPT_SECONDS)
        if kept is not None:
            return _read(kept)
        asking()
        history = self._ask(canonicalize_name(package), indexes)
        self._cache.put(name, history.model_dump_json())
        return history

    def newest_source(
        self, package: str, python: str, before: datetime | None, within: SpecifierSet
    ) -> str | None:
        """The newest of some final releases with a source distribution, as of a time."""
        for release in reversed(self.history(package).offered):
            sources = [each for each in release.files if each.name.endswith(_SOURCE_ENDINGS)]
            known = before is None or (release.uploaded is not None and release.uploaded < before)
            allowed = release.allows(python) and within.contains(release.parsed, prereleases=True)
            if sources and known and allowed:
                return release.version
        return None

    def tools_until(self, package: str, version: str) -> datetime | None:
        """The cut-off of a release itself; None where the index does not say when it came."""
        release = self.history(package).find(version)
        return cutoff((release,)) if release else None

    def fetch_source(self, package: str, version: str, folder: Path) -> Path | None:
        """The source distribution of a release, checked against its hash; None if it has none."""
        from pypi_simple import PYPI_SIMPLE_ENDPOINT

        for address in configured_indexes(os.environ) or (PYPI_SIMPLE_ENDPOINT,):
            found = _fetch_from(address, package, version, folder)
            if found is not None:
                return found
        return None

    def knock(self) -> tuple[datetime, ...]:
        """What time it is for each configured index that answers and says so.

        Raises:
            IndexUnreachable: one of them does not answer as an index does.
        """
        from pypi_simple import PYPI_SIMPLE_ENDPOINT

        told = (
            _time_at(each) for each in configured_indexes(os.environ) or (PYPI_SIMPLE_ENDPOINT,)
        )
        return tuple(each for each in told if each is not None)

    def identity(self) -> str:
        """Names where packages come from; passwords do not count."""
        bare = (
            urlsplit(each)._replace(netloc=urlsplit(each).netloc.rpartition("@")[2]).geturl()
            for each in configured_indexes(os.environ)
        )
        return digest(*bare, os.environ.get("UV_FIND_LINKS", ""))

    def _ask(self, package: str, indexes: tuple[str, ...]) -> History:
        from pypi_simple import PYPI_SIMPLE_ENDPOINT

        for address in indexes or (PYPI_SIMPLE_ENDPOINT,):
            answer = _ask_index(address, package)
            if answer is not None:
                files, dated = answer
                return History(
                    package=package,
                    releases=_releases(files),
                    unread=_unread(files),
                    fetched=datetime.now(tz=UTC),
                    dated=dated,
                )
        raise UnknownPackage(
            f"the package index has no package {package!r}",
            hint="Is the name right? An index of your own is taken from uv's configuration.",
        )


@lru_cache(maxsize=8)
def _read(text: str) -> History:
    """A kept history; each build of a sweep asks for those of what it needs."""
    return History.model_validate_json(text)


def configured_indexes(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The addresses that uv would ask, in its order; none stands for the public index.

    uv's own variables win over its files (user's, then system's). A flat index has no metadata
    and is left out.
    """
    files = [uv_toml(path) for path in uv_files(environ)]
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


def _fetch_from(address: str, package: str, version: str, folder: Path) -> Path | None:
    with _asking(address, package) as client:
        for each in client.get_project_page(package, timeout=_ANSWER_SECONDS).packages:
            source = each.package_type == "sdist" and each.filename.endswith(_SOURCE_ENDINGS)
            if source and _version_of(each.filename) == Version(version):
                target = folder / each.filename
                client.download_package(each, path=target, timeout=_ANSWER_SECONDS)
                return target
    return None


def _ask_index(address: str, package: str) -> tuple[list[File], bool] | None:
    """All files that one index has of a package, and whether it dates them where uv looks.

    None if it does not know the package.
    """
    with _asking(address, package) as client:
        page_url = client.get_project_url(package)
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
        if all(each.uploaded for each in files):
            return files, True
        # uv also reads an attribute of HTML pages that no standard names.
        dated = _UV_ATTRIBUTE in client.s.get(page_url, timeout=_ANSWER_SECONDS).text
        return _with_upload_times(client.s, address, package, files), dated
    return None


def _time_at(address: str) -> datetime | None:
    """What an index says of the time, in answer to a question for a package that most have."""
    with _asking(address, _WELL_KNOWN) as client:
        url = client.get_project_url(_WELL_KNOWN)
        with client.s.get(url, timeout=_ANSWER_SECONDS, stream=True) as answer:
            if answer.status_code != _NOT_FOUND:
                answer.raise_for_status()
            said, age = answer.headers.get("Date"), answer.headers.get("Age", "")
        held = timedelta(seconds=int(age) if age.isdecimal() else 0)  # by a cache on the way
        return parsedate_to_datetime(said).astimezone(UTC) + held if said else None
    return None


@contextmanager
def _asking(address: str, package: str) -> Iterator[PyPISimple]:
    """A client of one index; what it does not know is skipped, what it does not say is trouble."""
    import requests
    from pypi_simple import (
        DigestMismatchError,
        NoSuchProjectError,
        PyPISimple,
        UnsupportedRepoVersionError,
    )

    session = requests.Session()
    session.verify = os.environ.get("SSL_CERT_FILE") or True
    try:
        with PyPISimple(endpoint=address, session=session, accept=_UV_ACCEPTS) as client:
            client.s.headers["Accept"] = _UV_ACCEPTS
            yield client
    except NoSuchProjectError:
        return
    except (
        requests.RequestException,
        UnsupportedRepoVersionError,
        DigestMismatchError,
        ValueError,
    ) as error:
        raise IndexUnreachable(
            f"the package index did not answer for {package!r}: {_without_addresses(error)}",
            hint="Check the network, the index's address in uv's configuration, and certificates.",
        ) from error


def _with_upload_times(session: Any, address: str, package: str, files: list[File]) -> list[File]:
    """An index that answers without times may have them in the older JSON API beside it."""
    base = address.rstrip("/").removesuffix("/simple")
    accept = {"Accept": "application/json"}
    answer = session.get(f"{base}/pypi/{package}/json", timeout=_ANSWER_SECONDS, headers=accept)
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


def _unread(files: Iterable[File]) -> tuple[str, ...]:
    """Names that could be a release's, and are not; an installer's or an egg's never could."""
    endings = (".whl", *_SOURCE_ENDINGS)
    names = (each.name for each in files if _version_of(each.name) is None)
    return tuple(sorted(name for name in names if name.endswith(endings)))


def _version_of(name: str) -> Version | None:
    try:
        if name.endswith(".whl"):
            return parse_wheel_filename(name)[1]
        return parse_sdist_filename(name)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None
