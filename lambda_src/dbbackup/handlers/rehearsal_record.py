"""Lambda entry point: store the evidence of a rehearsal, count it and tell people."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup import assembly, assembly_pitr
from dbbackup.contract import EnvKey
from dbbackup.contract_rehearsal import RehearsalStep
from dbbackup.handlers.pitr_task import logged
from dbbackup.handlers.rehearsal_environment import read_rehearsal_environment
from dbbackup.handlers.rehearsal_signals import RehearsalSignals
from dbbackup.handlers.rehearsal_task import parse_rehearsal, unknown_step
from dbbackup.operations.rehearsal_record import Record, report, store_evidence


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Record how a rehearsal ended.

    Args:
        event: a task with the step ``record``; its state holds the planes, the failure and what became of the instance.
        context: not used; the work takes seconds.

    Returns:
        The verdict, the key and digest of the evidence, and with which words the execution ends.

    Raises:
        DbBackupError: the evidence could not be stored; counted as a failed rehearsal before it is raised.
    """

    def work() -> dict[str, Any]:
        settings, task = read_rehearsal_environment(os.environ), parse_rehearsal(event)
        if task.step is not RehearsalStep.RECORD:
            raise unknown_step(task.step)
        signals = RehearsalSignals(settings.environment, settings.source)
        record = Record(
            state=task.state,
            server=settings.source,
            databases=settings.names,
            target=task.order(settings).target,
            started=task.started,
            now=task.now,
            template_version=settings.template_version,
        )
        try:
            store = assembly.bucket_store(settings.need(settings.bucket, EnvKey.BUCKET))
            stored = store_evidence(record, store)
        except BaseException:
            signals.unrecorded()
            raise
        signals.ended(stored.evidence)
        return report(
            stored,
            location=store.url(stored.key),
            topic=assembly_pitr.topic(settings.topic_arn, execution=task.execution_arn),
            objective_seconds=settings.objective_seconds,
        )

    return logged("record of a rehearsal", event, work)
