"""The steps in which an instance goes back in time: the synthesized state machines, against the local RDS."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from dbbackup.contract import EnvKey
from dbbackup.contract_pitr import PitrEnvKey
from dbbackup.core.units import format_time
from devtools.demo.stage import Stage
from devtools.demo.world import DATABASE, World
from devtools.local_pitr import LocalRecovery, call_process, read_recovery_system
from devtools.state_machine import Run, TaskFailedError

PRODUCTION = "ftry-prod"


def create_production(world: World) -> None:
    """An entry in the local RDS for the server that the demo has started."""
    world.aws.client("rds").create_db_instance(
        DBInstanceIdentifier=PRODUCTION,
        DBInstanceClass="db.t4g.medium",
        Engine="postgres",
        EngineVersion="18.2",
        AllocatedStorage=50,
        MasterUsername=world.server.user,
        MasterUserPassword=world.server.password,
        DBName=DATABASE,
        Port=world.server.port,
        BackupRetentionPeriod=30,
        MultiAZ=True,
        StorageEncrypted=True,
        DeletionProtection=True,
        PubliclyAccessible=False,
        EnableIAMDatabaseAuthentication=True,
    )


def go_back_in_time(stage: Stage, world: World, folder: Path, moment: datetime) -> None:
    """Restore to a moment, promote, and roll back."""
    topic = world.aws.client("sns").create_topic(Name="demo-alarms")["TopicArn"]
    local = LocalRecovery(
        read_recovery_system(folder),
        world.aws.client,
        {
            EnvKey.DB_SECRET_ARN.value: world.function_environment[EnvKey.DB_SECRET_ARN],
            EnvKey.DB_SSLMODE.value: "prefer",
            PitrEnvKey.TOPIC_ARN.value: topic,
        },
        call=call_process,
        # The restored instance has a host name of RDS; libpq's own variable leads it to this machine.
        surroundings={**world.aws.environment(), "PGHOSTADDR": world.server.host},
    )
    local.deploy()
    stage.note("moto stands for RDS: instances are restored, renamed and described, and take no time")

    answer, run = local.restore({"restore_time": format_time(moment)})
    stage.note(f"pitr-restore answers: target {answer['target']}, understood as {answer['restore_time']}")
    stage.note(" → ".join(run.states))
    stage.prove(
        "the state machine of the template restores production to a moment and verifies it over SQL",
        run.status == "SUCCEEDED",
        _ending(run),
    )
    target = str(answer["target"])
    try:
        local.promote({"target": target, "confirm": "something else"})
        refused = ""
    except TaskFailedError as error:
        refused = error.error
    stage.prove("a promotion without the name of production is refused", bool(refused), refused)
    answer, run = local.promote({"target": target, "confirm": PRODUCTION})
    stage.prove(
        "the restored instance becomes production, which is kept aside",
        run.status == "SUCCEEDED" and _instances(world) == {PRODUCTION, answer["production_becomes"]},
        f"instances: {', '.join(sorted(_instances(world)))}",
    )
    answer, run = local.promote({"rollback": True, "confirm": PRODUCTION})
    stage.prove("and back again", run.status == "SUCCEEDED", f"instances: {', '.join(sorted(_instances(world)))}")


def _instances(world: World) -> set[str]:
    pages = world.aws.client("rds").get_paginator("describe_db_instances").paginate()
    return {found["DBInstanceIdentifier"] for page in pages for found in page["DBInstances"]}


def _ending(run: Run) -> str:
    if run.status != "SUCCEEDED":
        return f"{run.error}: {run.cause}"
    report = run.output if isinstance(run.output, dict) else {}
    return ", ".join(f"{key} {report[key]}" for key in ("recovery_time_seconds", "recovery_point") if key in report)
