"""Keeps what Prometheus is told of a run, beside what is known of earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from dbbackup.core.exposition import Sample, samples_of, text_of
from dbbackup.core.exposition_pitr import after_recovery, recovery_file_name
from dbbackup.core.exposition_run import after_run, file_name, superseded
from dbbackup.core.notification import Notification
from dbbackup.core.pitr_run import RecoveryRun


class Textfiles(Protocol):
    """A folder that node_exporter reads."""

    def locked(self) -> AbstractContextManager[None]:
        """Let nobody else of us write meanwhile."""

    def read(self, name: str) -> str | None:
        """A file, or None where there is none."""

    def replace(self, name: str, body: bytes) -> None:
        """Put a file in place of the one before, whole or not at all."""

    def remove(self, name: str) -> None:
        """Remove a file, where there is one."""


def record_run(notification: Notification, files: Textfiles) -> str | None:
    """Write the file of a run; returns what should be said about the file before it.

    Raises:
        StorageError: the folder cannot be written to; its files are as they were.
    """
    return _record(file_name(notification), partial(after_run, notification), files, superseded(notification))


def record_recovery(run: RecoveryRun, files: Textfiles) -> str | None:
    """The same of a point-in-time recovery.

    Raises:
        StorageError: the folder cannot be written to; its files are as they were.
    """
    return _record(recovery_file_name(run), partial(after_recovery, run), files)


def _record(
    name: str,
    after: Callable[[Iterable[Sample]], tuple[Sample, ...]],
    files: Textfiles,
    replaced: Iterable[str] = (),
) -> str | None:
    with files.locked():
        before, problem = _samples(name, files.read(name))
        files.replace(name, text_of(after(before)))
        for old in replaced:
            files.remove(old)
    return problem


def _samples(name: str, text: str | None) -> tuple[tuple[Sample, ...], str | None]:
    if text is None:
        return (), None
    try:
        return samples_of(text), None
    except ValueError:
        return (), f"The textfile {name} was damaged and is begun anew: when the last good run was is not known."
