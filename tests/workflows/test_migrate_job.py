"""The reusable workflow that migrates: without a receipt for this database and this commit, nothing is migrated."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.buckets import Bucket
from tests.support.command import PROGRAM
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
    assert document["status"] == "succeeded"
    assert document["command"]["program"] == "bash"
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
    backup = replace(job, inputs={**job.inputs, "command": "true"}, replaced={**job.replaced, "Migrate": "true"})
    assert not backup.run().failed
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
    # And it holds once.
    ran = demanding.run()
    assert ran.steps["Demand a receipt"] == "failure"
    assert "has run on it already" in ran.log


def test_a_migration_that_failed_is_not_run_again_on_its_backup(job: Job, bucket: Bucket) -> None:
    failing = replace(job, inputs={**job.inputs, "command": "exit 3"})
    assert failing.run().steps["Migrate"] == "failure"
    (receipt,) = [name for name in bucket.names() if name.endswith(".receipt.json")]
    document = json.loads(bucket.body(receipt))
    assert (document["status"], document["command"]["exit_status"]) == ("failed", 3)
    again = replace(failing, inputs={**failing.inputs, "backup": False}).run()
    assert again.steps["Demand a receipt"] == "failure"
    assert "bash has run on it already and failed with exit status 3" in again.log


def test_a_migration_that_is_cancelled_is_ended_recorded_and_leads_back(job: Job, bucket: Bucket) -> None:
    command = "trap 'echo tidied; exit 9' INT; touch began; while :; do sleep 0.05; done"
    ran = replace(
        job,
        inputs={**job.inputs, "command": command},
        cancelled=("Migrate", job.workspace / "began"),
        programs=PROGRAM.parent,
    ).run()
    assert ran.steps["Migrate"] == "cancelled"
    assert "tidied" in ran.log
    (receipt,) = [name for name in bucket.names() if name.endswith(".receipt.json")]
    document = json.loads(bucket.body(receipt))
    assert (document["status"], document["command"]["exit_status"]) == ("failed", 9)
    assert ran.steps["Show the way back"] == "success"
    assert ran.log.count("dbbackup restore") >= 2
    assert ran.steps["Tell Slack"] == "success"


def test_a_migration_of_another_database_than_the_backup_does_not_run(job: Job, database: Database) -> None:
    secrets = {**job.secrets, "DATABASE_URL": job.secrets["DATABASE_URL"] + "_live"}
    ran = replace(job, secrets=secrets).run()
    assert ran.steps["Migrate"] == "failure"
    assert "DATABASE_URL leads the command to the database" in ran.log
    assert not migrated(database)


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


TOKEN = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job", "ACTIONS_ID_TOKEN_REQUEST_URL": "https://token.example"}


def test_neither_preparation_nor_migration_is_shown_where_to_ask_for_the_jobs_token(job: Job) -> None:
    show = 'echo "shown: $(compgen -e | tr "\\n" " ")"'
    outside = {**job.outside, **TOKEN, "AWS_SESSION_TOKEN": "s", "GITHUB_STATE": "f"}
    ran = replace(job, outside=outside, inputs={**job.inputs, "prepare": show, "command": show}).run()
    assert not ran.failed, ran.log
    prepared, migration = [set(line.split()) for line in ran.log.splitlines() if line.startswith("shown: ")]
    assert not {*TOKEN, "GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} & prepared
    assert not {*TOKEN, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} & migration
    assert {"DATABASE_URL", "POSTGRES_DB", "PATH"} <= migration


@pytest.mark.parametrize(
    ("inputs", "repository", "ref"),
    [
        ({}, "acme/recovery", "e" * 40),
        ({"tool-ref": "v1"}, "acme/recovery", "v1"),
        ({"tool-repository": "acme/fork"}, "acme/fork", ""),
        ({"tool-repository": "acme/fork", "tool-ref": "v1"}, "acme/fork", "v1"),
    ],
    ids=["of-the-workflow", "another-commit", "another-repository", "both"],
)
def test_dbbackup_comes_from_the_workflows_own_repository_and_not_from_the_callers(
    job: Job, inputs: dict[str, str], repository: str, ref: str
) -> None:
    ran = replace(job, inputs={**job.inputs, **inputs, "command": ""}).run()
    given = ran.inputs["Check out dbbackup"]
    assert (given["repository"], given["ref"], given["token"]) == (repository, ref, "t")
    private = replace(job, secrets={"TOOL_TOKEN": "of-the-tool"}, inputs={**job.inputs, "command": ""}).run()
    assert private.inputs["Check out dbbackup"]["token"] == "of-the-tool"


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
    where = f"--bucket {job.inputs['bucket']} --database {job.inputs['database']} --commit {COMMIT}"
    assert f"asked for: backup --tier pre-migration --function ftry-prod-backup {where}\n" in ran.log
    assert re.search(
        rf"asked for: guard --receipt latest --max-age 60m .*{where} -- bash -eo pipefail -c true\n", ran.log
    )
