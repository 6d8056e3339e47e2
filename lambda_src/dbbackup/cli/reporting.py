"""What a local run tells others when it has ended; it never changes how the run itself ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import typer

from dbbackup.adapters.requester import machine
from dbbackup.contract import Tier
from dbbackup.contract_notification import Kind, Outcome
from dbbackup.core.errors import InvalidRequestError, RefusedError
from dbbackup.core.notification import Failure, Notification

Listener = Callable[[Notification, Mapping[str, str]], None]
"""Carries a notification, with the environment as its settings; says on standard error what it could not do."""

LISTENERS: Final[list[Listener]] = []
"""Everybody who is told: Slack, the textfile of Prometheus."""


def tell(notification: Notification) -> None:
    """Tell everybody, and on which machine it was."""
    here = notification.model_copy(update={"host": machine()})
    for listener in LISTENERS:
        listener(here, os.environ)


@contextmanager
def failures_told(
    kind: Kind, *, database: str | None, server: str | None = None, tier: Tier | None = None
) -> Iterator[None]:
    """Tell of a failure and let it go on. What was not understood, not confirmed or only planned is no failed run."""
    try:
        yield
    except (InvalidRequestError, RefusedError, typer.Exit):
        raise
    except BaseException as error:
        if not isinstance(error, GeneratorExit):
            failed = Outcome.FAILED
            why = Failure.of(error)
            tell(Notification(kind=kind, outcome=failed, database=database, server=server, tier=tier, failure=why))
        raise
