"""Lambda entry point, inside the VPC: try both ways back on the temporary instance, over SQL."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import SecretStr

from dbbackup import assembly, assembly_pitr
from dbbackup.contract import EnvKey
from dbbackup.contract_rehearsal import PLANE_FIELD, RehearsalStep
from dbbackup.core.connection import Connection
from dbbackup.core.deadline import Deadline
from dbbackup.core.evidence import Plane
from dbbackup.core.rehearsal_plan import check_host
from dbbackup.handlers.pitr_task import logged
from dbbackup.handlers.rehearsal_environment import RehearsalEnvironment, read_rehearsal_environment
from dbbackup.handlers.rehearsal_task import RehearsalTask, parse_rehearsal, unknown_step
from dbbackup.operations.drill import DrillRequest
from dbbackup.operations.rehearsal_planes import (
    newest_readable,
    questions,
    rehearse_newest_dump,
    rehearse_point_in_time,
)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Rehearse one plane.

    Args:
        event: a task with the step ``verify`` or ``dump``; its state holds the host that the status step found.
        context: Lambda's context; its remaining time bounds a restore.

    Returns:
        The plane, as it goes into the evidence. Never a secret.

    Raises:
        RefusedError: the host is not the temporary instance's; nothing was connected to.
        DbBackupError: the plane failed.
    """

    def work() -> dict[str, Any]:
        settings, task = read_rehearsal_environment(os.environ), parse_rehearsal(event)
        place = _place(settings, task)
        match task.step:
            case RehearsalStep.VERIFY:
                plane = _point_in_time(settings, task, place)
            case RehearsalStep.DUMP:
                seconds = context.get_remaining_time_in_millis() / 1000 - settings.deadline_margin_seconds
                plane = _dump(settings, task, place, Deadline.after(seconds))
            case _:
                raise unknown_step(task.step)
        return {PLANE_FIELD: plane.model_dump(mode="json")}

    return logged("check of a rehearsal", event, work)


@dataclass(frozen=True, slots=True)
class _Place:
    """The temporary instance, as one connects to it."""

    host: str
    port: int
    credentials: tuple[str, str]

    def connection(self, settings: RehearsalEnvironment) -> Connection:
        user, password = self.credentials
        return Connection(
            host=self.host,
            port=self.port,
            user=user,
            password=SecretStr(password),
            sslmode=settings.sslmode,
            sslrootcert=settings.sslrootcert,
        )


def _place(settings: RehearsalEnvironment, task: RehearsalTask) -> _Place:
    status = task.state.get("status") or {}
    host = check_host(
        str(status.get("host") or ""),
        target=task.order(settings).target,
        production=settings.source,
        production_host=settings.need(settings.host, EnvKey.DB_HOST),
    )
    secret = settings.need(settings.secret_arn, EnvKey.DB_SECRET_ARN)
    return _Place(host, int(status["port"]), assembly_pitr.credentials(secret))


def _point_in_time(settings: RehearsalEnvironment, task: RehearsalTask, place: _Place) -> Plane:
    with assembly.cluster_for(place.connection(settings)) as cluster:
        return rehearse_point_in_time(
            task.order(settings),
            server=assembly_pitr.restored_server(
                host=place.host,
                port=place.port,
                credentials=place.credentials,
                sslmode=settings.sslmode,
                sslrootcert=settings.sslrootcert,
            ),
            cluster=cluster,
            databases=settings.names,
            watched=[each.as_port() for each in settings.verify_tables],
            queries=[each.as_query() for each in settings.checks],
        )


def _dump(settings: RehearsalEnvironment, task: RehearsalTask, place: _Place, deadline: Deadline) -> Plane:
    connection = place.connection(settings)
    store = assembly.bucket_store(settings.need(settings.bucket, EnvKey.BUCKET), deadline)
    request = DrillRequest(
        store=store,
        manifest=newest_readable(store, task.database or settings.names[0], settings.source),
        jobs=os.cpu_count() or 1,
        create_roles=True,  # of a role that was dropped since the backup; the instance goes, and the role with it
        deadline=deadline,
    )
    with assembly.cluster_for(connection) as cluster:
        return rehearse_newest_dump(
            questions(request, [each.as_query() for each in settings.checks]),
            started=task.started,
            cluster=cluster,
            tools=assembly.restore_tools_for(connection, os.environ),
        )
