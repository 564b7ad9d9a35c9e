# /// script
# requires-python = ">=3.8"
# dependencies = ["uvicorn", "wsproto"]
#
# [tool.fixproof]
# package   = "uvicorn"
# title     = "A second Sec-WebSocket-Protocol header in the answer to a handshake"
# issue     = "https://github.com/Kludex/uvicorn/issues/1778"
# fix       = "https://github.com/Kludex/uvicorn/pull/1606"
# fixed     = "0.20.0"
# signature = "^BUG: "
#
# [tool.fixproof.variants.websockets]
# dependencies = ["websockets>=8"]
# env = { WS = "websockets" }
#
# [tool.fixproof.variants.wsproto]
# env = { WS = "wsproto" }
# ///
"""A second Sec-WebSocket-Protocol header in the answer to a handshake.

The application accepts a WebSocket with one subprotocol, and uvicorn answers with a header that
says so. But the server was also started with `headers=[("Sec-WebSocket-Protocol", ...)]`, a list of
all that it supports. That option is for the headers of HTTP responses. Where uvicorn sends them in
the answer to a WebSocket handshake too, this answer names several subprotocols, and clients give
up, as RFC 6455 tells them to: "multiple subprotocols: ocpp2.0.1, ocpp2.0.1, ocpp2.0, ocpp1.6".

The claim in this case is that of a published page. It takes for the fix the change with which
uvicorn began to send these headers there.

Three questions to two servers tell the option's header from all else that could be in the answer:

- a server without the option has to name the application's subprotocol, once, in its handshake;
- one with the option has to send the header in a response to a plain HTTP request;
- the same one is asked for a WebSocket.

If this last answer names the application's subprotocol and nothing else, the bug is not there
(exit 0). If it names that one and those of the option as well, that is the bug (exit 1). Whatever
else is seen decides nothing (exit 125).
"""

import asyncio
import os
import socket
import sys
from typing import Any, Awaitable, Callable, Dict, List, Tuple

import uvicorn

PATIENCE = 10  # seconds after which something awaited counts as not coming

ACCEPTED = "ocpp2.0.1"
SUPPORTED = ["ocpp2.0.1", "ocpp2.0", "ocpp1.6"]
OPTION = [("Sec-WebSocket-Protocol", ", ".join(SUPPORTED))]

PLAIN = "GET / HTTP/1.1\r\nHost: localhost\r\n"
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    f"Sec-WebSocket-Protocol: {ACCEPTED}\r\n"
)

GOODBYE = bytes([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8])  # a client's close frame, code 1000

Address = Tuple[str, int]
Message = Dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Undecided(Exception):
    """Neither the bug nor its absence; the message says what was seen instead."""


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Accept WebSockets with one subprotocol and without headers, and answer other requests."""
    await receive()
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept", "subprotocol": ACCEPTED})
        await receive()
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def head_of_answer(address: Address, request: str, status: str) -> List[str]:
    """Return the header lines of the answer, which has to have that status."""
    try:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(f"{request}\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    except asyncio.TimeoutError as error:
        raise Undecided(f"no answer in {PATIENCE} s") from error
    except asyncio.IncompleteReadError as error:
        raise Undecided(f"closed after {error.partial!r}") from error
    except (OSError, asyncio.LimitOverrunError) as error:
        raise Undecided(repr(error)) from error
    start, *lines = head.decode("latin-1").split("\r\n")
    if not start.startswith(f"HTTP/1.1 {status} "):
        raise Undecided(f"{start!r} instead of status {status}")
    if status == "101":
        writer.write(GOODBYE)
    writer.close()
    return lines


async def subprotocols(address: Address, request: str, status: str) -> List[str]:
    """Return all subprotocols named in the answer, in all headers that name any."""
    values = []
    for line in await head_of_answer(address, request, status):
        name, _, value = line.partition(":")
        if name.lower() == "sec-websocket-protocol":
            print(line)
            values.append(value)
    return [one.strip() for value in values for one in value.split(",")]


async def named_in_handshake(without_option: Address, with_option: Address) -> List[str]:
    """Return the subprotocols in a handshake's answer, from the server with the option."""
    print("handshake, server without the option:")
    named = await subprotocols(without_option, PLAIN + UPGRADE, "101")
    if named != [ACCEPTED]:
        raise Undecided(f"{named} in a handshake without the option")
    print("plain HTTP, server with the option:")
    named = await subprotocols(with_option, PLAIN, "200")
    if named != SUPPORTED:
        raise Undecided(f"{named} in an HTTP response: the option is not in force")
    print("handshake, server with the option:")
    return await subprotocols(with_option, PLAIN + UPGRADE, "101")


class Server(uvicorn.Server):
    """A server on a free loopback port."""

    def __init__(self, headers: List[Tuple[str, str]]) -> None:
        config = uvicorn.Config(
            app,
            http="h11",
            ws=os.environ.get("WS", "wsproto"),
            lifespan="off",
            log_config=None,
            log_level="warning",
            headers=headers,
        )
        super().__init__(config)
        listener = socket.create_server(("127.0.0.1", 0))
        self.address: Address = listener.getsockname()
        self.serving = asyncio.ensure_future(self.serve(sockets=[listener]))


async def run() -> List[str]:
    """Serve with and without the option, and ask there."""
    without_option, with_option = Server([]), Server(OPTION)
    serving = {without_option.serving, with_option.serving}
    asking = asyncio.ensure_future(named_in_handshake(without_option.address, with_option.address))
    await asyncio.wait({asking, *serving}, return_when=asyncio.FIRST_COMPLETED)
    if not asking.done():
        raise Undecided("a server ended by itself")
    without_option.should_exit = with_option.should_exit = True
    await asyncio.wait(serving, timeout=PATIENCE)
    return asking.result()


def main() -> int:
    try:
        named = asyncio.run(run())
    except Undecided as seen:
        print(f"UNDECIDED: {seen}")
        return 125
    if named == [ACCEPTED]:
        print("OK: the handshake names the one subprotocol that the application accepted")
        return 0
    if sorted(named) == sorted([ACCEPTED, *SUPPORTED]):
        print("BUG: the handshake names the accepted subprotocol and all those of the option too")
        return 1
    print(f"UNDECIDED: the handshake names {named}")
    return 125


if __name__ == "__main__":
    sys.exit(main())
