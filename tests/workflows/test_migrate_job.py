"""The reusable workflow that migrates: without a receipt for this database and this commit, nothing is migrated."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.buckets import Bucket
from tests.support.databases import Database
from tests.workflows.conftest import Slack
from tests.workflows.job import ROOT, Job

COMMIT = "c0ffee" + "0" * 34
MIGRATION = 'psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$DATABASE_URL" --command "CREATE TABLE added (id int)"'


@pytest.fixture
def job(checkout: Path, bucket: Bucket, programs: Path, database: Database, slack: Slack) -> Job:
    """The job as another workflow calls it, for a database that the runner reaches."""
    (checkout / ".dbbackup").symlink_to(ROOT)
    values = database.environment()
    url = (
        f"postgresql://{values['POSTGRES_USER']}:{values['POSTGRES_PASSWORD']}"
        f"@{values['POSTGRES_HOST']}:{values['POSTGRES_PORT']}/{database.name}"
    )
    return Job(
        "migrate",
        checkout,
        outside=bucket.aws.environment(),
        secrets={"DATABASE_URL": url, "SLACK_WEBHOOK_URL": slack.url},
        variables={"AWS_MIGRATION_ROLE_ARN": "arn:aws:iam::123456789012:role/migration", "PGSSLMODE": "disable"},
        inputs={"command": MIGRATION, "database": database.name, "bucket": bucket.name},
        github={"sha": COMMIT},
        programs=programs,
        replaced={
            "Install dbbackup": "true",
            "Install the PostgreSQL client": f"echo PG_BINDIR={database.server.bindir} >>$GITHUB_ENV",
        },
    )


def migrated(database: Database) -> bool:
    """Whether the migration has run."""
    return bool(database.value("SELECT to_regclass('added') IS NOT NULL"))


def test_a_migration_has_a_backup_of_before_and_a_receipt(job: Job, bucket: Bucket, database: Database) -> None:
    ran = job.run()
    assert not ran.failed, ran.log
    assert migrated(database)
    (receipt,) = [name for name in bucket.names() if name.endswith(".receipt.json")]
    assert receipt.startswith(f"pre-migration/{database.name}_backup_")
    document = json.loads(bucket.body(receipt))
    assert document["commit"]["id"] == COMMIT
    assert receipt.replace(".receipt.json", ".dump") in bucket.names()
    assert list(ran.steps).index("Demand a receipt") < list(ran.steps).index("Migrate")
    assert ran.steps["Show the way back"] == "skipped"
    assert ran.inputs["Assume the role"]["role-to-assume"] == job.variables["AWS_MIGRATION_ROLE_ARN"]


def test_without_a_receipt_nothing_is_migrated(job: Job, database: Database, slack: Slack) -> None:
    ran = replace(job, inputs={**job.inputs, "backup": False}).run()
    assert ran.failed
    assert ran.steps["Back up"] == "skipped"
    assert ran.steps["Demand a receipt"] == "failure"
    assert ran.steps["Migrate"] == "skipped"
    assert not migrated(database)
    assert f"migration of {database.name} by GitHub Actions" in slack.text


def test_a_receipt_for_another_commit_or_database_is_none(job: Job, database: Database) -> None:
    assert not replace(job, inputs={**job.inputs, "command": "true"}).run().failed
    demanding = replace(job, inputs={**job.inputs, "backup": False})
    for other in (
        replace(demanding, github={"sha": "d" * 40}),
        replace(demanding, inputs={**demanding.inputs, "database": "another"}),
        replace(demanding, inputs={**demanding.inputs, "max-age": "0s"}),
    ):
        ran = other.run()
        assert ran.steps["Demand a receipt"] == "failure", ran.log
        assert ran.steps["Migrate"] == "skipped"
    assert not migrated(database)
    # Nothing but that has kept it: the first job has left a receipt that holds.
    ran = demanding.run()
    assert not ran.failed, ran.log
    assert migrated(database)


def test_a_backup_that_fails_is_no_warning(job: Job, bucket: Bucket, database: Database) -> None:
    wrong = job.secrets["DATABASE_URL"].replace(f":{database.server.password}@", ":wrong@")
    assert wrong != job.secrets["DATABASE_URL"]
    ran = replace(job, secrets={**job.secrets, "DATABASE_URL": wrong}).run()
    assert ran.failed
    assert ran.steps["Back up"] == "failure"
    assert ran.steps["Migrate"] == "skipped"
    assert bucket.names() == []
    assert not migrated(database)


def test_a_migration_that_fails_shows_the_way_back(job: Job, bucket: Bucket, slack: Slack) -> None:
    ran = replace(job, inputs={**job.inputs, "command": "echo 'half of it'; false; echo 'the rest'"}).run()
    assert ran.failed
    assert ran.steps["Migrate"] == "failure"
    assert "half of it" in ran.log
    assert "the rest" not in ran.log
    (archive,) = [name for name in bucket.names() if name.endswith(".dump")]
    assert ran.steps["Show the way back"] == "success"
    assert "dbbackup restore" in ran.log
    assert archive in ran.log
    assert "did not succeed" in slack.text
    assert job.secrets["DATABASE_URL"] not in ran.log


@pytest.mark.parametrize("name", ["command", "database", "bucket"])
def test_an_empty_input_is_refused(job: Job, name: str) -> None:
    ran = replace(job, inputs={**job.inputs, name: ""}).run()
    assert ran.failed
    assert f"::error title=Nothing was migrated::The input {name} is empty" in ran.log
    assert ran.steps["Back up"] == "skipped"
    assert ran.steps["Migrate"] == "skipped"


def test_the_preparation_has_no_secret(job: Job) -> None:
    ran = replace(job, inputs={**job.inputs, "prepare": "env; false"}).run()
    assert ran.steps["Prepare"] == "failure"
    assert ran.steps["Back up"] == "skipped"
    assert "DATABASE_URL" not in ran.log
    assert "SLACK_WEBHOOK_URL" not in ran.log


def test_an_input_is_no_part_of_our_script(job: Job, database: Database) -> None:
    name = '"; touch broken; echo "'
    ran = replace(job, inputs={**job.inputs, "backup": False, "database": name}).run()
    assert ran.failed
    assert not (job.workspace / "broken").exists()


def test_the_function_is_asked_where_the_runner_reaches_no_database(job: Job, programs: Path) -> None:
    (programs / "dbbackup").write_text('#!/bin/sh\necho "asked for: $*"\n')
    ran = replace(job, inputs={**job.inputs, "function": "ftry-prod-backup", "command": "true"}).run()
    assert not ran.failed, ran.log
    assert ran.steps["Install the PostgreSQL client"] == "skipped"
    assert (
        f"asked for: guard --function ftry-prod-backup --bucket {job.inputs['bucket']} "
        f"--database {job.inputs['database']} --commit {COMMIT} -- true\n"
    ) in ran.log
