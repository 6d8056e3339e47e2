"""Lambda entry point: restore an instance to a point in time."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup import assembly_pitr
from dbbackup.contract_pitr import PitrEnvKey
from dbbackup.core.pitr_request import parse_restore
from dbbackup.handlers.pitr_environment import read_pitr_environment
from dbbackup.handlers.pitr_task import logged
from dbbackup.operations.pitr_start import start_restore


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start the restore that an event asks for.

    Args:
        event: see :class:`dbbackup.core.pitr_request.RestoreRequest`.
        context: not used; the work takes seconds.

    Returns:
        Status, execution ARN, target, the time understood in UTC, the restorable window and an estimate.

    Raises:
        DbBackupError: nothing was started; the message says why and what to do.
    """

    def work() -> dict[str, Any]:
        settings = read_pitr_environment(os.environ)
        machine = settings.need(settings.machine_arn, PitrEnvKey.MACHINE_ARN)
        return start_restore(
            parse_restore(event),
            production=settings.source,
            instances=assembly_pitr.instances(),
            executions=assembly_pitr.executions(machine),
            now=datetime.now(UTC),
        ).as_dict()

    return logged("restore requested", event, work)
