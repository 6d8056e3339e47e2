"""What a function writes into its log for people to be told: the notifier reads these lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dbbackup.contract import Tier
from dbbackup.contract_notification import LOG_FIELD, Kind, Outcome
from dbbackup.core.notification import Failure, Notification
from dbbackup.handlers.signals import UNKNOWN, Signals


def notice(notification: Notification) -> dict[str, Any]:
    """The field of a log line that holds a notification."""
    return {LOG_FIELD: notification.model_dump(mode="json", exclude_none=True)}


def failure_notice(
    kind: Kind, error: BaseException, signals: Signals, *, due_at: datetime | None = None
) -> dict[str, Any]:
    """The same for a failure, of what the metrics of the run say it was about, and when it was due."""
    given_tier = signals.tier
    return notice(
        Notification(
            kind=kind,
            outcome=Outcome.FAILED,
            due_at=due_at,
            environment=_known(signals.environment),
            database=_known(signals.database),
            # The event may hold anything where it was refused.
            tier=Tier(given_tier) if given_tier in set(Tier) else None,
            failure=Failure.of(error),
        )
    )


def _known(value: str) -> str | None:
    return None if value == UNKNOWN else value
