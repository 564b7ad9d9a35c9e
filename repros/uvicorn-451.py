# /// script
# requires-python = ">=3.7"
# dependencies = ["uvicorn"]
#
# [tool.fixproof]
# package   = "uvicorn"
# title     = "A streaming response keeps the server from shutting down"
# issue     = "https://github.com/Kludex/uvicorn/issues/451"
# fix       = "https://github.com/Kludex/uvicorn/pull/1950"
# fixed     = "0.22.0"
# versions  = ">=0.12"  # older ones require parts that build on old Pythons only
# signature = "^BUG: "
#
# [tool.fixproof.variants.default]
#
# [tool.fixproof.variants.option]
# env = { TIMEOUT_GRACEFUL_SHUTDOWN = "1" }
# ///
"""A streaming response keeps the server from shutting down.

On ^C uvicorn closes the connections on which nothing runs, waits for the others, and only then
sends the application `lifespan.shutdown`. A response that streams until its client leaves, such as
server-sent events, is waited for without end, and the application is not told to end it.

The published fix is an option, `timeout_graceful_shutdown`, which is off by default. So the answer
depends on the configuration:

- `default` upgrades, and changes nothing else;
- `option` sets the option as well. A release that does not know it runs without it, as for its
  users: it is judged by how it shuts down then, and not for a name that it lacks.

The server is a process of its own, and gets the signal that ^C sends. Two connections to it tell
the bug from all else that can keep a server from ending:

- `idle` has had its response. When the server closes it, the server has begun to wait;
- `stream` has a response that goes on until its client leaves: the server's time, every `TICK`.

If the stream ends, and the server with it, and the application was sent `lifespan.shutdown`, the
bug is not there (exit 0). If the stream goes on for longer than the server may wait, that is the
bug (exit 1), provided that the server shuts down as it should once the client of `stream` has left:
nothing else held it up. Whatever else is seen decides nothing (exit 125); so it is on Python 3.12
and newer before uvicorn 0.24.0, where a shutdown first waits for all clients to leave, idle or not.

No clock tells what is longer: counted are the pieces that were streamed after `idle` was closed.
What limits the server's wait is a timer in the event loop in which the stream runs too, so that on
a busy machine both are late together.
"""

import asyncio
import inspect
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, Awaitable, Callable, Dict, List, Optional, cast

PATIENCE = 10  # seconds after which something awaited counts as not coming
TICK = 0.05  # seconds between two pieces of the stream
SPARE = 20  # pieces that the stream may go on for, beside the time that the server waits for it

OPTION = "timeout_graceful_shutdown"

Receive = Callable[[], Awaitable[Dict[str, Any]]]
Send = Callable[[Dict[str, Any]], Awaitable[None]]


class Undecided(Exception):
    """Neither the bug nor its absence; the message says what was seen instead."""


async def app(scope: Dict[str, Any], receive: Receive, send: Send) -> None:
    """Say which events come, on standard output."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["path"] == "/stream":
        await stream(receive, send)
    else:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def lifespan(receive: Receive, send: Send) -> None:
    for _ in range(2):
        event = (await receive())["type"]
        print(event, flush=True)
        await send({"type": f"{event}.complete"})


async def stream(receive: Receive, send: Send) -> None:
    """Stream the time until told that the client has left."""
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while True:
        body = f"data: {asyncio.get_running_loop().time()}\n\n".encode()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        try:
            message = await asyncio.wait_for(receive(), TICK)
        except asyncio.TimeoutError:
            continue
        if message["type"] == "http.disconnect":
            print("http.disconnect", flush=True)
            return


def serve(port: int) -> None:
    """Say how long a shutdown may wait; then serve on a loopback port until told to end."""
    import uvicorn

    options: Dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "http": "h11",
        "loop": "asyncio",
        "lifespan": "on",
        "access_log": False,  # standard output is for events
        "timeout_keep_alive": 60,  # longer than all this takes: only a shutdown closes `idle`
    }
    wanted = os.environ.get(OPTION.upper())
    if wanted and OPTION in inspect.signature(uvicorn.Config).parameters:
        options[OPTION] = int(wanted)
    print(getattr(uvicorn.Config(app, **options), OPTION, "unknown"), flush=True)
    uvicorn.run(app, **options)


class Connection:
    """A client's connection, with a name for messages."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._lines = self._socket.makefile("rb")

    def request(self, path: str, status: bytes) -> None:
        """Send a request, and read the head of the response."""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = [self.line()]
        while head[-1] not in (b"\r\n", b""):
            head.append(self.line())
        if head[0].split(b" ")[:2] != [b"HTTP/1.1", status]:
            raise Undecided(f"{self.name}: {b''.join(head)!r} instead of a {status.decode()}")

    def line(self) -> bytes:
        """Return the next line, or nothing if the server closed the connection."""
        try:
            return self._lines.readline()
        except ConnectionError:
            return b""
        except socket.timeout as error:
            raise Undecided(f"{self.name}: nothing came in {PATIENCE} s, nor the end") from error

    def time(self) -> Optional[float]:
        """Return when the next piece of the stream was sent; None if there is no next one."""
        while True:
            line = self.line()
            if line.startswith(b"data: "):
                return float(line[len(b"data: ") :])
            if not line:
                return None

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


