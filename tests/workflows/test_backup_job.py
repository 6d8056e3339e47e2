"""The scheduled backup of GitHub Actions, its steps run against a real PostgreSQL and a local AWS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.buckets import Bucket
from tests.support.databases import Database
from tests.workflows.conftest import Slack
from tests.workflows.job import Job

INSTALL = "Install the PostgreSQL client"
TELL = "Tell Slack what dbbackup has not told"


@pytest.fixture
def job(checkout: Path, bucket: Bucket, programs: Path, database: Database, slack: Slack) -> Job:
    """The job as the schedule starts it, with every secret and a role."""
    values = database.environment()
    return Job(
        "backup-database",
        checkout,
        outside=bucket.aws.environment(),
        secrets={
            "POSTGRES_HOST": values["POSTGRES_HOST"],
            "POSTGRES_USER": values["POSTGRES_USER"],
            "POSTGRES_PASSWORD": values["POSTGRES_PASSWORD"],
            "POSTGRES_DB": values["POSTGRES_DB"],
            "S3_BACKUP_BUCKET": bucket.name,
            "SLACK_WEBHOOK_URL": slack.url,
        },
        variables={
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/backup",
            "POSTGRES_PORT": values["POSTGRES_PORT"],
            "PGSSLMODE": "disable",
        },
        github={"event": {"schedule": "0 2 * * *"}},
        programs=programs,
        replaced={
            "Install dbbackup": "true",
            INSTALL: f"echo PG_BINDIR={database.server.bindir} >>$GITHUB_ENV",
        },
    )


def test_the_schedule_leaves_a_verified_daily_backup(job: Job, bucket: Bucket, database: Database) -> None:
    ran = job.run()
    assert not ran.failed, ran.log
    (archive,) = [name for name in bucket.names() if name.endswith(".dump")]
    assert archive.startswith(f"daily/{database.name}_backup_")
    assert f"{archive.removesuffix('.dump')}.manifest.json" in bucket.names()
    assert f"Verified: s3://{bucket.name}/{archive}" in ran.summary
    assert ran.steps[TELL] == "skipped"
    assert ran.inputs["Assume the role"]["role-to-assume"] == job.variables["AWS_ROLE_ARN"]
    assert ran.steps["Use the keys"] == "skipped"


@pytest.mark.parametrize(
    ("event", "inputs", "tier"),
    [
        ({"schedule": "0 3 * * SUN"}, {}, "weekly"),
        ({"schedule": "0 4 1 * *"}, {}, "monthly"),
        ({}, {"tier": "pre-migration"}, "pre-migration"),
    ],
)
def test_the_tier_is_that_of_the_schedule_or_the_person(
    job: Job, programs: Path, event: dict[str, str], inputs: dict[str, str], tier: str
) -> None:
    (programs / "dbbackup").write_text('#!/bin/sh\necho "asked for: $*" >&2\nexit 1\n')
    ran = replace(job, github={"event": event}, inputs=inputs).run()
    assert f"asked for: backup --json --tier {tier} --bucket {job.secrets['S3_BACKUP_BUCKET']}" in ran.log


def test_a_url_and_stored_keys_do_as_well(job: Job, bucket: Bucket, database: Database) -> None:
    values = database.environment()
    url = (
        f"postgresql://{values['POSTGRES_USER']}:{values['POSTGRES_PASSWORD']}"
        f"@{values['POSTGRES_HOST']}:{values['POSTGRES_PORT']}/{values['POSTGRES_DB']}"
    )
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "the key's secret"}
    ran = replace(
        job,
        secrets={"DATABASE_URL": url, "S3_BACKUP_BUCKET": bucket.name, **keys},
        variables={"PGSSLMODE": "disable", "AWS_REGION": "eu-central-1"},
    ).run()
    assert not ran.failed, ran.log
    assert len([name for name in bucket.names() if name.endswith(".dump")]) == 1
    assert ran.steps["Assume the role"] == "skipped"
    given = ran.inputs["Use the keys"]
    assert given["aws-secret-access-key"] == keys["AWS_SECRET_ACCESS_KEY"]
    assert given["aws-region"] == "eu-central-1"


def test_a_wrong_password_fails_the_job_and_slack_hears_it_once(job: Job, bucket: Bucket, slack: Slack) -> None:
    wrong = "a wrong password"
    ran = replace(job, secrets={**job.secrets, "POSTGRES_PASSWORD": wrong}).run()
    assert ran.failed
    assert ran.steps["Back up"] == "failure"
    assert ran.steps["Verify what a restore would find"] == "skipped"
    assert "the server refused the password" in ran.log
    assert bucket.names() == []
    assert len(slack.messages) == 1, slack.text
    assert "the server refused the password" in slack.text
    for secret in (wrong, slack.url, "the-secret-of-the-webhook"):
        assert secret not in ran.log
        assert secret not in slack.text


def test_a_failed_installation_fails_the_job_and_slack_hears_it(job: Job, bucket: Bucket, slack: Slack) -> None:
    ran = replace(job, replaced={**job.replaced, INSTALL: "echo 'no such package' >&2; exit 100"}).run()
    assert ran.failed
    assert ran.steps["Back up"] == "skipped"
    assert bucket.names() == []
    (message,) = slack.messages
    assert "*daily backup by GitHub Actions did not succeed*" in message["text"]
    assert "https://github.com/ftry/ftry/actions/runs/4711" in message["text"]
    assert slack.url not in ran.log


def test_what_dbbackup_refuses_is_told_once(job: Job, slack: Slack) -> None:
    """A schedule has nobody who reads the terminal, so dbbackup tells it, and the job has nothing to add."""
    url = "mysql://ftry:the-password-in-it@localhost/ftry"
    ran = replace(job, secrets={**job.secrets, "DATABASE_URL": url}).run()
    assert ran.failed
    assert "does not begin with postgresql://" in ran.log
    assert len(slack.messages) == 1, slack.text
    assert "does not begin with postgresql://" in slack.text
    assert "the-password-in-it" not in ran.log + slack.text


@pytest.mark.parametrize(
    ("kind", "lacking", "said"),
    [
        ("secrets", ["S3_BACKUP_BUCKET"], "S3_BACKUP_BUCKET is not set"),
        ("secrets", ["POSTGRES_PASSWORD"], "DATABASE_URL (or all of POSTGRES_HOST"),
        ("variables", ["AWS_ROLE_ARN"], "AWS_ROLE_ARN (or AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_missing_setting_fails_the_job_before_anything_is_installed(
    job: Job, bucket: Bucket, slack: Slack, kind: str, lacking: list[str], said: str
) -> None:
    given = {"secrets": job.secrets, "variables": job.variables}
    given[kind] = {name: value for name, value in given[kind].items() if name not in lacking}
    ran = replace(job, secrets=given["secrets"], variables=given["variables"]).run()
    assert ran.failed
    assert f"::error title=Nothing was backed up::{said}" in ran.log
    assert ran.steps["Install dbbackup"] == "skipped"
    assert bucket.names() == []
    assert len(slack.messages) == 1
    assert not (job.workspace / "backups").exists()


def test_a_backup_that_a_restore_would_not_take_fails_the_job(job: Job, bucket: Bucket, slack: Slack) -> None:
    """What lies in the bucket as the newest is not what was made."""
    first = job.run()
    assert not first.failed
    claim = _CLAIMS_ANOTHER.format(made=first.temporary / "backup.json", bucket=bucket.name)
    ran = replace(job, replaced={**job.replaced, "Back up": claim}).run()
    assert ran.steps["Verify what a restore would find"] == "failure", ran.log
    assert "::error title=Another backup is the latest::" in ran.log
    assert "did not succeed" in slack.messages[-1]["text"]


_CLAIMS_ANOTHER = """
sed 's|"location": "s3://{bucket}/daily/|&another_|' {made} >"$RUNNER_TEMP/backup.json"
echo status=0 >>"$GITHUB_OUTPUT"
"""
