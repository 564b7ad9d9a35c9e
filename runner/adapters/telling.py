"""Tells people of a night, through Apprise, and a watcher of cron jobs that it began and ended."""

from __future__ import annotations

from collections.abc import Iterable

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


def ping(address: str, what: str = "") -> bool:
    """Tell a watcher of cron jobs, as healthchecks and its like are; whether it answered.

    Args:
        address: of the watcher.
        what: `start` or `fail`; nothing where all is well.
    """
    import requests

    asked = f"{address.rstrip('/')}/{what}" if what else address
    for _ in range(_TRIES):
        try:
            if requests.get(asked, timeout=_SECONDS).ok:
                return True
        except requests.RequestException:
            continue
    return False
