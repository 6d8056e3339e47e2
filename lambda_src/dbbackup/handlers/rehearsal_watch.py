"""Lambda entry point, called every day: how old is the last good rehearsal, and what was left over."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup import assembly, assembly_pitr
from dbbackup.contract import SERVICE, EnvKey
from dbbackup.handlers.pitr_task import logged
from dbbackup.handlers.rehearsal_environment import read_rehearsal_environment
from dbbackup.handlers.rehearsal_signals import RehearsalSignals
from dbbackup.operations.rehearsal_watch import watch

_LOG = Logger(service=SERVICE, use_rfc3339=True, utc=True)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look at the evidence and at the instances, and tell CloudWatch.

    Args:
        event: not used.
        context: not used; the work takes seconds.

    Returns:
        Age of the newest rehearsal that passed, leftovers, and what is wrong with the evidence.

    Raises:
        DbBackupError: S3 or RDS does not answer; then there is no metric, which the alarm hears.
    """

    def work() -> dict[str, Any]:
        settings = read_rehearsal_environment(os.environ)
        seen = watch(
            assembly.bucket_store(settings.need(settings.bucket, EnvKey.BUCKET)),
            assembly_pitr.instances().all(),
            source=settings.source,
            now=datetime.now(UTC),
        )
        if seen.chain_problems:
            _LOG.error("evidence does not verify", extra={"problems": list(seen.chain_problems)})
        RehearsalSignals(settings.environment, settings.source).watched(seen.age_days, len(seen.leftovers))
        return seen.as_dict()

    return logged("watch over rehearsals", event, work)
