"""What a rehearsal asks of RDS, which dump it takes, repeats, and the watch over it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dbbackup.contract_pitr import TAG_EXECUTION, TAG_ROLE
from dbbackup.contract_rehearsal import RehearsalMetric
from dbbackup.core.errors import NotFoundError
from dbbackup.operations.rehearsal_planes import newest_readable
from tests.rehearsal.conftest import BUCKET, Rehearsing
from tests.support.backups import take
from tests.support.rds_world import PROD


def watched(rehearsing: Rehearsing, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """The metrics of one daily look."""
    capsys.readouterr()
    rehearsing.local.invoke("watch", {"scheduled_time": "2026-01-01T07:00:00Z"})
    (document,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return {metric.value: document[metric][0] for metric in RehearsalMetric if metric in document}


def test_the_temporary_instance_is_small_private_unprotected_and_marked(rehearsing: Rehearsing) -> None:
    rehearsing.local.local = {**rehearsing.local.local, "REHEARSAL_INSTANCE_CLASS": "db.t4g.small"}
    assert rehearsing.local.rehearse().status == "SUCCEEDED"
    (sent,) = rehearsing.world.called("RestoreDBInstanceToPointInTime")
    assert sent["SourceDBInstanceIdentifier"] == PROD
    assert sent["TargetDBInstanceIdentifier"].startswith("ftry-prod-rehearsal-20")
    assert sent["UseLatestRestorableTime"] is True
    assert (sent["MultiAZ"], sent["PubliclyAccessible"], sent["DeletionProtection"]) == (False, False, False)
    assert sent["DBInstanceClass"] == "db.t4g.small"
    assert sent["DBSubnetGroupName"] == "isolated"
    assert "EnableCloudwatchLogsExports" not in sent, "its log groups would outlive it"
    tags = [(tag["Key"], tag["Value"]) for tag in sent["Tags"]]
    assert (TAG_ROLE, "rehearsal") in tags
    assert (TAG_EXECUTION, "rehearsal-1") in tags
    assert len([key for key, _ in tags if key == TAG_ROLE]) == 1
    changed = {each["DBInstanceIdentifier"] for each in rehearsing.world.called("ModifyDBInstance")}
    assert changed == {sent["TargetDBInstanceIdentifier"]}, "production is never changed"


def test_a_rehearsal_that_is_started_twice_runs_once(rehearsing: Rehearsing) -> None:
    rehearsing.local.start("the-first")
    run = rehearsing.local.rehearse("the-second")
    assert run.status == "SUCCEEDED"
    assert run.output == {"begin": False, "status": "already-running", "execution": "the-first"}
    assert not rehearsing.world.called("RestoreDBInstanceToPointInTime")
    assert rehearsing.chain().documents == ()


def test_rehearsals_are_chained_and_the_watch_sees_the_newest(
    rehearsing: Rehearsing, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watched(rehearsing, capsys) == {"RehearsalLeftovers": 0}, "never rehearsed: no age at all"
    rehearsing.local.rehearse("rehearsal-1")
    rehearsing.local.rehearse("rehearsal-2")
    first, second = rehearsing.chain().documents
    assert rehearsing.chain().problems == ()
    assert second.evidence.previous_key == first.key
    assert second.evidence.previous_digest == first.digest
    assert watched(rehearsing, capsys)["RehearsalAgeDays"] < 0.1


def test_a_failed_rehearsal_and_an_altered_document_make_nobody_younger(
    rehearsing: Rehearsing, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsing.local.rehearse("rehearsal-1")
    (stored,) = rehearsing.chain().documents
    altered = stored.evidence.model_copy(update={"finished_at": datetime.now(UTC) + timedelta(days=300)})
    body = {**json.loads(altered.to_bytes()), "digest": stored.digest}
    rehearsing.bucket.put_object(Bucket=BUCKET, Key=stored.key, Body=json.dumps(body).encode())
    assert watched(rehearsing, capsys) == {"RehearsalLeftovers": 0}
    rehearsing.database.execute("DROP TABLE orders")
    rehearsing.local.rehearse("rehearsal-2")
    assert watched(rehearsing, capsys) == {"RehearsalLeftovers": 0}


def test_an_instance_older_than_a_day_is_a_leftover(rehearsing: Rehearsing, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(name: str, _run: object) -> None:
        if name == "SetPassword":
            raise KeyboardInterrupt

    rehearsing.local.on_state = stop
    with pytest.raises(KeyboardInterrupt):
        rehearsing.local.rehearse()
    assert len(rehearsing.temporary()) == 1
    ages = [datetime.now(UTC)]

    def date_back(answer: dict[str, Any]) -> None:
        for each in answer["DBInstances"]:
            each["InstanceCreateTime"] = ages[0]

    rehearsing.world.after["DescribeDBInstances"] = date_back
    for hours, expected in ((23, 0), (25, 1)):
        ages[0] = datetime.now(UTC) - timedelta(hours=hours)
        assert watched(rehearsing, capsys) == {"RehearsalLeftovers": expected}


def test_the_newest_backup_that_can_be_read_is_taken(rehearsing: Rehearsing) -> None:
    newer = take(rehearsing.database, rehearsing.store, instance=PROD).manifest
    assert newest_readable(rehearsing.store, "ftry", PROD).archive.key == newer.archive.key
    body = rehearsing.bucket.get_object(Bucket=BUCKET, Key=newer.archive.key)["Body"].read()
    rehearsing.bucket.put_object(Bucket=BUCKET, Key=newer.archive.key, Body=body, StorageClass="DEEP_ARCHIVE")
    assert newest_readable(rehearsing.store, "ftry", PROD).archive.key == rehearsing.archive
    with pytest.raises(NotFoundError, match="no backup of other"):
        newest_readable(rehearsing.store, "other", PROD)
