"""The machine that rehearses, run by its synthesized definition."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from dbbackup.contract_rehearsal import RehearsalMetric
from tests.rehearsal.conftest import Rehearsing
from tests.support.rds_world import PROD


def test_a_rehearsal_tries_both_ways_back_and_leaves_evidence_only(
    rehearsing: Rehearsing, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rehearsing.databases()
    run = rehearsing.local.rehearse()
    assert run.status == "SUCCEEDED", run.cause
    chain = rehearsing.chain()
    assert chain.problems == ()
    (stored,) = chain.documents
    evidence = stored.evidence
    assert evidence.passed
    assert run.output["key"] == stored.key
    (told,) = rehearsing.world.told()
    assert ":execution:" in told["execution"]
    point, dump = evidence.planes
    assert (point.kind, point.restored_from, point.tables, point.rows) == ("point-in-time", PROD, 1, 5)
    assert (dump.kind, dump.restored_from, dump.tables, dump.rows) == (
        "dump",
        f"s3://backups/{rehearsing.archive}",
        1,
        5,
    )
    assert point.recovery_point == rehearsing.world.latest
    assert {check.name for check in point.checks} >= {"ftry takes writes", "tables of ftry", "ftry: orders"}
    names = {"ftry: entries restored", "ftry: tables", "ftry: rows of each table", "ftry: orders"}
    assert {check.name for check in dump.checks} == names
    assert evidence.template_version
    assert rehearsing.temporary() == set()
    assert rehearsing.databases() == before
    output = capsys.readouterr().out
    assert rehearsing.password not in json.dumps(run.documents) + output
    metrics = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    (verdict,) = [each for each in metrics if RehearsalMetric.SUCCESS in each]
    assert (verdict[RehearsalMetric.SUCCESS], verdict[RehearsalMetric.FAILURE]) == ([1.0], [0.0])
    times = {each["Plane"]: each[RehearsalMetric.RECOVERY_TIME] for each in metrics if "Plane" in each}
    assert times == {"point-in-time": [point.recovery_seconds], "dump": [dump.recovery_seconds]}
    head = rehearsing.bucket.head_object(Bucket="backups", Key=stored.key)
    assert head["ObjectLockMode"] == "COMPLIANCE"
    assert timedelta(days=364) < head["ObjectLockRetainUntilDate"] - datetime.now(UTC) <= timedelta(days=365)
