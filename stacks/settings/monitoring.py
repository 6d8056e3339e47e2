"""Settings of the alarms and of who hears them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from stacks.settings.base import Group
from stacks.settings.refusal import accepted_by, between


def email_rule(text: str) -> str | None:
    """Rule that an address breaks; SNS asks the owner to confirm it, which finds the rest."""
    return None if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) else "an e-mail address is name@domain"


Email = Annotated[str, accepted_by(email_rule, fix="write for example dba@example.com")]


class MonitoringSettings(Group):
    """When somebody is told, and who."""

    emails: tuple[Email, ...] = Field(default=(), strict=False, description="addresses that receive every alarm")
    runbook_base_url: str = Field(
        default="docs/runbooks", min_length=1, description="where alarms send their reader; /<alarm>.md is added"
    )
    missing_backup_hours: Annotated[
        int, between(25, 168, unit="hours", why="24 hours and a run's own duration; CloudWatch sees back a week")
    ] = Field(default=25, description="hours without a verified daily backup until the alarm")
    max_backup_bytes: Annotated[
        int, between(2**20, 5 * 2**40, unit="bytes", why="from an empty database to the largest object in S3")
    ] = Field(default=10 * 2**30, description="size of a backup, in bytes, above which the alarm is raised")
