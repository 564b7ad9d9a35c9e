# /// script
# requires-python = ">=3.7"
# dependencies = ["uvicorn", "wsproto"]
#
# [tool.fixproof]
# package   = "uvicorn"
# title     = "A bare WebSocket upgrade request is answered with an empty 400 instead of 426"
# issue     = "https://github.com/Kludex/uvicorn/issues/868"
# fix       = "https://github.com/Kludex/uvicorn/pull/892"
# fixed     = "0.14.0"
# broken    = ["0.3.8", "10.2.1", "84.87"]
# python    = ["3.8"]
# signature = "^BUG: "
#
# [tool.fixproof.variants.h11]
# env = { HTTP = "h11" }
#
# [tool.fixproof.variants.httptools]
# dependencies = ["httptools"]
# env = { HTTP = "httptools" }
#
# [tool.fixproof.variants.pinned]
# dependencies = ["wsproto==0.15.*"]
# env = { HTTP = "h11" }
# affected = false
# broken = []
# ///
"""A bare WebSocket upgrade request is answered with an empty 400 instead of 426.

Three of uvicorn's tests failed where a distribution ran them. They send a request that asks for a
WebSocket but lacks all of the Sec-WebSocket headers to a server with `ws="wsproto"`, and expect the
status 426. The distribution had wsproto 1.0.0, while uvicorn's own tests pinned 0.15.*. So the
answer depends on what is installed beside uvicorn:

- `h11` and `httptools`, the two implementations of HTTP that the tests ran with, take the wsproto
  of the release's day, as whoever asks for no other does;
- `pinned` takes the one that uvicorn's tests pinned, with which they did not fail.

One server is asked three times:

- `whole` has all headers. The answer must be 101, or else WebSockets do not work here at all;
- `wrong` asks for version 11 of the protocol. The answer must be 426, or else nothing here knows
  that status;
- `bare` lacks the headers.

If `bare` is answered 426, the bug is not there (exit 0). If it is answered as in the report, 400
with `Sec-WebSocket-Version: 13` and without a body, that is the bug (exit 1). Whatever else is seen
decides nothing (exit 125). There are other answers of 400: from a server without WebSockets, and
from uvicorn itself before 0.4.0. Both say in a text what is wrong with the request.
"""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Awaitable, Callable, Dict, List, NamedTuple

PATIENCE = 10  # seconds after which something awaited counts as not coming

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
VERSION = "Sec-WebSocket-Version: 13"
WRONG_VERSION = "Sec-WebSocket-Version: 11"

Receive = Callable[[], Awaitable[Dict[str, Any]]]
Send = Callable[[Dict[str, Any]], Awaitable[None]]


class Undecided(Exception):
    """Neither the bug nor its absence; the message says what was seen instead."""


class App:
    """Accepts every WebSocket. ASGI 2, which is what all releases of uvicorn understand."""

    def __init__(self, scope: Dict[str, Any]) -> None:
        self.websocket = scope["type"] == "websocket"

    async def __call__(self, receive: Receive, send: Send) -> None:
        if self.websocket:
            await receive()
            await send({"type": "websocket.accept"})
            await receive()


class Answer(NamedTuple):
    """What a server answered."""

    head: bytes
    """With the empty line at its end."""
    body: bytes
    """As it came, until the server closed the connection; nothing is read after a 101."""

    @property
    def status(self) -> bytes:
        return self.head[:13]

    @property
    def is_of_the_bug(self) -> bool:
        """Tell whether it is the 400 that the report shows."""
        lines = self.head.lower().split(b"\r\n")
        return (
            self.status == b"HTTP/1.1 400 "
            and b"sec-websocket-version: 13" in lines
            and b"content-length: 0" in lines
            and self.body == b""
        )


def serve(port: int) -> None:
    """Serve on a loopback port until somebody ends the process."""
    import uvicorn

    uvicorn.run(
        App,
        host="127.0.0.1",
        port=port,
        loop="asyncio",
        http=os.environ.get("HTTP", "h11"),
        ws="wsproto",
        log_level="warning",
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_server(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the server accepts connections."""
    since = time.monotonic()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE).close()
        except OSError as error:
            if server.poll() is not None:
                raise Undecided(f"the server ended with {server.returncode}") from error
            if time.monotonic() > since + PATIENCE:
                raise Undecided(f"no server in {PATIENCE} s: {error!r}") from error
            time.sleep(0.02)
        else:
            return


def ask(port: int, name: str, headers: List[str]) -> Answer:
    """Send a WebSocket upgrade request with these headers besides the usual ones."""
    usual = ["GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"]
    request = "\r\n".join([*usual, *headers, "", ""]).encode()
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(request)
            answer = read(connection)
    except OSError as error:
        raise Undecided(f"{name}: {error!r}") from error
    print(f"{name}: {answer.head + answer.body!r}")
    return answer


def read(connection: socket.socket) -> Answer:
    """Read all that the server writes; of a WebSocket only the head of the answer."""
    seen = b""
    while True:
        more = connection.recv(65536)
        seen += more
        head, end, body = seen.partition(b"\r\n\r\n")
        if not more or (end and head.startswith(b"HTTP/1.1 101 ")):
            return Answer(head + end, body)


def bare_request_gets_426(port: int) -> bool:
    """Tell whether a request without Sec-WebSocket headers is answered 426."""
    whole = ask(port, "whole", [KEY, VERSION])
    wrong = ask(port, "wrong", [KEY, WRONG_VERSION])
    bare = ask(port, "bare", [])
    if whole.status != b"HTTP/1.1 101 ":
        raise Undecided("whole: no WebSocket")
    upgrade_required = bare.status == b"HTTP/1.1 426 "
    if not upgrade_required and not bare.is_of_the_bug:
        raise Undecided("bare: answered neither 426 nor with an empty 400")
    if wrong.status != b"HTTP/1.1 426 ":
        raise Undecided("wrong: not answered 426")
    return upgrade_required


def main() -> int:
    port = free_port()
    server = subprocess.Popen([sys.executable, str(Path(__file__).resolve()), str(port)])
    try:
        await_server(server, port)
        upgrade_required = bare_request_gets_426(port)
    except Undecided as seen:
        print(f"UNDECIDED: {seen}")
        return 125
    finally:
        server.kill()
        server.wait()
    if upgrade_required:
        print("OK: an upgrade request without Sec-WebSocket headers is answered 426")
        return 0
    print("BUG: an upgrade request without Sec-WebSocket headers gets an empty 400, and not 426")
    return 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(int(sys.argv[1]))
    else:
        sys.exit(main())
