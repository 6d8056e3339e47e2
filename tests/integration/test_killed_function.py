"""A function that is killed in the middle of its work has counted that it began, and gives no verdict."""

from __future__ import annotations

import os

from dbbackup.contract import HANDLER_BACKUP, Metric, Tier, metric_dimensions
from devtools.local_lambda import RunningInvocation
from tests.support.function import EVENT, Function


def test_a_killed_run_has_told_that_it_began_and_nothing_after_it(function: Function) -> None:
    with function.database.connect() as other, other.transaction():
        other.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")  # the dump waits for it
        # In a quarter of a minute it would give up in order: what it holds back until then is told too late.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        running = RunningInvocation(HANDLER_BACKUP, EVENT, environment, 75)
        assert running.process.stdout is not None
        began = next(line for line in running.process.stdout if Metric.BACKUP_STARTED.value in line)
        running.process.kill()
        ended = running.finish()
    assert ended.answer is None
    assert all(name in began for name in metric_dimensions("test", function.database.name, Tier.DAILY).values())
    assert ended.metric(Metric.BACKUP_FAILURE) is None
    assert function.bucket.names() == []
