"""What the service says: events with what they are about, and never a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from runner.settings import read
from worker.logs import configure

SECRET = "hunter2-é"
ENVIRON = {
    "FIXPROOF_HOME": "/home/of/fixproof",
    "FIXPROOF_BROKER_URL": "redis://:hunter2-%C3%A9@redis/0",
    "FIXPROOF_NOTIFY": "json://who.is/told?key=1",
    "FIXPROOF_PING_URL": "https://ping.example/1234-5678",
}


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, ours = logging.getLogger(), logging.getLogger("fixproof")
    before = (root.handlers[:], root.level, ours.level)
    yield io.StringIO()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was logged as JSON, an event a line."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def begin(stream: io.StringIO, form: str = "json") -> Any:
    configure(read(ENVIRON | {"FIXPROOF_LOG_FORMAT": form}), stream)
    return structlog.get_logger("fixproof.worker")


def test_an_event_says_which_run_and_which_cell_it_is_about(stream: io.StringIO) -> None:
    log = begin(stream)
    with bound_contextvars(run="run-1", cell="demo/x-1.0/py3.11"):
        log.info("began", tries=1)
        logging.getLogger("celery.worker").error("lost %s", "it")
    log.info("idle")
    ours, celerys, idle = events(stream)
    assert (ours["event"], ours["run"], ours["cell"]) == ("began", "run-1", "demo/x-1.0/py3.11")
    assert (ours["tries"], ours["level"], ours["logger"]) == (1, "info", "fixproof.worker")
    assert ours["timestamp"].endswith("Z")
    assert (celerys["event"], celerys["run"]) == ("lost it", "run-1")
    assert "run" not in idle


def test_what_libraries_say_by_the_way_is_left_out(stream: io.StringIO) -> None:
    begin(stream)
    logging.getLogger("celery.worker").info("chatter")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "said",
    [
        SECRET,
        f"redis://:{SECRET}@redis/0",
        "redis://:hunter2-%C3%A9@redis/0",
        "postgresql+psycopg://me:p@ss@word@host/name",
        "cannot reach https://user:token1234@index.example/simple/",
        ENVIRON["FIXPROOF_NOTIFY"],
        ENVIRON["FIXPROOF_PING_URL"],
        {"url": ["redis://u:token1234@h"], "n": 1},
        OSError(f"refused: {SECRET}"),
    ],
    ids=str,
)
def test_no_secret_is_ever_said(stream: io.StringIO, form: str, said: object) -> None:
    log = begin(stream, form)
    log.warning("met trouble", trouble=said)
    logging.getLogger("kombu").warning("said: %s", said)
    log.error("a fault", exc_info=RuntimeError(said))
    printed = stream.getvalue()
    assert printed.count("***") >= 3
    for secret in (SECRET, "hunter2", "token1234", "p@ss", "word@", "who.is", "1234-5678"):
        assert secret not in printed


def test_for_people_it_is_a_line_of_text(stream: io.StringIO) -> None:
    begin(stream, "console").info("ready", sandbox="bubblewrap")
    (line,) = stream.getvalue().splitlines()
    assert "ready" in line
    assert "sandbox=bubblewrap" in line
    assert "\x1b" not in line
