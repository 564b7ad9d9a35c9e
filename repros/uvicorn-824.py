# /// script
# requires-python = ">=3.8"
# dependencies = ["uvicorn"]
#
# [tool.fixproof]
# package   = "uvicorn"
# title     = "A leaked keep-alive timer closes a connection in use"
# issue     = "https://github.com/Kludex/uvicorn/issues/824"
# fix       = "https://github.com/Kludex/uvicorn/pull/832"
# fixed     = "0.12.3"
# signature = "^BUG: "
#
# [tool.fixproof.variants.h11]
# env = { HTTP = "h11" }
#
# [tool.fixproof.variants.httptools]
# dependencies = ["httptools"]
# env = { HTTP = "httptools" }
# python = ["3.8"]
# ///
"""A leaked keep-alive timer closes a connection in use.

After each response uvicorn starts a timer that closes the connection unless more data comes within
`timeout_keep_alive` seconds. Data that comes cancels the timer. But a request that came before the
response ended (here: two requests sent at once) brings no more data, so the first timer still runs
when the second response ends and starts another. Before 0.12.3 the second timer took the place of
the first without cancelling it. Nothing could cancel the first one any more: it went off at its
time and broke whatever response was then on its way.

Three connections to one server tell this timer from all else that can end a connection:

- `pipelined` sends two requests at once, which leaks a timer, and later one with a slow response;
- `sequential` sends the same requests, each after the response to the one before it;
- `idle` sends one request after the leak. Its timer is younger than the leaked one, so when the
  server closes `idle`, the leaked timer's time is over as well, however busy the machine is.

The slow responses come bit by bit, and end only when `idle` is closed. If both come whole, the bug
is not there (exit 0). If only the one on `pipelined` breaks, and not before the leaked timer's
time, that is the bug (exit 1). Whatever else is seen decides nothing (exit 125).
"""

import asyncio
import os
import socket
import sys
from typing import Any, Awaitable, Callable, Dict, Tuple

import uvicorn

KEEP_ALIVE = 1  # seconds; whole, as on uvicorn's command line
PATIENCE = 10  # seconds after which something awaited counts as not coming

QUICK = b"quick\n"
SLOW = b"slow: one byte after the other\n"

Send = Callable[[Dict[str, Any]], Awaitable[None]]


class Undecided(Exception):
    """Neither the bug nor its absence; the message says what was seen instead."""


