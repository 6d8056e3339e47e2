"""Whatever fails: the instance goes, the evidence says why, and the execution fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from moto.s3.models import s3_backends

from dbbackup.contract_pitr import TAG_ROLE
from dbbackup.contract_rehearsal import RehearsalMetric
from dbbackup.core.evidence import Evidence
from dbbackup.core.naming import manifest_key
from devtools.state_machine import Run, TaskFailedError
from tests.rehearsal.conftest import BUCKET, PRODUCTION_HOST, Rehearsing
from tests.support.rds_world import ACCOUNT, PROD, client_error


def evidence_of(rehearsing: Rehearsing, run: Run) -> Evidence:
    """The one document of a rehearsal that failed."""
    assert (run.status, run.error) == ("FAILED", "rehearsal-failed"), run.cause
    chain = rehearsing.chain()
    assert chain.problems == ()
    (stored,) = chain.documents
    assert not stored.evidence.passed
    assert PROD in rehearsing.world.databases
    return stored.evidence


def kinds(evidence: Evidence) -> list[str]:
    return [plane.kind for plane in evidence.planes]


def failures_counted(output: str) -> list[float]:
    documents = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    return [each[RehearsalMetric.FAILURE][0] for each in documents if RehearsalMetric.FAILURE in each]


def target_of(rehearsing: Rehearsing) -> str:
    sent = rehearsing.world.called("RestoreDBInstanceToPointInTime")[0]
    return str(sent["TargetDBInstanceIdentifier"])


def when(rehearsing: Rehearsing, state: str, action: Callable[[str], object]) -> None:
    """Do something with the temporary instance as a state is entered for the first time."""

    def on_state(name: str, run: Run) -> None:
        if name == state and run.states.count(state) == 1:
            action(target_of(rehearsing))

    rehearsing.local.on_state = on_state


def rewrite_manifest(rehearsing: Rehearsing, change: Callable[[dict[str, Any]], None]) -> None:
    key = manifest_key(rehearsing.archive)
    document = json.loads(rehearsing.bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    change(document)
    rehearsing.bucket.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document).encode())


def test_an_instance_that_fails_is_removed(rehearsing: Rehearsing, capsys: pytest.CaptureFixture[str]) -> None:
    when(rehearsing, "WaitForInstance", lambda target: rehearsing.world.statuses.update({target: ["failed"] * 2}))
    run = rehearsing.local.rehearse()
    evidence = evidence_of(rehearsing, run)
    assert evidence.planes == ()
    assert "instance-failed" in str(evidence.failure)
    assert "status failed" in str(run.cause)
    assert rehearsing.temporary() == set()
    (deleted,) = rehearsing.world.called("DeleteDBInstance")
    assert (deleted["SkipFinalSnapshot"], deleted["DeleteAutomatedBackups"]) == (True, True)
    assert failures_counted(capsys.readouterr().out) == [1.0]


def test_a_source_that_is_gone_is_evidence_too(rehearsing: Rehearsing) -> None:
    rehearsing.world.always["DescribeDBInstances"] = client_error("DBInstanceNotFound")
    run = rehearsing.local.rehearse()
    rehearsing.world.always.clear()
    assert "source-missing" in str(evidence_of(rehearsing, run).failure)
    assert not rehearsing.world.called("DeleteDBInstance")


def test_restored_data_that_is_not_right_fails_before_the_dump(rehearsing: Rehearsing) -> None:
    rehearsing.database.execute("ALTER TABLE orders DROP created_at")
    evidence = evidence_of(rehearsing, rehearsing.local.rehearse())
    assert evidence.planes == ()
    assert "restored-data" in str(evidence.failure)
    assert rehearsing.temporary() == set()


def damage_bytes(rehearsing: Rehearsing) -> None:
    (stored,) = s3_backends[ACCOUNT]["aws"].buckets[BUCKET].keys.getlist(rehearsing.archive)
    stored.value = stored.value[:-20] + b"x" * 20


def change_digest(rehearsing: Rehearsing) -> None:
    rewrite_manifest(rehearsing, lambda document: document["archive"].update(sha256="0" * 64))


@pytest.mark.parametrize(
    ("damage", "said"), [(damage_bytes, "Expected checksum"), (change_digest, "verification-failed")]
)
def test_a_damaged_dump_fails_with_the_other_plane_in_the_evidence(
    rehearsing: Rehearsing, damage: Callable[[Rehearsing], None], said: str
) -> None:
    damage(rehearsing)
    before = rehearsing.databases()
    evidence = evidence_of(rehearsing, rehearsing.local.rehearse())
    assert kinds(evidence) == ["point-in-time"]
    assert evidence.planes[0].passed
    assert said in str(evidence.failure)
    assert rehearsing.temporary() == set()
    assert rehearsing.databases() == before


def test_a_copy_that_is_not_as_its_manifest_fails(rehearsing: Rehearsing) -> None:
    rewrite_manifest(rehearsing, lambda document: document["tables"][0].update(rows=6))
    before = rehearsing.databases()
    evidence = evidence_of(rehearsing, rehearsing.local.rehearse())
    assert "5 rows instead of 6" in str(evidence.failure)
    assert rehearsing.databases() == before


def test_a_question_that_is_answered_with_no_fails_with_all_planes(rehearsing: Rehearsing) -> None:
    rehearsing.local.local = {
        **rehearsing.local.local,
        "REHEARSAL_CHECKS": '[{"database": "ftry", "name": "late", "statement": "SELECT count(*) = 6 FROM orders"}]',
    }
    run = rehearsing.local.rehearse()
    evidence = evidence_of(rehearsing, run)
    assert kinds(evidence) == ["point-in-time", "dump"]
    assert evidence.failure is None
    assert "dump: ftry: late: expected true, or above zero, found False." in str(run.cause)


def test_without_a_backup_there_is_one_plane_and_a_reason(rehearsing: Rehearsing) -> None:
    rehearsing.bucket.delete_object(Bucket=BUCKET, Key=manifest_key(rehearsing.archive))
    evidence = evidence_of(rehearsing, rehearsing.local.rehearse())
    assert kinds(evidence) == ["point-in-time"]
    assert "There is no backup of ftry" in str(evidence.failure)


def test_evidence_that_cannot_be_stored_fails_the_rehearsal_and_is_counted(
    rehearsing: Rehearsing, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsing.world.always["PutObject"] = client_error("AccessDenied")
    run = rehearsing.local.rehearse()
    assert (run.status, run.error) == ("FAILED", "storage")
    assert run.retries == ["Record"] * 4
    assert "AccessDenied" in str(run.cause)
    assert rehearsing.temporary() == set()
    assert set(failures_counted(capsys.readouterr().out)) == {1.0}
    assert rehearsing.chain().documents == ()


def test_a_record_whose_answer_was_lost_is_not_stored_twice(rehearsing: Rehearsing) -> None:
    rehearsing.world.errors["Publish"] = [None]
    real, lost = rehearsing.local.call, [True]

    def call(function: Any, event: Any, environment: Any) -> Any:
        answer = real(function, event, environment)
        if event.get("step") == "record" and lost.pop():
            lost.append(False)
            raise TaskFailedError("Lambda.ServiceException", "{}")
        return answer

    rehearsing.local.call = call
    run = rehearsing.local.rehearse()
    assert (run.status, run.retries) == ("SUCCEEDED", ["Record"])
    assert len(rehearsing.chain().documents) == 1


def test_an_instance_that_lost_our_mark_is_left_alone_and_named(rehearsing: Rehearsing) -> None:
    rds = boto3.client("rds")

    def unmark(target: str) -> None:
        arn = rehearsing.world.describe(target)["DBInstanceArn"]
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=[TAG_ROLE])

    when(rehearsing, "CleanUp", unmark)
    run = rehearsing.local.rehearse()
    evidence = evidence_of(rehearsing, run)
    assert not rehearsing.world.called("DeleteDBInstance")
    assert rehearsing.temporary() == {target_of(rehearsing)}
    assert kinds(evidence) == ["point-in-time", "dump"]
    assert not any(plane.removed for plane in evidence.planes)
    assert "without the mark of this rehearsal: it was left alone" in str(run.cause)


def test_an_instance_that_lost_our_mark_is_never_connected_to(rehearsing: Rehearsing) -> None:
    def unmark(target: str) -> None:
        arn = rehearsing.world.describe(target)["DBInstanceArn"]
        boto3.client("rds").remove_tags_from_resource(ResourceName=arn, TagKeys=[TAG_ROLE])

    when(rehearsing, "WaitForPassword", unmark)
    run = rehearsing.local.rehearse()
    assert "instance-missing" in str(evidence_of(rehearsing, run).failure)
    assert "Verify" not in run.states


def test_what_cannot_be_deleted_is_named(rehearsing: Rehearsing) -> None:
    rehearsing.world.always["DeleteDBInstance"] = client_error("AccessDenied", "not allowed")
    run = rehearsing.local.rehearse()
    evidence = evidence_of(rehearsing, run)
    assert f"{target_of(rehearsing)} may be left behind. aws-refused" in str(evidence.failure)
    assert not any(plane.removed for plane in evidence.planes)


def test_a_deletion_that_takes_too_long_is_said(rehearsing: Rehearsing) -> None:
    def keep(_answer: dict[str, Any]) -> None:
        sent = rehearsing.world.called("RestoreDBInstanceToPointInTime")[0]
        boto3.client("rds").restore_db_instance_to_point_in_time(**sent)

    rehearsing.world.after["DeleteDBInstance"] = keep
    when(rehearsing, "IsGone", lambda target: rehearsing.world.statuses.update({target: ["deleting"] * 500}))
    rehearsing.local.local = {**rehearsing.local.local, "REHEARSAL_REMOVAL_LIMIT_SECONDS": "600"}
    run = rehearsing.local.rehearse()
    assert run.status == "FAILED"
    assert "is still there" in str(run.cause)
    assert "It costs money" in str(run.cause)
    assert 600 < run.seconds < 900


ELSEWHERE = {
    PRODUCTION_HOST: "is the production instance",
    f"{PRODUCTION_HOST.upper()}.": "is the production instance",
    "ftry-prod.elsewhere": "is the production instance",
    "ftry-prod-old-20260101.abc.rds.amazonaws.com": "is not the endpoint of a temporary instance",
    "ftry-prod-rehearsal-20260101050000.abc.rds.amazonaws.com": "is not the endpoint of a temporary instance",
    "127.0.0.1": "is not the endpoint of a temporary instance",
    "": "is not the endpoint of a temporary instance",
}


def test_nothing_but_the_temporary_instance_is_connected_to(rehearsing: Rehearsing) -> None:
    for step in ("verify", "dump"):
        for host, said in ELSEWHERE.items():
            event = {
                "step": step,
                "execution": "by-hand",
                "started": "2026-01-01T06:00:00Z",
                "now": "2026-01-01T06:30:00Z",
                "state": {"status": {"done": True, "host": host, "port": rehearsing.database.server.port}},
                "database": "ftry",
            }
            with pytest.raises(TaskFailedError, match=said) as refused:
                rehearsing.local.invoke("check", event)
            assert refused.value.error == "refused"
    assert not rehearsing.world.called("GetSecretValue")


def test_a_setting_that_is_refused_is_evidence_and_no_failure(
    rehearsing: Rehearsing, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsing.world.refused = {("ModifyDBInstance", "PreferredBackupWindow"): client_error("AccessDenied", "not you")}
    run = rehearsing.local.rehearse()
    assert run.status == "SUCCEEDED", run.cause
    (stored,) = rehearsing.chain().documents
    assert rehearsing.chain().problems == ()
    point, dump = stored.evidence.planes
    (unlike,) = point.unlike
    assert (unlike.setting, unlike.source) == ("PreferredBackupWindow", "02:00-03:00")
    assert "not you" in str(unlike.why)
    assert dump.unlike == ()
    assert "not you" in run.output["differences"][0]
    (told,) = rehearsing.world.told()
    assert any("PreferredBackupWindow" in line and "not you" in line for line in told["details"])
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    name = RehearsalMetric.DIFFERENCES
    assert [each[name] for each in documents if name in each] == [[1.0]]


def test_settings_that_cannot_be_read_are_evidence_too(rehearsing: Rehearsing) -> None:
    real = rehearsing.local.call

    def failing(function: Any, event: Any, environment: Any) -> Any:
        if event.get("step") == "match-settings":
            raise TaskFailedError("Runtime.ExitError", '{"errorMessage": "signal: killed"}')
        return real(function, event, environment)

    rehearsing.local.call = failing
    run = rehearsing.local.rehearse()
    assert run.status == "SUCCEEDED", run.cause
    (stored,) = rehearsing.chain().documents
    assert [each.why for each in stored.evidence.planes[0].unlike] == ["signal: killed"]
