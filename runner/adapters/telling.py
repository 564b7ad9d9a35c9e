"""Tells people of a night, through Apprise, and a watcher of cron jobs that it began and ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from runner.errors import NobodyTold

_SECONDS = 10
_TRIES = 3


def tell(addresses: Iterable[str], title: str, body: str) -> tuple[str, ...]:
    """Send one message to each address; what went wrong, without what may hold a secret.

    Args:
        addresses: as Apprise writes them: json://, slack://, mailtos://, ...
        title: plain text.
        body: Markdown.
    """
    from apprise import Apprise, NotifyFormat

    faults = []
    for number, address in enumerate(addresses, 1):
        service = Apprise.instantiate(address, suppress_exceptions=True)
        if service is None:
            faults.append(f"address {number} of FIXPROOF_NOTIFY is none that Apprise knows")
        elif not service.notify(body=body, title=title, body_format=NotifyFormat.MARKDOWN):
            faults.append(f"address {number} of FIXPROOF_NOTIFY ({service.service_name}) failed")
    return tuple(faults)


@contextmanager
def pinging(address: str | None, note: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Tell a watcher that something began, and that it failed if it does.

    What is given is called at the end, and tells that all is well.

    Args:
        address: of the watcher, as healthchecks and its like have them; None for none.
        note: told what went wrong at the beginning, where that is no reason to stop.
    """

    def ended() -> None:
        if address is not None and not _ping(address):
            raise NobodyTold("what FIXPROOF_PING_URL names does not answer")

    if address is not None and not _ping(f"{address.rstrip('/')}/start"):
        note("what FIXPROOF_PING_URL names does not answer")
    try:
        yield ended
    except BaseException:
        if address is not None:
            _ping(f"{address.rstrip('/')}/fail")
        raise


def _ping(address: str) -> bool:
    import requests

    for _ in range(_TRIES):
        try:
            if requests.get(address, timeout=_SECONDS).ok:
                return True
        except requests.RequestException:
            continue
    return False
