"""What a point-in-time recovery leaves for Prometheus: how it ended, and still what the last good one was."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from dbbackup.core.exposition import Sample
from dbbackup.core.exposition_names import RECOVERY, RUN
from dbbackup.core.exposition_run import SUFFIX
from dbbackup.core.pitr_run import RecoveryRun


def recovery_file_name(run: RecoveryRun) -> str:
    """The file of a system and an operation: runs of others never touch it."""
    return f"dbbackup_pitr_{quote(run.system, safe='')}_{run.operation}{SUFFIX}"


def after_recovery(run: RecoveryRun, before: Iterable[Sample]) -> tuple[Sample, ...]:
    """The samples of a file after a run; as they were where they tell of a later one, as somebody may ask for old ones.

    Args:
        run: how it ended.
        before: the samples that the file has.
    """
    kept = {sample.family: sample for sample in before}
    if RECOVERY.last_run in kept and kept[RECOVERY.last_run].value > run.at.timestamp():
        return tuple(kept.values())
    labels = (run.system, run.operation, RUN)
    passed = run.error is None
    ended = [
        Sample(RECOVERY.last_run, labels, run.at.timestamp()),
        Sample(RECOVERY.last_run_success, labels, float(passed)),
    ]
    if run.error is not None:
        of_last = (RECOVERY.last_run, RECOVERY.last_run_success, RECOVERY.failure)
        good = [sample for family, sample in kept.items() if family not in of_last]
        return (*ended, Sample(RECOVERY.failure, (*labels, run.error), 1.0), *good)
    values = (
        (RECOVERY.last_success, run.at.timestamp()),
        (RECOVERY.duration, run.duration_seconds),
        (RECOVERY.recovery_time, run.recovery_time_seconds),
        (RECOVERY.recovery_point, run.recovery_point.timestamp() if run.recovery_point else None),
        (RECOVERY.recovery_point_age, run.recovery_point_age_seconds),
        (RECOVERY.differences, run.differences),
    )
    return (*ended, *(Sample(family, labels, float(value)) for family, value in values if value is not None))
