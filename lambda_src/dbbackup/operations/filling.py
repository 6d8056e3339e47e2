"""What a copy is filled from, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.deadline import Deadline
from dbbackup.core.ports import ProgressListener
from dbbackup.core.restore_plan import Plan, RestoreOptions, ServerState


@dataclass(frozen=True, slots=True)
class Filling:
    """What is filled, from what, and how.

    Attributes:
        archive: the file.
        contents: its table of contents.
        plan: what is left out.
        search_paths: of the database, the one to try first at the beginning.
    """

    archive: Path
    contents: TableOfContents
    plan: Plan
    options: RestoreOptions
    server: ServerState
    search_paths: tuple[str, ...]
    deadline: Deadline
    listener: ProgressListener
