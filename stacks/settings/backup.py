"""Settings of the backup function and its schedules."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.settings.base import Group
from stacks.settings.cron import Cron
from stacks.settings.database import OLDEST_MAJOR
from stacks.settings.logs import LogRetentionDays
from stacks.settings.refusal import between, refuse


class ScheduleSettings(Group):
    """When each scheduled tier runs, in UTC."""

    daily: Cron = "cron(0 2 * * ? *)"
    weekly: Cron = "cron(0 3 ? * SUN *)"
    monthly: Cron = "cron(0 4 1 * ? *)"


class BackupSettings(Group):
    """The function that makes backups."""

    client_major: Annotated[
        int, between(OLDEST_MAJOR, 99, unit="(major version)", why="older clients are no longer maintained")
    ] = Field(default=18, description="major version of pg_dump in the image; at least the engine's")
    architecture: Literal["arm64", "x86_64"] = Field(default="arm64", description="processor; arm64 costs a fifth less")
    memory_mib: Annotated[int, between(512, 10240, unit="MiB", why="Lambda's limit, and what pg_dump needs")] = Field(
        default=1769, description="memory in MiB; Lambda gives one full vCPU at 1769, and compression uses it"
    )
    timeout_seconds: Annotated[int, between(60, 900, unit="seconds", why="Lambda ends every run after 15 minutes")] = (
        Field(default=900, description="seconds until Lambda ends a run")
    )
    deadline_margin_seconds: Annotated[
        int, between(10, 300, unit="seconds", why="an upload is aborted in that time, and the rest is for the dump")
    ] = Field(default=60, description="seconds before the time-out at which an unfinished backup is aborted in order")
    reserved_concurrency: Annotated[
        int, between(1, 100, unit="runs at once", why="with 0 no backup would ever run")
    ] = Field(
        default=2,
        description="runs at once, kept free for backups; further events wait in Lambda's queue. "
        "An account whose quota is still 10 must ask AWS for more before it can reserve any",
    )
    max_event_age_seconds: Annotated[int, between(60, 21600, unit="seconds", why="Lambda's limit")] = Field(
        default=10800, description="seconds that an event waits for a free run before it goes to the dead-letter queue"
    )
    retry_attempts: Annotated[int, between(0, 2, unit="retries", why="Lambda's limit for asynchronous events")] = Field(
        default=2, description="further tries after a failed run; the same event never makes a second backup"
    )
    compression: Literal["auto", "zstd", "gzip"] = Field(
        default="auto", description="auto takes zstd where the client has it, else gzip"
    )
    compression_level: Annotated[int, between(1, 22, unit="(level)", why="what zstd takes; gzip ends at 9")] = Field(
        default=9, description="compression level"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="least level logged")
    log_retention_days: LogRetentionDays = Field(default=90, description="days that the function's log is kept")
    schedules: ScheduleSettings = ScheduleSettings()

    @property
    def longest_backup_seconds(self) -> int:
        """Seconds after which an unfinished backup is given up: no backup that is made has taken longer."""
        return self.timeout_seconds - self.deadline_margin_seconds

    @model_validator(mode="after")
    def _level_fits(self) -> Self:
        if self.compression != "zstd" and self.compression_level > 9:
            raise refuse(
                at="compression_level",
                value=f"{self.compression_level} with {self.compression}",
                rule="gzip has levels 1 to 9, and auto may fall back to it",
                fix="write 9 or less, or set compression to zstd",
            )
        return self

    @model_validator(mode="after")
    def _time_for_the_dump(self) -> Self:
        if self.deadline_margin_seconds * 2 > self.timeout_seconds:
            raise refuse(
                at="deadline_margin_seconds",
                value=f"{self.deadline_margin_seconds} of {self.timeout_seconds} seconds",
                rule="at least half of the time is for the dump",
                fix=f"write {self.timeout_seconds // 2} or less, or lengthen timeout_seconds",
            )
        return self
