"""Where a reader goes on: pages of the AWS console, and runbooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from dbbackup.contract_notification import Kind


@dataclass(frozen=True, slots=True)
class LogPlace:
    """One line of a log in CloudWatch.

    Attributes:
        milliseconds: when it was written, since 1970.
    """

    group: str
    stream: str
    milliseconds: int


RUNBOOKS: Final = {
    Kind.BACKUP: "backup-failed",
    Kind.RESTORE: "restore",
    Kind.RECOVERY: "point-in-time-recovery",
    Kind.PROMOTION: "promote",
    Kind.REHEARSAL: "rehearsal-failed",
}
"""What to read when work of a kind has failed."""
RUNBOOKS_BY_ERROR: Final = {
    (Kind.BACKUP, "verification-failed"): "verification-failed",
    (Kind.BACKUP, "deadline"): "backup-too-slow",
}
"""What to read instead where the error says more than the kind of work."""
RDS_EVENTS: Final = "rds-events"
"""What to read of an event of RDS itself."""


def runbook(base: str, kind: Kind, error: str) -> str:
    """Where the runbook of a failure is read."""
    return f"{base.rstrip('/')}/{RUNBOOKS_BY_ERROR.get((kind, error), RUNBOOKS[kind])}.md"


def page_of(base: str | None, page: str) -> str | None:
    """Where a page of the runbooks is read; None where nobody said where they are."""
    return f"{base.rstrip('/')}/{page}.md" if base else None


def console(region: str) -> str:
    """The console of a region's partition.

    https://docs.aws.amazon.com/general/latest/gr/rande.html
    """
    if region.startswith("cn-"):
        return f"https://{region}.console.amazonaws.cn"
    if region.startswith("us-gov-"):
        return f"https://{region}.console.amazonaws-us-gov.com"
    return f"https://{region}.console.aws.amazon.com"


def object_page(location: str | None, region: str | None) -> str | None:
    """The page of an object of S3; None for a path, or where the region is not known."""
    if not location or not region or not location.startswith("s3://"):
        return None
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return f"{console(region)}/s3/object/{quote(bucket)}?region={region}&prefix={quote(key, safe='/')}"


def log_page(place: LogPlace | None, region: str | None) -> str | None:
    """The page of a line of a log; None where it is not known."""
    if place is None or not region:
        return None
    return (
        f"{console(region)}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{_twice(place.group)}"
        f"/log-events/{_twice(place.stream)}$3Fstart$3D{place.milliseconds}"
    )


def execution_page(arn: str | None) -> str | None:
    """The page of an execution of a state machine, with its steps and the log of each; None where this is none."""
    parts = (arn or "").split(":")
    if len(parts) < 8 or parts[2] != "states" or parts[5] != "execution":
        return None
    return f"{console(parts[3])}/states/home?region={parts[3]}#/v2/executions/details/{quote(':'.join(parts), ':')}"


def alarm_page(name: str, region: str | None) -> str | None:
    """The page of an alarm."""
    return (
        f"{console(region)}/cloudwatch/home?region={region}#alarmsV2:alarm/{quote(name, safe='')}" if region else None
    )


def _twice(text: str) -> str:
    # The console wants what is behind its # quoted twice, with $ for the second %.
    return quote(quote(text, safe=""), safe="").replace("%", "$")
