"""How the service speaks: one event a line, with the run and the cell that it is about.

As text for people, or as JSON for programs; Celery's own words come out the same way. What could
let somebody in is taken out of every line, whoever wrote it.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from celery import signals

from runner.desk import Silent
from runner.findings import Progress
from runner.settings import Settings

HIDDEN = "***"
_IN_ADDRESSES = re.compile(r"(?<=://)[^/\s'\"@]*:[^\s'\"]*@")
"""User and password of an address: up to its last @, as whoever wrote the password had it."""
_SHORTEST = 4
"""Characters of a secret that is looked for: a shorter one would be found in other words."""

Event = MutableMapping[str, Any]


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Have all logging of this process, and of those that it forks, go one way.

    Args:
        settings: how it looks, and what is never said.
        stream: where to; standard error, if not said.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                Redaction(settings.secrets),
                _renderer(settings.log_format),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("fixproof").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    signals.setup_logging.connect(_leave_alone, weak=False)


class Spoken(Silent):
    """A listener whose notes are events, for who keeps nights."""

    def note(self, what: str) -> None:
        structlog.get_logger("fixproof.beat").info(what)

    def fault(self, what: str) -> None:
        structlog.get_logger("fixproof.beat").error(what)

    def searching(self, found: tuple[Progress, ...]) -> None: ...


class Redaction:
    """A step of structlog that takes out what could let somebody in."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({each for each in secrets if len(each) >= _SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        return {name: self._clean(value) for name, value in event.items()}

    def _clean(self, value: Any) -> Any:
        match value:
            case str():
                return self._clean_text(value)
            case bool() | int() | float() | None:
                return value
            case Mapping():
                return {str(name): self._clean(each) for name, each in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._clean(each) for each in value]
            case _:
                return self._clean_text(str(value))

    def _clean_text(self, text: str) -> str:
        bare = _IN_ADDRESSES.sub(f"{HIDDEN}@", text)
        return self._known.sub(HIDDEN, bare) if self._known else bare


def _renderer(form: str) -> Any:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, sort_keys=False)


def _leave_alone(**_: object) -> None:
    """Celery sets up no logging where somebody else does."""
