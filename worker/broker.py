"""The broker, as the library sees it: sends messages through Celery, and counts them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from runner.avoidance import Present
from runner.errors import BrokerTrouble, WrongUsage
from runner.queues import Capability
from runner.work import Ticket

if TYPE_CHECKING:
    from celery import Celery

_NOTHING_FOLLOWS = dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))
_CHECK_SECONDS = 10
_SCHEMES = ("redis", "rediss", "redis+socket")
_LIKE = "It is like redis://:password@host:6379/0."
_ASKED_WHO = ("invalid username-password", "Authentication required", "invalid password")
"""What Redis says where its answer is about the password."""
_PREFIX = "fixproof:"
"""Of all keys of ours; kombu writes it before those of most commands, `worker.app` says so."""
_PRESENT = "present:"


class CeleryBroker:
    """Sends ids of items; fulfils `work.Broker`."""

    def __init__(self, url: str | None) -> None:
        """Connect to nothing yet.

        Raises:
            WrongUsage: there is no broker's address, or it is no Redis's.
        """
        if not url:
            raise WrongUsage(
                "FIXPROOF_BROKER_URL is not set, so there is no service to ask", hint=_LIKE
            )
        if url.partition("://")[0] not in _SCHEMES:
            raise WrongUsage("FIXPROOF_BROKER_URL is no address of a Redis", hint=_LIKE)
        self._url = url

    @cached_property
    def app(self) -> Celery:
        """Made when it is needed: Celery takes a while to import."""
        from worker.app import make_app

        return make_app(self._url)

    def send(self, tickets: Iterable[Ticket]) -> None:
        queues: dict[str, list[str]] = {}
        for each in tickets:
            queues.setdefault(each.queue, []).append(_message(each))

        for queue, messages in queues.items():
            with _trouble():
                self._push(queue, messages)

    def _push(self, queue: str, messages: list[str]) -> None:
        from redis.exceptions import ConnectionError as Lost

        try:
            self._client.lpush(queue, *messages)
        except Lost:  # of old age, perhaps; then the library connects anew
            self._client.lpush(queue, *messages)

    @cached_property
    def _client(self) -> Any:
        """What speaks to Redis for kombu; to ask for it takes as long as to send a message."""
        return self.app.connection_for_write().default_channel.client

    def waiting(self, queue: str) -> int:
        with _trouble(), self.app.connection_or_acquire() as connection:
            channel: Any = connection.default_channel
            return int(channel.client.llen(queue))

    def present(self) -> tuple[Present, ...]:
        with _trouble(), self.app.connection_or_acquire() as connection:
            client: Any = connection.default_channel.client
            named = [each.decode() for each in client.scan_iter(match=f"{_PREFIX}{_PRESENT}*")]
        return tuple(_read(each.removeprefix(f"{_PREFIX}{_PRESENT}")) for each in sorted(named))

    def announce(self, who: Present, seconds: float) -> None:
        """Have a worker be present for so long.

        Raises:
            BrokerTrouble: the broker does not answer.
        """
        with _trouble(), self.app.connection_or_acquire() as connection:
            client: Any = connection.default_channel.client
            client.set(_written(who), "", px=round(seconds * 1000))

    def withdraw(self, who: Present) -> None:
        """Have a worker be present no more.

        Raises:
            BrokerTrouble: the broker does not answer.
        """
        self.announce(who, 0.001)

    def check(self) -> None:
        """Find out whether the broker lets us in.

        Raises:
            BrokerTrouble: it does not.
        """
        with _trouble(), self.app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_CHECK_SECONDS)


def _written(who: Present) -> str:
    return f"{_PRESENT}{who.offers.arch}:{who.offers.sandbox}:{who.worker}"


def _read(name: str) -> Present:
    arch, sandbox, worker = name.split(":", 2)
    return Present(worker, Capability(arch=arch, sandbox=sandbox))


def _message(ticket: Ticket) -> str:
    """A task as the second protocol of Celery has it, and kombu on Redis.

    Celery's own way to write one takes as long as what it asks for, and sends each alone.
    """
    from worker.app import WORK

    name = str(uuid4())
    body = json.dumps([[ticket.item], {}, _NOTHING_FOLLOWS])
    task = {"lang": "py", "task": WORK, "id": name, "root_id": name, "parent_id": None}
    shown = {"argsrepr": repr((ticket.item,)), "kwargsrepr": "{}"}
    way = {"delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": ticket.queue}}
    names = {"correlation_id": name, "delivery_tag": name, "reply_to": ""}
    message = {
        "body": b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": task | shown | {"group": None, "retries": 0},
        "properties": names | way | {"priority": 0, "body_encoding": "base64"},
    }
    return json.dumps(message)


@contextmanager
def _trouble() -> Iterator[None]:
    from kombu.exceptions import KombuError
    from redis.exceptions import RedisError

    try:
        yield
    except (KombuError, RedisError, OSError) as error:
        said = str(error.__cause__ or error) or type(error).__name__
        raise BrokerTrouble(f"the broker cannot be used: {said}", hint=_hint(said)) from error


def _hint(said: str) -> str:
    if any(each in said for each in _ASKED_WHO):
        return (
            "Is the password in FIXPROOF_BROKER_URL right, or in the file that "
            "FIXPROOF_BROKER_PASSWORD_FILE names?"
        )
    return "Is Redis running where FIXPROOF_BROKER_URL says, and with TLS only if it is rediss://?"
