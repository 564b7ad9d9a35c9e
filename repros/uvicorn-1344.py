# /// script
# requires-python = ">=3.8"
# dependencies = ["uvicorn", "websockets>=8"]
#
# [tool.fixproof]
# package   = "uvicorn"
# title     = "A WebSocket client gets no close frame when the server shuts down"
# issue     = "https://github.com/Kludex/uvicorn/issues/1344"
# fix       = "https://github.com/Kludex/uvicorn/pull/1816"
# fixed     = "0.21.0"
# signature = "^BUG: "
# python    = ["3.10", "3.11"]
#
# [tool.fixproof.variants.websockets]
# env = { WS = "websockets" }
#
# [tool.fixproof.variants.wsproto]
# dependencies = ["wsproto"]
# env = { WS = "wsproto" }
# affected = false
# ///
"""A WebSocket client gets no close frame when the server shuts down.

A server that ends is to say so: with a close frame that carries the code 1001 (going away) or, as
uvicorn chose, 1012 (service restart). Before 0.21.0 uvicorn's `websockets` implementation closed
the TCP connection without any close frame, which clients report as the code 1006. The code that the
*application* gets with `websocket.disconnect` is another matter: it was put right one release
before what the client gets, so only the client is asked here. `wsproto` always sent 1012.

The server runs in a process of its own and is ended with SIGTERM. Only what comes over the
connection counts, and only if all else went well:

- `closed` is a connection that the application closes with a code of its own. The client has to
  get that code: so this server can send close frames, and this client can read them.
- `open` is a connection that has just echoed a message when SIGTERM is sent.
- The application has to be told of the end of `open`: where it fails instead, the connection ends
  without a close frame at any time.
- The server has to come to the end of its shutdown (the application is told of it) and to end by
  itself. A server that dies does not send a close frame either, and one that waits for its
  connections to end before it closes them (before 0.24.0 on Python 3.12 and later) never ends.

If `open` gets a close frame with 1001 or 1012, the bug is not there (exit 0). If it ends without a
close frame, that is the bug (exit 1). Whatever else is seen decides nothing (exit 125).
"""

import os
import signal
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from typing import Any, Awaitable, Callable, Dict, Optional, Tuple

PATIENCE = 10  # seconds after which something awaited counts as not coming

GOING = (1001, 1012)  # going away, service restart: what a server says that shuts down
OWN = 4321  # the application's own close code, on request
CLOSE_PLEASE = "close"

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
HEAD, SHORT = 2, 125  # bytes: head and longest payload of a frame that says its length at once
CODE = struct.Struct(">H")

DISCONNECTED = "application: websocket.disconnect"
SHUT_DOWN = "application: lifespan.shutdown"

