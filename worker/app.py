"""The Celery app: how messages travel. It knows nothing of what they are about.

The truth is in the database. A message is but a hint that there is something to do: it may be lost,
or come twice, and nobody waits for its result.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.worker.request import Request

WORK = "fixproof.work"
"""Name of the one task: carry out the item of this id."""
_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 30


def make_app(broker_url: str, queues: tuple[str, ...] = ()) -> Celery:
    """An app that speaks to a broker.

    Args:
        broker_url: as Celery has it, `redis://:password@host:port/0`.
        queues: those that a worker serves, in order; none for one that only sends.
    """
    app = Celery("fixproof", broker=broker_url, set_as_current=False)
    app.conf.update(_SETTINGS)
    if not queues:
        app.conf.broker_transport_options = app.conf.broker_transport_options | _GIVES_UP
    app.conf.task_queues = {each: _QUEUE | {"routing_key": each} for each in queues}
    return app


_QUEUE: dict[str, Any] = {
    "exchange": "",
    "no_ack": True,
}


class Unacknowledged(Request):  # type: ignore[misc] # Celery has no types
    """A message that nobody waits for to be acknowledged.

    Leases find what was lost, and sooner than Redis would hand it out again. What is more: where
    Redis goes away in between, kombu counts what could not be acknowledged forever, and so a
    worker whose processes were all busy then would never take a message again.
    """

    def acknowledge(self) -> None:
        self.acknowledged = True


_GIVES_UP = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
"""A broker that is away is for others to wait for: what cannot be sent is found by sweepers."""
_SETTINGS: dict[str, Any] = {
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_ignore_result": True,
    "task_store_errors_even_if_ignored": False,
    "task_create_missing_queues": True,
    # One message at a time for each process: what it does not work on, another may have.
    "worker_disable_prefetch": True,
    "worker_prefetch_multiplier": 1,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_send_task_events": False,
    "worker_enable_remote_control": False,
    "task_send_sent_event": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_connection_timeout": _CONNECT_SECONDS,
    "broker_pool_limit": 2,
    "broker_transport_options": {
        # Strictly by name: see `runner.queues`. Priorities of Redis itself are not used.
        "queue_order_strategy": "sorted",
        "priority_steps": [0],
        "global_keyprefix": "fixproof:",
        "socket_connect_timeout": _CONNECT_SECONDS,
        "socket_timeout": _ANSWER_SECONDS,
        "socket_keepalive": True,
    },
}
