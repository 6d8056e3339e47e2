"""Settings of the monthly rehearsal."""

from __future__ import annotations

import re
from datetime import timedelta
from math import ceil
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from stacks.settings.base import Group
from stacks.settings.cron import Cron, in_words, longest_gap
from stacks.settings.logs import LogRetentionDays
from stacks.settings.refusal import accepted_by, between, refuse

MOST_MISSING_DAYS: Final = 366


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
        int,
        between(
            2,
            MOST_MISSING_DAYS,
            unit="days",
            why="a month has up to 31 days, and a failed rehearsal is repeated in days",
        ),
    ] = Field(default=35, description="days without a rehearsal that passed until the alarm")
    memory_mib: Annotated[int, between(512, 10240, unit="MiB", why="Lambda's limit")] = Field(
        default=1769, description="memory in MiB for restores of dumps; more memory is more processor"
    )
    scratch_mib: Annotated[int, between(512, 10240, unit="MiB", why="what a Lambda function may have as /tmp")] = Field(
        default=10240, description="room for the dump that is rehearsed; larger ones are rehearsed with dbbackup drill"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="least level logged")
    log_retention_days: LogRetentionDays = Field(default=90, description="days that logs of rehearsals are kept")

    @model_validator(mode="after")
    def _missed_only_when_missing(self) -> Self:
        gap = longest_gap(self.schedule)
        needed = gap + timedelta(minutes=self.time_limit_minutes)
        if self.enabled and needed > timedelta(days=self.missing_days):
            least = ceil(needed / timedelta(days=1))
            raise refuse(
                at="missing_days",
                value=f"{self.missing_days} days, with rehearsals up to {in_words(gap)} apart, {self.schedule}",
                rule="between two rehearsals that pass, and while the second one runs, the alarm must not ring",
                fix="rehearse more often" + (f", or write {least} or more" if least <= MOST_MISSING_DAYS else ""),
            )
        return self

    @model_validator(mode="after")
    def _watched_every_day(self) -> Self:
        gap = longest_gap(self.watch_schedule)
        if self.enabled and gap > timedelta(days=1):
            raise refuse(
                at="watch_schedule",
                value=f"{self.watch_schedule}, up to {in_words(gap)} between two looks",
                rule="each day needs a look: without one, the alarm takes the rehearsal for missing",
                fix="write for example cron(0 7 * * ? *)",
            )
        return self
