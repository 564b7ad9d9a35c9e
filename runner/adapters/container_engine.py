"""The container engine as it is spoken to: one client, its errors as ours, and whether it lives.

Docker, or whatever else speaks its language (Podman's socket), found as `docker` itself finds it:
by DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH. What containers are for is not known here.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from runner.errors import SandboxTrouble, SandboxUnavailable

if TYPE_CHECKING:
    from docker import APIClient
    from requests import Response

SECONDS = 60
"""How long one answer of the engine may take."""
CONNECTIONS = 64
USUAL = "unix:///var/run/docker.sock"
HINT = "Is Docker there, and may you use it? Its socket is named by DOCKER_HOST; try: docker info"
GONE_HINT = "Nothing was concluded from this attempt; look at the engine's log, then try again."


class Engine:
    """One engine; nothing is asked of it before it is needed.

    Args:
        seconds: how long one answer may take.
        host: where it listens, as DOCKER_HOST says it; None for what that says.
    """

    def __init__(self, seconds: int = SECONDS, host: str | None = None) -> None:
        self._seconds = seconds
        self._host = host
        self._lock = threading.Lock()
        self._witness: Witness | None = None

    @cached_property
    def api(self) -> APIClient:
        """The client that all calls go through, from any thread.

        Raises:
            SandboxUnavailable: no engine answers.
        """
        return self._connected("auto")

    @cached_property
    def info(self) -> dict[str, Any]:
        """What the engine says of itself and of this machine's kernel."""
        api = self.api
        with asking("to describe itself"):
            return api.info()

    @property
    def is_podman(self) -> bool:
        """Whether it is Podman, which speaks Docker's language with a few words of its own."""
        return "BuildahVersion" in self.info

    @property
    def address(self) -> str:
        """Where it listens, as DOCKER_HOST says it."""
        return self._host or os.environ.get("DOCKER_HOST") or USUAL

    def image(self, name: str) -> dict[str, Any] | None:
        """What the engine knows of an image; None if it has none of that name."""
        from docker.errors import ImageNotFound

        api: Any = self.api
        with asking(f"about the image {name}"):
            try:
                return cast("dict[str, Any]", api.inspect_image(name))
            except ImageNotFound:
                return None

    def knock(self) -> None:
        """Raise OSError where nobody listens: the SDK would say less, and leave a socket open."""
        _knock(self.address)

    def post(self, path: str, **params: str) -> Response:
        """An answer of which only the head was read; its body comes later, or breaks off."""
        api = self.api
        url = f"{api.base_url}/v{api.api_version}{path}"
        answer = api.post(url, params=params, stream=True, timeout=self._seconds)
        answer.raise_for_status()
        return answer

    def attach(self, container: str) -> Attached:
        """Both output streams of a container that was not started yet."""
        params = {"stdout": 1, "stderr": 1, "stream": 1}
        return Attached(cast("socket.SocketIO", self.api.attach_socket(container, params)))

    def watch(self) -> Witness:
        """From now on, know whether this is still the engine that it was."""
        with self._lock:
            if self._witness is None or self._witness.is_over():
                api = self.api
                url = f"{api.base_url}/v{api.api_version}/events"
                nothing = {"filters": '{"label":["fixproof.never"]}'}
                with asking("to be watched"):
                    answer = api.get(url, params=nothing, stream=True, timeout=self._seconds)
                    answer.raise_for_status()
                if self._witness is not None:
                    self._witness.close()
                self._witness = Witness(answer)
            return self._witness

    def assert_same(self, witness: Witness) -> None:
        """Whoever ended a container on its way down answers no new call, or forgot the old ones.

        Raises:
            SandboxTrouble: the engine is gone, is going, or was started anew.
        """
        with asking("whether it is still there"):
            fresh = self._connected(self.api.api_version)
            try:
                fresh.ping()
            finally:
                fresh.close()
        if witness.is_over():
            raise SandboxTrouble("the container engine was restarted meanwhile", hint=GONE_HINT)

    def assert_not_killed(self, container: str, state: Mapping[str, Any], name: str) -> None:
        """Whoever had the engine kill a container says nothing of what ran in it.

        Args:
            container: one that ended.
            state: its own, with when it began and ended by the engine's clock.
            name: for messages.

        Raises:
            SandboxTrouble: somebody did.
        """
        if self.is_podman:  # it writes events down only where it was set up to
            return
        began, ended = (_seconds(str(state[each])) for each in ("StartedAt", "FinishedAt"))
        kills = {"container": [container], "event": ["kill"]}
        with asking(f"who ended {name}"):
            api: Any = self.api
            told = api.events(since=began, until=ended + 2, filters=kills, decode=True)
            killed = any(True for _ in told)
        if killed:
            raise SandboxTrouble(f"{name}: somebody killed its container", hint=GONE_HINT)

    def close(self) -> None:
        """Give all connections back; the next call makes new ones."""
        with self._lock:
            if self._witness is not None:
                self._witness.close()
                self._witness = None
        if "api" in self.__dict__:
            self.api.close()
            del self.__dict__["api"]

    def _environ(self) -> dict[str, str]:
        return {**os.environ, **({"DOCKER_HOST": self._host} if self._host else {})}

    def _connected(self, version: str) -> APIClient:
        from docker import APIClient
        from docker.errors import DockerException
        from docker.utils import kwargs_from_env
        from requests import RequestException

        try:
            options = cast("dict[str, Any]", kwargs_from_env(environment=self._environ()))
            _knock(options.get("base_url", USUAL))
            return APIClient(
                version=version, timeout=self._seconds, max_pool_size=CONNECTIONS, **options
            )
        except (DockerException, RequestException, OSError) as error:
            message = f"no container engine answers: {_root(error)}"
            raise SandboxUnavailable(message, hint=HINT) from error


