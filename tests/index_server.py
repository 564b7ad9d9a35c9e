"""A small real package index on loopback; how it answers is told by the address it is asked at.

`full` answers PEP 691 JSON with upload times (PEP 700), `bare` HTML without any, `old` the same
with the older JSON API beside it, `broken` with an error of the server.
"""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

from tests.wheels import Built


class Style(StrEnum):
    """How an index answers."""

    FULL = "full"
    BARE = "bare"
    OLD = "old"
    BROKEN = "broken"


@dataclass(frozen=True)
class Offered:
    """One file that the index has."""

    built: Built
    uploaded: datetime
    yanked: bool = False

    @property
    def project(self) -> str:
        name = self.built.filename
        parsed = parse_wheel_filename(name) if name.endswith(".whl") else parse_sdist_filename(name)
        return str(parsed[0])

    @property
    def version(self) -> str:
        name = self.built.filename
        parsed = parse_wheel_filename(name) if name.endswith(".whl") else parse_sdist_filename(name)
        return str(parsed[1])


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    body: bytes
    kind: str = "text/html"
    status: HTTPStatus = HTTPStatus.OK


class IndexServer:
    """Files by project, and every path that was asked for."""

    def __init__(self) -> None:
        self._files: dict[str, list[Offered]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._silenced = False
        self._missing: set[str] = set()
        self.asked: list[str] = []

    @contextmanager
    def serving(self) -> Iterator[IndexServer]:
        """Answer, in a thread, for as long as the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def address(self, style: Style = Style.FULL) -> str:
        """What uv and fixproof are to be pointed to."""
        return f"http://127.0.0.1:{self._server.server_port}/{style}/simple/"

    def offer(self, offered: Offered) -> None:
        self._files.setdefault(offered.project, []).append(offered)

    def withdraw(self, project: str) -> None:
        """Have nothing of a project any more."""
        self._files.pop(canonicalize_name(project), None)

    def forget(self, project: str, version: str) -> None:
        """Have one release of a project no more."""
        files = self._files[canonicalize_name(project)]
        files[:] = [each for each in files if each.version != version]

    @contextmanager
    def without_files(self, project: str, version: str) -> Iterator[None]:
        """List a release, and have none of its files, as long as the block runs."""
        missing = {each.built.filename for each in self._files[project] if each.version == version}
        self._missing |= missing
        try:
            yield
        finally:
            self._missing -= missing

    @contextmanager
    def silenced(self) -> Iterator[None]:
        """Hang up on whoever asks, as long as the block runs."""
        self._silenced = True
        try:
            yield
        finally:
            self._silenced = False

    def asked_for(self, project: str) -> list[str]:
        """Paths that were asked for and have to do with a project, in order."""
        name = canonicalize_name(project)
        return [each for each in self.asked if {name, name.replace("-", "_")} & _words(each)]

    def answer(self, path: str) -> Answer | None:
        """What a path gives, in the style that it begins with; None to hang up."""
        self.asked.append(path)
        if self._silenced:
            return None
        style, _, rest = path.lstrip("/").partition("/")
        if style == Style.BROKEN:
            return Answer(b"broken", status=HTTPStatus.INTERNAL_SERVER_ERROR)
        match rest.strip("/").split("/"):
            case ["simple", project] if project in self._files:
                return self._page(Style(style), project)
            case ["pypi", project, "json"] if style == Style.OLD and project in self._files:
                return self._older(project)
            case ["files", name]:
                return self._file(name)
            case _:
                return Answer(b"not here", status=HTTPStatus.NOT_FOUND)

    def _page(self, style: Style, project: str) -> Answer:
        files = self._files[project]
        if style is Style.FULL:
            document = {
                "meta": {"api-version": "1.1"},
                "name": project,
                "versions": sorted({each.version for each in files}),
                "files": [_described(each) for each in files],
            }
            return _json(document, "application/vnd.pypi.simple.v1+json")
        links = "".join(_link(each) for each in files)
        return Answer(f"<!DOCTYPE html><html><body>{links}</body></html>".encode())

    def _older(self, project: str) -> Answer:
        releases: dict[str, list[dict[str, str]]] = {}
        for each in self._files[project]:
            told = {"filename": each.built.filename, "upload_time_iso_8601": _time(each.uploaded)}
            releases.setdefault(each.version, []).append(told)
        return _json({"info": {"name": project}, "releases": releases}, "application/json")

    def _file(self, name: str) -> Answer:
        wanted = name.removesuffix(".metadata")
        for each in (offered for files in self._files.values() for offered in files):
            if each.built.filename == wanted and name not in self._missing:
                data = each.built.data if name == wanted else each.built.metadata
                return Answer(data, "application/octet-stream")
        return Answer(b"not here", status=HTTPStatus.NOT_FOUND)


def _described(offered: Offered) -> dict[str, Any]:
    built = offered.built
    return {
        "filename": built.filename,
        "url": f"../../files/{built.filename}",
        "hashes": {"sha256": built.sha256},
        "requires-python": built.requires_python,
        "size": len(built.data),
        "upload-time": _time(offered.uploaded),
        "yanked": "withdrawn" if offered.yanked else False,
        "core-metadata": built.filename.endswith(".whl"),
    }


def _link(offered: Offered) -> str:
    built = offered.built
    python = built.requires_python
    allowed = f' data-requires-python="{html.escape(python)}"' if python else ""
    yanked = ' data-yanked="withdrawn"' if offered.yanked else ""
    address = f"../../files/{built.filename}#sha256={built.sha256}"
    return f'<a href="{address}"{allowed}{yanked}>{built.filename}</a>\n'


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _json(document: dict[str, Any], kind: str) -> Answer:
    return Answer(json.dumps(document).encode(), kind)


def _words(path: str) -> set[str]:
    """The project that a path may be about: a part of it, or a file name's first part."""
    parts = path.strip("/").split("/")
    return {*parts, *(part.split("-")[0] for part in parts)}


def _handler(index: IndexServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body leave together

        def do_GET(self) -> None:
            self._send(with_body=True)

        def do_HEAD(self) -> None:
            self._send(with_body=False)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Say nothing."""

        def _send(self, *, with_body: bool) -> None:
            answer = index.answer(self.path)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if with_body:
                self.wfile.write(answer.body)

    return Handler
