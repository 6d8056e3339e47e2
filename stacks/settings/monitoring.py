"""Settings of the alarms and of who hears them."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from stacks.settings.alert_rehearsal import AlertRehearsalSettings
from stacks.settings.base import Group
from stacks.settings.logs import LogRetentionDays
from stacks.settings.refusal import accepted_by, between, refuse

MOST_HOURS: Final = 168
MOST_WEEKLY_DAYS: Final = 60
MOST_MONTHLY_DAYS: Final = 366


def email_rule(text: str) -> str | None:
    """Rule that an address breaks; SNS asks the owner to confirm it, which finds the rest."""
    return None if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) else "an e-mail address is name@domain"


Email = Annotated[str, accepted_by(email_rule, fix="write for example dba@example.com")]


RUNBOOKS_HERE: Final = "docs/runbooks"
"""Where the runbooks are in this repository; a path, which nobody who reads an alarm can open."""
LONGEST_URL: Final = 500
"""Characters: the description of an alarm has 1024, of which the meaning needs some.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""


def runbooks_rule(text: str) -> str | None:
    """Rule that the place of the runbooks breaks; alarms and messages make a link of it, with a page behind it."""
    if text.rstrip("/") == RUNBOOKS_HERE:
        return None
    if len(text) > LONGEST_URL:
        return f"up to {LONGEST_URL} characters: it is in the description of every alarm, which has room for 1024"
    if re.fullmatch(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?(/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?", text):
        return None
    return "an URL without blanks, user, query or fragment, as /<alarm>.md is put behind it"


def _ratio(number: float) -> float:
    if not 0 < number < 1:
        raise refuse(
            value=number,
            rule="between 0 and 1, neither included: with 0 the alarm never rings, with 1 every second backup rings it",
            fix="write 0.5 to hear of a backup that is less than half of the one before it",
        )
    return number


class InstanceThresholds(Group):
    """When the instance itself is in danger."""

    least_storage_gib: Annotated[
        int, between(1, 65536, unit="GiB", why="with less there is no time to act, and RDS has no more")
    ] = Field(default=5, description="free storage, in GiB, below which the alarm is raised")
    most_cpu_percent: Annotated[int, between(10, 99, unit="percent", why="at 100 the alarm could never be raised")] = (
        Field(default=90, description="use of the processor, for a quarter of an hour, above which the alarm is raised")
    )
    most_connections: Annotated[
        int, between(1, 262143, unit="connections", why="what PostgreSQL takes as max_connections")
    ] = Field(
        default=200,
        description="connections above which the alarm is raised; some 80 percent of max_connections, "
        "which RDS sets by the memory of the class",
    )
    least_memory_mib: Annotated[
        int, between(16, 2**20, unit="MiB", why="below 16 PostgreSQL has been ended already")
    ] = Field(default=128, description="free memory, in MiB, below which the alarm is raised")


class MonitoringSettings(Group):
    """When somebody is told, and who."""

    emails: tuple[Email, ...] = Field(default=(), strict=False, description="addresses that receive every alarm")
    runbook_base_url: Annotated[
        str,
        accepted_by(runbooks_rule, fix="write for example https://github.com/acme/orders/blob/main/docs/runbooks"),
    ] = Field(
        default=RUNBOOKS_HERE,
        description="where alarms send their reader; /<alarm>.md is added; by default the pages in github.repository, "
        "where that is set",
    )
    missing_backup_hours: Annotated[
        int,
        between(
            25,
            MOST_HOURS,
            unit="hours",
            why="24 hours and a run's own duration; daily means no more than a week",
        ),
    ] = Field(default=25, description="age of the newest daily backup, in hours, until the alarm")
    missing_weekly_days: Annotated[
        int,
        between(8, MOST_WEEKLY_DAYS, unit="days", why="7 days and a run's own duration, counted in whole days"),
    ] = Field(default=8, description="age of the newest weekly backup, in days, until the alarm")
    missing_monthly_days: Annotated[
        int,
        between(32, MOST_MONTHLY_DAYS, unit="days", why="a month has up to 31 days, and a run its own duration"),
    ] = Field(default=32, description="age of the newest monthly backup, in days, until the alarm")
    max_backup_bytes: Annotated[
        int, between(2**20, 5 * 2**40, unit="bytes", why="from an empty database to the largest object in S3")
    ] = Field(default=10 * 2**30, description="size of a backup, in bytes, above which the alarm is raised")
    least_size_ratio: Annotated[float, AfterValidator(_ratio)] = Field(
        default=0.5, description="size of a backup by that of the one before it, below which the alarm is raised"
    )
    size_deviations: Annotated[
        int, between(1, 10, unit="standard deviations", why="a wider band holds whatever happens")
    ] = Field(default=3, description="how far a daily backup's size may lie off its own trend")
    slow_backup_percent: Annotated[
        int, between(10, 99, unit="percent", why="at 100 the backup has been given up already")
    ] = Field(
        default=80,
        description="part of the time that a backup has (time-out less deadline margin) until the alarm",
    )
    recovery_point_minutes: Annotated[
        int, between(10, 1440, unit="minutes", why="RDS stores its log every five minutes, and may be one behind")
    ] = Field(default=15, description="distance of the latest restorable time, in minutes, until the alarm")
    instance: InstanceThresholds = InstanceThresholds()
    alert_rehearsal: AlertRehearsalSettings = AlertRehearsalSettings()
    log_retention_days: LogRetentionDays = Field(default=90, description="days that the probe's log is kept")
