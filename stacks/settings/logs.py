"""Retention of logs, which CloudWatch offers in steps."""

from __future__ import annotations

from typing import Annotated, Final

from stacks.settings.refusal import one_of

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

LogRetentionDays = Annotated[int, one_of(*RETENTION_DAYS, why="the days that CloudWatch Logs offers")]
