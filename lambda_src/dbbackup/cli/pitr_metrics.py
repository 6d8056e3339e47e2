"""Tells Prometheus how a point-in-time recovery ended, where a folder for it is named.

Slack hears of it from the functions in the cloud, whoever asked for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from dbbackup.cli.textfile import write_recovery
from dbbackup.core.errors import DbBackupError, InterruptedRunError, InvalidRequestError
from dbbackup.core.pitr_errors import PromotionInProgressError
from dbbackup.core.pitr_run import RecoveryRun, run_of


def tell_ended(document: Mapping[str, Any]) -> None:
    """Tell of an execution that has ended; of one that has not there is nothing to tell.

    Args:
        document: answer of DescribeExecution.
    """
    run = run_of(document)
    if run is not None:
        write_recovery(run, os.environ)


@contextmanager
def refusals_told(system: str, operation: str) -> Iterator[None]:
    """Tell of a recovery that could not be started, and let the failure go on.

    What was not understood, made way for another one, or was interrupted is no failed run.
    """
    try:
        yield
    except (InvalidRequestError, PromotionInProgressError, InterruptedRunError):
        raise
    except DbBackupError as error:
        write_recovery(RecoveryRun(system, operation, datetime.now(UTC), error=error.code), os.environ)
        raise
