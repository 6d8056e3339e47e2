"""Leaves a textfile for Prometheus at the end of a local run, where a folder is named; a failure is one warning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from dbbackup.adapters.textfile import TextfileFolder
from dbbackup.assembly import TEXTFILE_VARIABLE
from dbbackup.cli.output import warn
from dbbackup.core.errors import DbBackupError
from dbbackup.core.notification import Notification
from dbbackup.core.pitr_run import RecoveryRun


def write_textfile(notification: Notification, environment: Mapping[str, str]) -> None:
    """Write the file of this run, or say on standard error why not."""
    folder = _folder(environment)
    if folder is None:
        return
    # Most machines have no node_exporter, and need not wait for the library to be imported.
    from dbbackup.core.exposition_run import is_exposed
    from dbbackup.operations.textfile_run import record_run

    if is_exposed(notification):
        _write(lambda: record_run(notification, folder))


def write_recovery(run: RecoveryRun, environment: Mapping[str, str]) -> None:
    """The same of a point-in-time recovery."""
    folder = _folder(environment)
    if folder is None:
        return
    from dbbackup.operations.textfile_run import record_recovery

    _write(lambda: record_recovery(run, folder))


def _folder(environment: Mapping[str, str]) -> TextfileFolder | None:
    named = environment.get(TEXTFILE_VARIABLE, "").strip()
    return TextfileFolder(Path(named)) if named else None


def _write(record: Callable[[], str | None]) -> None:
    try:
        problem = record()
    except DbBackupError as error:
        warn(f"Prometheus was not told ({TEXTFILE_VARIABLE}). {error}")
    except Exception as error:  # noqa: BLE001 - a defect in telling must not turn a backup into a failed run
        warn(f"Prometheus was not told: {type(error).__name__}, which nobody expected.")
    else:
        if problem:
            warn(problem)