class Server:
    """uvicorn in a process of its own."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), str(self.port)],
            stdout=subprocess.PIPE,
        )
        self._output = cast(IO[bytes], self.process.stdout)

    def connect(self, name: str) -> Connection:
        """Open a connection, as soon as the server accepts one."""
        since = time.monotonic()
        while True:
            try:
                return Connection(name, self.port)
            except OSError as error:
                if self.process.poll() is not None:
                    raise Undecided(f"the server ended with {self.process.returncode}") from error
                if time.monotonic() > since + PATIENCE:
                    raise Undecided(f"{name}: no connection: {error!r}") from error
            time.sleep(TICK)

    def line(self) -> str:
        """Return the next line of the server's standard output."""
        return self._output.readline().decode().strip()

    def patience(self) -> Optional[float]:
        """Return how many seconds a shutdown may wait for responses; None if there is no limit."""
        said = self.line()
        print(f"{OPTION} of the server: {said}")
        try:
            return None if said in ("None", "unknown") else float(said)
        except ValueError as error:
            raise Undecided(f"{said!r} instead of a number of seconds") from error

    def interrupt(self) -> None:
        """Do what ^C does."""
        self.process.send_signal(signal.SIGINT)

    def events(self) -> List[str]:
        """Wait for the server to end, and return the events that the application was sent."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise Undecided(f"no end in {PATIENCE} s, though no client is left") from error
        events = list(iter(self.line, ""))
        print(f"events: {', '.join(events)}")
        return events


def shuts_down(server: Server) -> bool:
    """Tell whether the server shuts down while a response streams."""
    idle = server.connect("idle")
    idle.request("/idle", status=b"204")
    patience = server.patience()
    stream = server.connect("stream")
    stream.request("/stream", status=b"200")
    if stream.time() is None:
        raise Undecided("stream: closed before the shutdown")

    server.interrupt()
    seen = idle.line()
    if seen:
        raise Undecided(f"idle: {seen!r} instead of the end")
    closed = time.monotonic()
    goes_on = streams_on(stream, since=closed, pieces=SPARE + int((patience or 0) / TICK))
    stream.close()
    events = server.events()
    if goes_on and events == ["lifespan.startup", "http.disconnect", "lifespan.shutdown"]:
        return False
    if not goes_on and events[-1:] == ["lifespan.shutdown"]:
        return True
    raise Undecided(f"stream: {'went on' if goes_on else 'ended'}, but other events were expected")


def streams_on(stream: Connection, *, since: float, pieces: int) -> bool:
    """Tell whether so many pieces that were sent after `since` come."""
    while pieces:
        sent = stream.time()
        if sent is None:
            return False
        if sent > since:
            pieces -= 1
    return True


def main() -> int:
    server = Server()
    try:
        ended = shuts_down(server)
    except Undecided as seen:
        print(f"UNDECIDED: {seen}")
        return 125
    finally:
        server.process.kill()
        server.process.wait()
    if ended:
        print("OK: the server shut down while a response was streaming")
        return 0
    print("BUG: the streaming response went on, and the server waited for it instead of ending")
    return 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(int(sys.argv[1]))
    else:
        sys.exit(main())