def make_app(finish: asyncio.Event) -> Callable[..., Awaitable[None]]:
    """Return an application whose slow responses end when `finish` is set."""

    async def start(send: Send, length: int) -> None:
        headers = [(b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def write(send: Send, body: bytes, more_body: bool) -> None:
        await send({"type": "http.response.body", "body": body, "more_body": more_body})

    async def quick(send: Send) -> None:
        await start(send, len(QUICK))
        await write(send, QUICK, more_body=False)

    async def slow(send: Send) -> None:
        await start(send, len(SLOW))
        for byte in SLOW[:-1]:
            await write(send, bytes([byte]), more_body=True)
            await asyncio.sleep(KEEP_ALIVE / len(SLOW))
        await finish.wait()
        await write(send, SLOW[-1:], more_body=False)

    async def app(scope: Dict[str, Any], receive: object, send: Send) -> None:
        await (slow(send) if scope["path"] == "/slow" else quick(send))

    return app


class Connection:
    """A client's connection, with a name for messages."""

    def __init__(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.name = name
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, name: str, address: Tuple[str, int]) -> "Connection":
        try:
            reader, writer = await asyncio.open_connection(*address)
        except OSError as error:
            raise Undecided(f"{name}: no connection: {error!r}") from error
        return cls(name, reader, writer)

    async def quick(self, count: int = 1) -> None:
        """Send `count` requests at once, and read the responses."""
        self._request("/quick", count)
        for _ in range(count):
            await self._read_head()
            body = await self._read_body(QUICK)
            if body != QUICK:
                raise Undecided(f"{self.name}: closed after {body!r} of {QUICK!r}")

    async def slow(self) -> Tuple[bool, float]:
        """Return whether the slow response came whole, and the time when it ended or broke."""
        self._request("/slow")
        await self._read_head()
        body = await self._read_body(SLOW)
        return body == SLOW, asyncio.get_running_loop().time()

    async def closed(self) -> None:
        """Wait for the server to close the connection."""
        seen = await self._read(self.reader.readexactly(1))
        if seen:
            raise Undecided(f"{self.name}: {seen!r} instead of the end")

    def _request(self, path: str, count: int = 1) -> None:
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * count)

    async def _read_head(self) -> None:
        head = await self._read(self.reader.readuntil(b"\r\n\r\n"))
        if not (head.startswith(b"HTTP/1.1 200 ") and head.endswith(b"\r\n\r\n")):
            raise Undecided(f"{self.name}: {head!r} instead of the head of a response")

    async def _read_body(self, expected: bytes) -> bytes:
        """Return the body, or its beginning if the server closed the connection."""
        body = await self._read(self.reader.readexactly(len(expected)))
        if not expected.startswith(body):
            raise Undecided(f"{self.name}: {body!r} instead of {expected!r}")
        return body

    async def _read(self, wanted: Awaitable[bytes]) -> bytes:
        """Return what was wanted, or its beginning if the server closed the connection."""
        try:
            return await asyncio.wait_for(wanted, PATIENCE)
        except asyncio.IncompleteReadError as closed:
            return closed.partial
        except asyncio.TimeoutError as error:
            raise Undecided(f"{self.name}: no end in {PATIENCE} s") from error
        except (OSError, asyncio.LimitOverrunError) as error:
            raise Undecided(f"{self.name}: {error!r}") from error


async def old_timer_is_harmless(address: Tuple[str, int], finish: asyncio.Event) -> bool:
    """Tell whether the slow response comes whole after two requests sent at once."""
    loop = asyncio.get_running_loop()

    sequential = await Connection.open("sequential", address)
    for _ in range(3):
        await sequential.quick()

    pipelined = await Connection.open("pipelined", address)
    before_leak = loop.time()
    await pipelined.quick(2)
    after_leak = loop.time()
    await pipelined.quick()

    idle = await Connection.open("idle", address)
    await idle.quick()

    async def finish_when_idle_is_closed() -> None:
        await idle.closed()
        if loop.time() < after_leak + KEEP_ALIVE:
            raise Undecided("idle: closed before its keep-alive timer's time")
        finish.set()

    (control_whole, _), (whole, ended), _ = await asyncio.gather(
        sequential.slow(), pipelined.slow(), finish_when_idle_is_closed()
    )
    if not control_whole:
        raise Undecided("sequential: closed in the middle of the slow response, without any leak")
    if not whole and ended < before_leak + KEEP_ALIVE:
        raise Undecided("pipelined: closed before the leaked timer's time")
    return whole


async def run() -> bool:
    """Serve on a free loopback port, and ask there."""
    finish = asyncio.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        make_app(finish),
        http=os.environ.get("HTTP", "h11"),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE,
    )
    serving = asyncio.ensure_future(uvicorn.Server(config).serve(sockets=[listener]))
    asking = asyncio.ensure_future(old_timer_is_harmless(listener.getsockname(), finish))
    await asyncio.wait({serving, asking}, return_when=asyncio.FIRST_COMPLETED)
    if not asking.done():
        raise Undecided(f"the server ended by itself: {serving.exception()!r}")
    return asking.result()


def main() -> int:
    try:
        harmless = asyncio.run(run())
    except Undecided as seen:
        print(f"UNDECIDED: {seen}")
        return 125
    if harmless:
        print("OK: the slow response came whole, past the time of the old keep-alive timer")
        return 0
    print("BUG: an old keep-alive timer closed the connection in the middle of a later response")
    return 1


if __name__ == "__main__":
    sys.exit(main())
