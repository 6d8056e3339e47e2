"""Settings of the monthly rehearsal."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from stacks.settings.backup import Cron
from stacks.settings.base import Group
from stacks.settings.logs import LogRetentionDays
from stacks.settings.refusal import accepted_by, between


def instance_class_rule(text: str) -> str | None:
    """Rule that an instance class breaks."""
    return None if re.fullmatch(r"db\.[a-z0-9-]+\.[a-z0-9-]+", text) else "an instance class is db.FAMILY.SIZE"


def statement_rule(text: str) -> str | None:
    """Rule that the statement of a check breaks."""
    if re.fullmatch(r"(?is)\s*(select|with|values|table)\b.*", text) and len(text) <= 2000:
        return None
    return "a check asks one question: it begins with SELECT (or WITH, VALUES, TABLE) and has up to 2000 characters"


class RehearsalCheck(Group):
    """A question that each restored database must answer with true, a number above zero, or a text."""

    database: str = Field(min_length=1, description="one of database.names")
    name: str = Field(min_length=1, max_length=100, description="what the evidence calls it")
    statement: Annotated[str, accepted_by(statement_rule, fix="write for example SELECT count(*) FROM orders")] = Field(
        description="one query; it runs read-only, on the temporary instance"
    )


class RehearsalSettings(Group):
    """When the way back is rehearsed, and with what."""

    enabled: bool = Field(default=True, description="whether there are rehearsals; without, nothing proves the backups")
    # Two hours after the monthly dump, cron(0 4 1 * ? *), so that the two do not collide.
    schedule: Cron = Field(default="cron(0 6 1 * ? *)", description="when a rehearsal begins, in UTC")
    watch_schedule: Cron = Field(default="cron(0 7 * * ? *)", description="when the daily watch looks, in UTC")
    instance_class: (
        Annotated[str, accepted_by(instance_class_rule, fix="write for example db.t4g.small, or leave it out")] | None
    ) = Field(
        default=None,
        description="class of the temporary instance; leave out for production's, whose recovery time is then measured",
    )
    checks: tuple[RehearsalCheck, ...] = Field(
        default=(), strict=False, description="questions to both restored databases"
    )
    time_limit_minutes: Annotated[
        int, between(30, 2880, unit="minutes", why="RDS needs a quarter of an hour for the smallest instance")
    ] = Field(default=240, description="minutes until the temporary instance is given up and removed")
    missing_days: Annotated[
        int, between(2, 366, unit="days", why="a month has up to 31 days, and a failed rehearsal is repeated in days")
    ] = Field(default=35, description="days without a rehearsal that passed until the alarm")
    memory_mib: Annotated[int, between(512, 10240, unit="MiB", why="Lambda's limit")] = Field(
        default=1769, description="memory in MiB for restores of dumps; more memory is more processor"
    )
    scratch_mib: Annotated[int, between(512, 10240, unit="MiB", why="what a Lambda function may have as /tmp")] = Field(
        default=10240, description="room for the dump that is rehearsed; larger ones are rehearsed with dbbackup drill"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="least level logged")
    log_retention_days: LogRetentionDays = Field(default=90, description="days that logs of rehearsals are kept")
