"""Settings of restores to a point in time."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from stacks.settings.base import Group
from stacks.settings.logs import LogRetentionDays
from stacks.settings.refusal import accepted_by, between

_NAME = r"[^\s.\"'][^.\"']{0,62}"


def table_rule(text: str) -> str | None:
    """Rule that the name of a watched table breaks."""
    return None if re.fullmatch(rf"{_NAME}(\.{_NAME})?", text) else "a table is table or schema.table, without quotes"


def column_rule(text: str) -> str | None:
    """Rule that the name of a watched column breaks."""
    return None if re.fullmatch(_NAME, text) else "a column is one name, without quotes and dots"


class WatchedTable(Group):
    """A table whose newest row shows how far the restored data reaches."""

    database: str = Field(min_length=1, description="one of database.names")
    table: Annotated[str, accepted_by(table_rule, fix="write for example public.orders")] = Field(
        description="name of the table, with its schema if that is not in the search path"
    )
    timestamp_column: Annotated[str, accepted_by(column_rule, fix="write for example created_at")] = Field(
        description="column with the time at which a row was written; give it an index if the table is large"
    )


class RestoreSettings(Group):
    """How instances are restored and verified."""

    verify_tables: tuple[WatchedTable, ...] = Field(
        default=(), strict=False, description="tables whose newest rows a verification looks at"
    )
    time_limit_minutes: Annotated[
        int, between(30, 2880, unit="minutes", why="RDS needs a quarter of an hour for the smallest instance")
    ] = Field(default=360, description="minutes until a restore is given up; what is still being made is kept")
    rename_limit_minutes: Annotated[
        int, between(5, 120, unit="minutes", why="a rename takes some minutes, and production is away meanwhile")
    ] = Field(default=30, description="minutes until a promotion is undone")
    objective_minutes: Annotated[
        int, between(15, 2880, unit="minutes", why="the recovery time objective of one instance")
    ] = Field(default=120, description="recovery time objective, which reports compare with")
    keep_failed_instance: bool = Field(
        default=False,
        description="whether what RDS gave up while making it is kept, too; what has served always is",
    )
    scratch_mib: Annotated[int, between(512, 10240, unit="MiB", why="what a Lambda function may have as /tmp")] = Field(
        default=10240, description="room for the archive that a function restores; larger ones are restored elsewhere"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="least level logged")
    log_retention_days: LogRetentionDays = Field(default=90, description="days that logs of restores are kept")