Message = Dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Undecided(Exception):
    """Neither the bug nor its absence; the message says what was seen instead."""


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Echo messages, close when asked to, and print what the server says of its end."""
    await receive()
    if scope["type"] == "lifespan":
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print(SHUT_DOWN, flush=True)
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            print(f"{DISCONNECTED} {message.get('code')}", flush=True)
            return
        if message["text"] == CLOSE_PLEASE:
            await send({"type": "websocket.close", "code": OWN})
            return
        await send({"type": "websocket.send", "text": message["text"]})


def serve(listener: socket.socket) -> None:
    """Serve until a signal comes, as `uvicorn` on the command line does."""
    import uvicorn

    config = uvicorn.Config(
        app, http="h11", ws=os.environ.get("WS", "websockets"), loop="asyncio", lifespan="on"
    )
    uvicorn.Server(config).run(sockets=[listener])


class Server:
    """A process that serves on a free loopback port."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.address: Tuple[str, int] = listener.getsockname()
            fd = listener.fileno()
            self.process = subprocess.Popen(
                [sys.executable, __file__, "serve", str(fd)],
                pass_fds=[fd],
                stdout=subprocess.PIPE,
                universal_newlines=True,
            )

    def shut_down(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def ended_well(self) -> None:
        """Wait for the end, and see to it that it was the end of an orderly shutdown."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise Undecided(f"the server did not end in {PATIENCE} s after SIGTERM") from error
        said = self._show()
        # A server may end well, or hand the signal on when all is done.
        if SHUT_DOWN not in said or code not in (0, -signal.SIGTERM):
            raise Undecided(f"the server ended with {code}, and not by an orderly shutdown")
        if DISCONNECTED not in said:
            raise Undecided("open: the application ended before it was told of the end")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._show()

    def _show(self) -> str:
        """Print and return what the server's process, which has ended, printed."""
        said: str = self.process.stdout.read()
        print(said, end="")
        return said


class Client:
    """A WebSocket connection as a client sees it, with a name for messages."""

    def __init__(self, name: str, address: Tuple[str, int]) -> None:
        self.name = name
        try:
            self.socket = socket.create_connection(address, PATIENCE)
        except OSError as error:
            raise Undecided(f"{name}: no connection: {error!r}") from error

    def upgrade(self) -> None:
        """Make the opening handshake, without extensions."""
        self._send(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self._read(1)
            if not byte:
                raise Undecided(f"{self.name}: closed in the handshake, after {head!r}")
            head += byte
        if not head.startswith(b"HTTP/1.1 101 "):
            raise Undecided(f"{self.name}: {head!r} instead of a WebSocket")

    def write(self, opcode: int, payload: bytes) -> None:
        """Send one short frame. Its mask is zero: as good as any other, and masks nothing."""
        self._send(bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload)

    def echo(self, text: str) -> None:
        self.write(TEXT, text.encode())
        answer = self._next()
        if answer != (TEXT, text.encode()):
            raise Undecided(f"{self.name}: {answer!r} instead of the echo of {text!r}")

    def close_code(self) -> Optional[int]:
        """Wait for the end, and return the close frame's code; None if there is no close frame."""
        frame = self._next()
        if frame is None:
            return None
        opcode, payload = frame
        if opcode != CLOSE or len(payload) < CODE.size:
            raise Undecided(f"{self.name}: {frame!r} instead of a close frame with a code")
        with suppress(Undecided):  # a server need not wait for the answer
            self.write(CLOSE, payload)
        code: int = CODE.unpack_from(payload)[0]
        return code

    def leave(self) -> None:
        """Wait until the server has ended the connection too."""
        try:
            while self.socket.recv(1024):
                pass
        except socket.timeout as error:
            raise Undecided(f"{self.name}: not ended in {PATIENCE} s") from error
        except OSError:
            pass  # reset, because it did not wait for the answer: ended as well
        self.socket.close()

    def _next(self) -> Optional[Tuple[int, bytes]]:
        """Return opcode and payload of the next frame but pings; None at the connection's end."""
        while True:
            head = self._read(HEAD)
            if not head:
                return None
            if len(head) < HEAD or head[1] > SHORT:
                raise Undecided(f"{self.name}: {head!r} instead of the head of a short frame")
            payload = self._read(head[1])
            if len(payload) < head[1]:
                raise Undecided(f"{self.name}: closed inside a frame, after {head + payload!r}")
            if head[0] & 15 != PING:
                return head[0] & 15, payload
            self.write(PONG, payload)

    def _read(self, count: int) -> bytes:
        """Return that many bytes, or fewer if the server closed the connection."""
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except socket.timeout as error:
                raise Undecided(f"{self.name}: nothing came in {PATIENCE} s") from error
            except OSError as error:
                raise Undecided(f"{self.name}: {error!r}") from error
            if not more:
                break
            data += more
        return data

    def _send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Undecided(f"{self.name}: {error!r}") from error


def code_at_shutdown(server: Server) -> Optional[int]:
    """Return the close code that a connected client gets; None if it gets no close frame."""
    closed = Client("closed", server.address)
    closed.upgrade()
    closed.write(TEXT, CLOSE_PLEASE.encode())
    code = closed.close_code()
    if code != OWN:
        raise Undecided(f"closed: {code} instead of the application's own code {OWN}")
    closed.leave()

    open_ = Client("open", server.address)
    open_.upgrade()
    open_.echo("hello")
    server.shut_down()
    code = open_.close_code()
    open_.leave()
    server.ended_well()
    return code


def main() -> int:
    server = Server()
    try:
        code = code_at_shutdown(server)
    except Undecided as seen:
        print(f"UNDECIDED: {seen}")
        return 125
    finally:
        server.kill()
    if code is None:
        print("BUG: the server shut down, and the client got no close frame (code 1006)")
        return 1
    if code in GOING:
        print(f"OK: the server shut down, and the client got a close frame with code {code}")
        return 0
    print(f"UNDECIDED: the server shut down, and the client got a close frame with code {code}")
    return 125


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(socket.socket(fileno=int(sys.argv[2])))
    else:
        sys.exit(main())
