"""Lambda entry point: make a restored instance production, or go back."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup import assembly_pitr
from dbbackup.contract_pitr import PitrEnvKey
from dbbackup.core.pitr_request import parse_promotion
from dbbackup.handlers.pitr_environment import read_pitr_environment
from dbbackup.handlers.pitr_task import logged
from dbbackup.operations.pitr_promote import start_swap


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start the promotion or the rollback that an event asks for.

    Args:
        event: ``{"target": ..., "confirm": <production>}`` or ``{"rollback": true, "confirm": <production>}``.
        context: not used; the work takes seconds.

    Returns:
        Status, execution ARN, and which instance gets which name.

    Raises:
        DbBackupError: nothing was renamed; the message says why and what to do.
    """

    def work() -> dict[str, Any]:
        settings = read_pitr_environment(os.environ)
        machine = settings.need(settings.promotion_machine_arn, PitrEnvKey.PROMOTION_MACHINE_ARN)
        return start_swap(
            parse_promotion(event, production=settings.source),
            production=settings.source,
            instances=assembly_pitr.instances(),
            executions=assembly_pitr.executions(machine),
            now=datetime.now(UTC),
        ).as_dict()

    return logged("promotion requested", event, work)
