"""A line to a real PostgreSQL, at what libpq leaves to whoever uses it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from runner.adapters.sql_wire import Wire

pytestmark = pytest.mark.postgres
_LARGE = 16 * 1024 * 1024
"""Bytes: more than there is room for on the way."""


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    found = Wire(postgres_url)
    yield found
    found.close()


def _asked(wire: Wire, *questions: tuple[str, tuple[object, ...]]) -> list[list[tuple[object]]]:
    return [wire.rows(each, tuple) for each in wire.ask(questions)]


def test_several_statements_are_answered_in_their_order(wire: Wire) -> None:
    for _ in range(2):  # prepared, and already prepared
        found = _asked(wire, ("SELECT $1::int", (1,)), ("SELECT $1::text", ("two",)))
        assert found == [[(1,)], [("two",)]]


def test_what_is_large_goes_both_ways_at_once(wire: Wire) -> None:
    data = b"x" * _LARGE
    question = ("SELECT $1::bytea", (data,))
    assert _asked(wire, question, question, question) == [[(data,)]] * 3


def test_what_is_asked_at_once_is_one_transaction(wire: Wire, postgres_url: str) -> None:
    wire.ask([("CREATE TABLE t (n int PRIMARY KEY)", ())])
    other = Wire(postgres_url)
    insert = ("INSERT INTO t VALUES ($1)", (1,))
    with pytest.raises(psycopg.errors.UniqueViolation):
        wire.ask([insert, insert])
    assert wire.closed
    assert _asked(other, ("SELECT count(*) FROM t", ())) == [[(0,)]]
    other.close()


def test_a_statement_that_is_wrong_is_said_to_be(wire: Wire) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        wire.ask([("SELECT 1", ()), ("SELECT * FROM nothing", ()), ("SELECT 2", ())])
    assert wire.closed


def test_other_threads_go_on_while_one_waits_for_a_lock(wire: Wire, postgres_url: str) -> None:
    other = Wire(postgres_url)
    lock = ("SELECT pg_advisory_xact_lock(1)", ())
    wire.ask([("BEGIN", ()), lock])
    waiting = threading.Thread(target=other.ask, args=([lock],))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    assert wire.in_transaction
    wire.ask([("COMMIT", ())])
    waiting.join(60)
    assert not waiting.is_alive()
    assert not wire.in_transaction
    other.close()


def test_a_server_that_sends_us_away_is_trouble(wire: Wire, postgres_url: str) -> None:
    other = Wire(postgres_url)
    (((pid,),),) = _asked(other, ("SELECT pg_backend_pid()", ()))
    wire.ask([("SELECT pg_terminate_backend($1)", (pid,))])
    with pytest.raises(psycopg.OperationalError):
        other.ask([("SELECT 1", ())])
    assert other.closed


def test_a_wire_is_worn_when_the_server_keeps_much_for_it(wire: Wire) -> None:
    assert not wire.worn
    for number in range(300):
        wire.ask([(f"SELECT {number}", ())])
    assert wire.worn
