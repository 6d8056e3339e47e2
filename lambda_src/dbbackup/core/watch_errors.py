"""Failures of the probe. None of them changes anything: it only looks."""

from __future__ import annotations

from dbbackup.core.errors import DbBackupError


class UnreadSettingError(DbBackupError):
    """A setting cannot be read, so nobody knows whether it is as declared."""

    code = "setting-unread"


class ProbeIncompleteError(DbBackupError):
    """The probe could not look at everything; what it saw, it has told."""

    code = "probe-incomplete"
