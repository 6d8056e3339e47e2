"""All failures by their code, to find the one that another process has named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dbbackup.core import errors, pitr_errors, receipt_errors, watch_errors, webhook
from dbbackup.core.errors import DbBackupError

_DEFINED_IN: Final = (errors, pitr_errors, receipt_errors, watch_errors, webhook)


def _kinds() -> Iterator[type[DbBackupError]]:
    for module in _DEFINED_IN:
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, DbBackupError):
                yield kind


ERRORS: Final[Mapping[str, type[DbBackupError]]] = {kind.code: kind for kind in _kinds()}
"""Every kind of failure that a function or an execution can end with."""
