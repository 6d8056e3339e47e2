"""The machine that renames, run by its synthesized definition."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest

from dbbackup.contract_pitr import TAG_REPLACED, TAG_RESTORED_AS, TAG_ROLE
from dbbackup.core.units import format_time
from devtools.state_machine import TaskFailedError
from tests.pitr.conftest import Recovery
from tests.support.rds_world import PROD, client_error

TARGET = "ftry-prod-restored"
PROMOTE = {"target": TARGET, "confirm": PROD}
BACK = {"rollback": True, "confirm": PROD}


@pytest.fixture
def restored(recovery: Recovery) -> Recovery:
    """Production and a verified instance beside it."""
    moment = format_time(recovery.world.latest - timedelta(hours=2))
    _, run = recovery.local.restore({"restore_time": moment, "target": TARGET})
    assert run.status == "SUCCEEDED"
    recovery.world.calls.clear()
    return recovery


def resource(recovery: Recovery, identifier: str) -> str:
    """The resource id of an instance."""
    return str(recovery.world.databases[identifier].dbi_resource_id)


def names(recovery: Recovery) -> set[str]:
    """All identifiers."""
    return set(recovery.world.databases)


def test_the_restored_instance_becomes_production(restored: Recovery) -> None:
    was = {name: resource(restored, name) for name in (PROD, TARGET)}
    answer, run = restored.local.promote(PROMOTE)
    assert run.status == "SUCCEEDED", run.cause
    aside = answer["production_becomes"]
    assert names(restored) == {PROD, aside}
    assert (resource(restored, PROD), resource(restored, aside)) == (was[TARGET], was[PROD])
    assert run.output["status"] == "promoted"
    (told,) = restored.world.told()
    assert told["execution"].endswith(f":{answer['execution_arn'].rpartition(':')[2]}")
    assert run.output["host"].startswith(f"{PROD}.")
    tags = restored.world.tags(PROD)
    assert (tags[TAG_ROLE], tags[TAG_RESTORED_AS], tags[TAG_REPLACED]) == ("production", TARGET, aside)
    assert restored.world.tags(aside)[TAG_ROLE] == "replaced"
    assert not restored.world.called("DeleteDBInstance")


def test_and_back_and_forth(restored: Recovery) -> None:
    was = {name: resource(restored, name) for name in (PROD, TARGET)}
    restored.local.promote(PROMOTE)
    answer, run = restored.local.promote(BACK)
    assert run.status == "SUCCEEDED", run.cause
    assert run.output["status"] == "rolled-back"
    assert answer["production_becomes"] == TARGET
    assert {name: resource(restored, name) for name in names(restored)} == was
    _, third = restored.local.promote(PROMOTE)
    assert third.status == "SUCCEEDED", third.cause
    assert resource(restored, PROD) == was[TARGET]


@pytest.mark.parametrize(
    ("event", "error", "said"),
    [
        ({"target": TARGET, "confirm": "prod"}, "invalid-request", "is not its identifier"),
        ({"target": TARGET}, "invalid-request", "confirm"),
        ({"confirm": PROD}, "invalid-request", "target"),
        ({**PROMOTE, "force": True}, "invalid-request", "force"),
        ({"target": "ftry-prod-gone", "confirm": PROD}, "instance-missing", "no instance"),
        ({"target": "other", "confirm": PROD}, "invalid-request", "ftry-prod-"),
        (BACK, "invalid-request", "has not replaced"),
        ({**BACK, "target": TARGET}, "not-verified", "not an instance that a promotion replaced"),
    ],
)
def test_what_cannot_be_carried_out_renames_nothing(restored: Recovery, event: Any, error: str, said: str) -> None:
    with pytest.raises(TaskFailedError, match=said) as refused:
        restored.local.invoke("promote", event)
    assert refused.value.error == error
    assert names(restored) == {PROD, TARGET}
    assert not restored.world.called("StartExecution")


def test_an_instance_that_was_not_verified_is_refused(restored: Recovery) -> None:
    boto3.client("rds").create_db_instance(
        DBInstanceIdentifier="ftry-prod-by-hand", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20
    )
    with pytest.raises(TaskFailedError, match="has not passed the verification") as refused:
        restored.local.invoke("promote", {"target": "ftry-prod-by-hand", "confirm": PROD})
    assert refused.value.error == "not-verified"


def test_an_instance_whose_verification_failed_is_refused(recovery: Recovery) -> None:
    recovery.database.execute("DROP TABLE orders")
    moment = format_time(recovery.world.latest - timedelta(hours=2))
    _, run = recovery.local.restore({"restore_time": moment, "target": TARGET})
    assert run.status == "FAILED"
    assert "was kept, as it is available" in str(run.cause)
    with pytest.raises(TaskFailedError) as refused:
        recovery.local.invoke("promote", PROMOTE)
    assert refused.value.error == "not-verified"


def test_the_same_promotion_twice_is_the_same_execution(restored: Recovery) -> None:
    first = restored.local.invoke("promote", PROMOTE)
    again = restored.local.invoke("promote", PROMOTE)
    assert again == {**first, "status": "already-running"}


def test_another_promotion_meanwhile_is_refused(restored: Recovery) -> None:
    restored.local.invoke("promote", PROMOTE)
    with pytest.raises(TaskFailedError) as refused:
        restored.local.invoke("promote", {"target": "ftry-prod-other", "confirm": PROD})
    assert refused.value.error == "promotion-in-progress"


def test_of_two_that_started_at_once_the_younger_gives_up(restored: Recovery) -> None:
    first = restored.local.invoke("promote", PROMOTE)
    planned = {"action": "promote", "production": PROD, "incoming": TARGET, "aside": "ftry-prod-old-x"}
    machine = restored.local.arns["ftry-prod-pitr-promote"]
    steps = boto3.client("stepfunctions")
    second = steps.start_execution(stateMachineArn=machine, name="younger", input=json.dumps(planned))
    run = restored.local.run(second["executionArn"])
    assert (run.status, run.error) == ("FAILED", "promotion-in-progress")
    assert "Nothing was renamed" in str(run.cause)
    assert restored.local.run(first["execution_arn"]).status == "SUCCEEDED"


def test_a_first_rename_that_fails_changes_nothing(restored: Recovery) -> None:
    restored.world.errors["ModifyDBInstance"] = [None, client_error("AccessDenied", "not allowed")]
    _, run = restored.local.promote(PROMOTE)
    assert (run.status, run.error) == ("FAILED", "aws-refused")
    assert names(restored) == {PROD, TARGET}
    assert "ftry-prod is the instance that it was" in str(run.cause)


def test_a_second_rename_that_fails_undoes_the_first(restored: Recovery) -> None:
    was = {name: resource(restored, name) for name in (PROD, TARGET)}
    restored.world.errors["ModifyDBInstance"] = [None, None, client_error("AccessDenied", "not allowed")]
    _, run = restored.local.promote(PROMOTE)
    assert (run.status, run.error) == ("FAILED", "aws-refused")
    assert "not allowed" in str(run.cause)
    assert {name: resource(restored, name) for name in names(restored)} == was
    assert restored.world.describe(PROD)["DBInstanceStatus"] == "available"


def test_a_second_rename_that_never_ends_undoes_both(restored: Recovery) -> None:
    was = {name: resource(restored, name) for name in (PROD, TARGET)}

    def stuck(answer: dict[str, Any]) -> None:
        for instance in answer["DBInstances"]:
            begun = len(restored.world.called("ModifyDBInstance"))
            if instance["DBInstanceIdentifier"] == PROD and begun == 3 and run_seconds() < 1900:
                instance["DBInstanceStatus"] = "renaming"

    clock: list[float] = []
    restored.local.on_state = lambda _name, run: clock.append(run.seconds)

    def run_seconds() -> float:
        return clock[-1] if clock else 0.0

    restored.world.after["DescribeDBInstances"] = stuck
    _, run = restored.local.promote(PROMOTE)
    assert (run.status, run.error) == ("FAILED", "wait-exceeded")
    assert {name: resource(restored, name) for name in names(restored)} == was


def test_an_undo_that_fails_says_where_production_is(restored: Recovery) -> None:
    denied = client_error("AccessDenied", "not allowed")
    restored.world.errors["ModifyDBInstance"] = [None, None, denied, denied]
    answer, run = restored.local.promote(PROMOTE)
    assert run.status == "FAILED"
    assert f"ModifyDBInstance (rename) of {answer['production_becomes']} failed" in str(run.cause)


def test_a_rename_that_is_slow_is_waited_for(restored: Recovery) -> None:
    answer = restored.local.invoke("promote", PROMOTE)
    restored.world.statuses[answer["production_becomes"]] = ["renaming", "rebooting"]
    run = restored.local.run(answer["execution_arn"])
    assert run.status == "SUCCEEDED", run.cause
    assert run.states.count("WaitForAside") == 3


def test_a_promotion_whose_tags_fail_is_not_undone(restored: Recovery) -> None:
    restored.world.always["AddTagsToResource"] = client_error("AccessDenied", "not allowed")
    _, run = restored.local.promote(PROMOTE)
    assert run.status == "FAILED"
    assert "Both instances have their new names" in str(run.cause)
    assert PROD in names(restored)
    assert TARGET not in names(restored)


def test_nothing_is_deleted_and_production_is_changed_in_nothing_but_its_name(restored: Recovery) -> None:
    restored.local.promote(PROMOTE)
    restored.local.promote(BACK)
    renamed = {"DBInstanceIdentifier", "ApplyImmediately", "NewDBInstanceIdentifier"}
    for parameters in restored.world.called("ModifyDBInstance"):
        if parameters["DBInstanceIdentifier"] == PROD:
            assert set(parameters) == renamed
    assert not restored.world.called("DeleteDBInstance")