class Witness:
    """A connection on which nothing is ever sent: what can be read there is the engine's end."""

    def __init__(self, answer: Response) -> None:
        self._answer = answer
        body: Any = answer.raw
        stream = body._fp.fp.raw  # noqa: SLF001 - as the SDK itself does: there is no other way
        self._socket: Any = getattr(stream, "_sock", stream)

    def is_over(self) -> bool:
        try:
            return bool(select.select([self._socket], [], [], 0)[0])
        except (OSError, ValueError):  # Closed, because another engine has another witness.
            return True

    def close(self) -> None:
        self._answer.close()


class Attached:
    """The output of a container, to be read as it comes."""

    def __init__(self, stream: socket.SocketIO) -> None:
        self._stream = stream
        # TLS has its own buffer, which no selector knows of; the socket itself can be asked.
        self._socket: Any = getattr(stream, "_sock", stream)

    def fileno(self) -> int:
        return int(self._socket.fileno())

    def read(self, size: int) -> Iterator[bytes]:
        """What there is; an empty piece is the end, however it came about."""
        while True:
            try:
                yield self._socket.recv(size)
            except ConnectionError:
                yield b""
            if not getattr(self._socket, "pending", _nothing)():
                return

    def close(self) -> None:
        answer = getattr(self._stream, "_response", None)
        if answer is not None:
            answer.close()
        with suppress(OSError, ValueError):  # It may have been closed with the answer.
            self._stream.close()


def _knock(address: str) -> None:
    scheme, _, path = address.partition("://")
    if scheme in ("unix", "http+unix"):
        with socket.socket(socket.AF_UNIX) as door:
            try:
                door.connect(f"/{path.lstrip('/')}")
            except OSError as error:
                raise OSError(f"{address}: {error.strerror}") from error


def _nothing() -> int:
    return 0


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Calls of the engine; what goes wrong in them is trouble of ours, never an ending.

    Raises:
        SandboxTrouble: the engine refused, or did not answer.
    """
    from docker.errors import APIError, DockerException
    from requests import RequestException

    try:
        yield
    except APIError as error:
        said = error.explanation or str(error)
        raise SandboxTrouble(f"the container engine was asked {what}, and said: {said}") from error
    except SandboxUnavailable as error:
        message = f"the container engine was asked {what}, and is not there any more"
        raise SandboxTrouble(message, hint=GONE_HINT) from error
    except (DockerException, RequestException, OSError) as error:
        message = f"the container engine was asked {what}, and did not answer: {_root(error)}"
        raise SandboxTrouble(message, hint=GONE_HINT) from error


@contextmanager
def closing(answer: Response) -> Iterator[Response]:
    """An answer whose connection is given back."""
    try:
        yield answer
    finally:
        answer.close()


def unless_gone(call: Callable[[], object]) -> None:
    """Make a call about a container that may have gone by itself, or be on its way."""
    from docker.errors import APIError

    try:
        call()
    except APIError as error:
        already = (404, 409)
        if error.status_code not in already:
            raise


def _seconds(moment: str) -> int:
    """Whole seconds since 1970 of a moment as engines write it, in nanoseconds."""
    return int(datetime.fromisoformat(f"{moment[:19]}+00:00").timestamp())


def _root(error: BaseException) -> str:
    """The innermost of the errors that a client wraps around one another."""
    wrapped = [each for each in error.args if isinstance(each, BaseException)]
    return _root(wrapped[0]) if wrapped else str(error)
