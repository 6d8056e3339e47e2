"""Whoever has the secret gets in to what becomes production: the password of now, and a log-in that proves it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest

from dbbackup.contract_pitr import TAG_REPLACED
from dbbackup.core.instance_status import SETTLED, USABLE
from dbbackup.core.units import format_time
from devtools.state_machine import Run, TaskFailedError
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
    assert run.status == "SUCCEEDED", run.cause
    recovery.world.calls.clear()
    return recovery


def passwords(recovery: Recovery) -> list[tuple[str, str]]:
    """Who was given which password, in order."""
    return [
        (each["DBInstanceIdentifier"], each["MasterUserPassword"])
        for each in recovery.world.called("ModifyDBInstance")
        if "MasterUserPassword" in each
    ]


def secret_is(recovery: Recovery, password: str) -> None:
    """Let the secret hold a password."""
    boto3.client("secretsmanager").put_secret_value(
        SecretId=recovery.local.local["DB_SECRET_ARN"],
        SecretString=json.dumps({"username": recovery.database.user, "password": password}),
    )


def names(recovery: Recovery) -> set[str]:
    """All identifiers."""
    return set(recovery.world.databases)


def test_promote_and_rollback_give_the_password_of_then_and_log_in(
    restored: Recovery, capsys: pytest.CaptureFixture[str]
) -> None:
    answer, run = restored.local.promote(PROMOTE)
    assert run.status == "SUCCEEDED", run.cause
    assert run.output["logged_in_to"] == ["ftry"]
    assert passwords(restored) == [(TARGET, restored.password)]
    _, back = restored.local.promote(BACK)
    assert back.status == "SUCCEEDED", back.cause
    assert passwords(restored)[1:] == [(answer["production_becomes"], restored.password)]
    written = json.dumps(run.documents + back.documents) + capsys.readouterr().out
    assert restored.password not in written


def test_what_cannot_be_logged_in_to_does_not_become_production(restored: Recovery) -> None:
    secret_is(restored, "another password")
    _, run = restored.local.promote(PROMOTE)
    assert (run.status, run.error) == ("FAILED", "connection")
    assert "Nothing was renamed" in str(run.cause)
    assert names(restored) == {PROD, TARGET}
    assert "another password" not in json.dumps(run.documents)
    secret_is(restored, restored.password)
    _, again = restored.local.promote(PROMOTE)
    assert again.status == "SUCCEEDED", again.cause


@pytest.mark.parametrize(
    ("operation", "error"), [("GetSecretValue", "credentials"), ("ModifyDBInstance", "aws-refused")]
)
def test_a_password_that_cannot_be_set_renames_nothing(restored: Recovery, operation: str, error: str) -> None:
    restored.world.always[operation] = client_error("AccessDeniedException", "-")
    _, run = restored.local.promote(PROMOTE)
    assert (run.status, run.error) == ("FAILED", error)
    assert "Nothing was renamed" in str(run.cause)
    assert names(restored) == {PROD, TARGET}


def test_a_rotation_during_the_renaming_is_made_good(restored: Recovery) -> None:
    entered_again: list[None] = []

    def on_state(name: str, run: Run) -> None:
        if name == "WaitForIn" and run.states.count(name) == 1:
            secret_is(restored, "of a rotation")
        elif name == "WaitForPasswordAgain":
            entered_again.append(None)
            secret_is(restored, restored.password)  # what RDS would do: let the password be that of the secret

    restored.local.on_state = on_state
    _, run = restored.local.promote(PROMOTE)
    assert run.status == "SUCCEEDED", run.cause
    assert entered_again
    assert passwords(restored) == [(TARGET, restored.password), (PROD, "of a rotation")]


def test_promoted_is_not_claimed_where_nobody_gets_in_and_the_same_request_mends_it(restored: Recovery) -> None:
    def on_state(name: str, run: Run) -> None:
        if name == "WaitForIn":
            secret_is(restored, "of a rotation")

    restored.local.on_state = on_state
    first, run = restored.local.promote(PROMOTE)
    assert (run.status, run.error) == ("FAILED", "connection")
    assert "ask for the same once more" in str(run.cause)
    (told,) = restored.world.told()
    assert told["outcome"] == "failed"
    assert TARGET not in names(restored)
    restored.local.on_state = lambda _name, _run: None
    secret_is(restored, restored.password)
    restored.world.calls.clear()
    answer, again = restored.local.promote(PROMOTE)
    assert again.status == "SUCCEEDED", again.cause
    assert answer["production_becomes"] == first["production_becomes"]
    assert again.output["renamed_before"] is True
    assert passwords(restored) == [(PROD, restored.password)]
    assert not [each for each in restored.world.called("ModifyDBInstance") if "NewDBInstanceIdentifier" in each]
    _, back = restored.local.promote(BACK)
    assert back.status == "SUCCEEDED", back.cause


def test_a_promotion_that_is_asked_for_again_changes_nothing_but_lets_people_in(restored: Recovery) -> None:
    first, _ = restored.local.promote(PROMOTE)
    was = {name: restored.world.databases[name].dbi_resource_id for name in names(restored)}
    _, again = restored.local.promote(PROMOTE)
    assert again.status == "SUCCEEDED", again.cause
    assert {name: restored.world.databases[name].dbi_resource_id for name in names(restored)} == was
    assert restored.world.tags(PROD)[TAG_REPLACED] == first["production_becomes"]


def test_a_rollback_that_is_asked_for_again_does_not_go_forward(restored: Recovery) -> None:
    restored.local.promote(PROMOTE)
    restored.local.promote(BACK)
    was = {name: restored.world.databases[name].dbi_resource_id for name in names(restored)}
    _, again = restored.local.promote(BACK)
    assert again.status == "SUCCEEDED", again.cause
    assert again.output["status"] == "rolled-back"
    assert {name: restored.world.databases[name].dbi_resource_id for name in names(restored)} == was


def test_back_to_the_restored_one_is_a_promotion_and_said_so(restored: Recovery) -> None:
    restored.local.promote(PROMOTE)
    restored.local.promote(BACK)
    with pytest.raises(TaskFailedError, match=f"dbbackup pitr promote {TARGET}") as refused:
        restored.local.invoke("promote", {**BACK, "target": TARGET})
    assert refused.value.error == "not-verified"


def test_a_password_that_rds_manages_is_not_ours_to_set(restored: Recovery) -> None:
    def managed(answer: dict[str, Any]) -> None:
        for instance in answer["DBInstances"]:
            if instance["DBInstanceIdentifier"] == TARGET:
                instance["MasterUserSecret"] = {"SecretArn": secret[0]}

    secret = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1"]
    restored.world.after["DescribeDBInstances"] = managed
    _, run = restored.local.promote(PROMOTE)
    assert (run.status, run.error) == ("FAILED", "not-restorable")
    assert "Nothing was renamed" in str(run.cause)
    assert secret[0] in str(run.cause)
    secret[0] = restored.local.local["DB_SECRET_ARN"]
    _, run = restored.local.promote(PROMOTE)
    assert run.status == "SUCCEEDED", run.cause
    assert passwords(restored) == [], "the secret that people read is the one that RDS keeps"


@pytest.mark.parametrize("status", sorted(USABLE))
def test_an_instance_that_serves_can_be_promoted(restored: Recovery, status: str) -> None:
    answer = restored.local.invoke("promote", PROMOTE)
    for name in (TARGET, PROD):
        restored.world.statuses[name] = [status] * (3 if status not in SETTLED else 500)
    restored.world.statuses[answer["production_becomes"]] = [status] * 500
    run = restored.local.run(answer["execution_arn"])
    assert run.status == "SUCCEEDED", run.cause


def test_an_undo_does_not_wait_for_the_word_available(restored: Recovery) -> None:
    restored.world.errors["ModifyDBInstance"] = [None, None, client_error("AccessDenied", "not allowed")]
    answer = restored.local.invoke("promote", PROMOTE)
    for name in (PROD, answer["production_becomes"]):
        restored.world.statuses[name] = ["storage-optimization"] * 500
    run = restored.local.run(answer["execution_arn"])
    assert (run.status, run.error) == ("FAILED", "aws-refused")
    assert "ftry-prod is the instance that it was" in str(run.cause)
    assert names(restored) == {PROD, TARGET}
