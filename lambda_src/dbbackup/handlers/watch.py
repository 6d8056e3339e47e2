"""Lambda entry point, called every few minutes: could all be recovered as promised, and would people hear of it?"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup import assembly_watch
from dbbackup.contract import SERVICE
from dbbackup.handlers.pitr_task import logged
from dbbackup.handlers.watch_environment import read_watch_environment
from dbbackup.handlers.watch_signals import WatchSignals
from dbbackup.operations.watch import Seen, look, words_of

_LOG = Logger(service=SERVICE, use_rfc3339=True, utc=True)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look at the instance, the backups, the settings and the rehearsal of alerts, and tell CloudWatch.

    Args:
        event: not used.
        context: not used; the work takes seconds.

    Returns:
        Age of the recovery point, newest backups, settings that have drifted, alerts that did not arrive.

    Raises:
        InvalidRequestError: the environment is not complete.
        ProbeIncompleteError: something could not be looked at; all the rest has been told.
    """

    def work() -> dict[str, Any]:
        settings = read_watch_environment(os.environ)
        seen = look(
            settings.order(datetime.now(UTC)),
            assembly_watch.world(bucket=settings.bucket, environment=settings.environment),
            WatchSignals(settings.environment, settings.instance),
        )
        _log(seen)
        seen.check_complete()
        return seen.as_dict()

    return logged("watch", event, work)


def _log(seen: Seen) -> None:
    for drift in seen.drifts:
        _LOG.error("a setting is not as declared", extra={"setting": drift.setting.value, **drift.as_dict()})
    for problem in seen.damaged:
        _LOG.warning("a manifest cannot be read", extra={"problem": problem})
    for alert in seen.undelivered or ():
        _LOG.error("a rehearsed alert did not arrive", extra={"alert": alert})
    for subject, error in seen.unseen:
        _LOG.error("not looked at", extra={"subject": subject, "reason": words_of(error)}, exc_info=error)
