"""What a restore needs of the world, besides a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from dbbackup.core.deadline import Deadline
from dbbackup.core.leftovers import Leftover, Mark
from dbbackup.core.manifest import Source
from dbbackup.core.ports import Database, Reading
from dbbackup.core.restore_plan import Plan, RestoreOptions, ServerState
from dbbackup.core.restore_script import Needs
from dbbackup.core.toc import TableOfContents


class Cluster(Protocol):
    """A server whose databases can be created, marked, renamed and dropped."""

    def state(self, target: str) -> ServerState:
        """What the server has, and the target where it exists."""

    def lock(self, target: str) -> AbstractContextManager[None]:
        """Be the only restore into this target."""

    def leftovers(self, target: str) -> list[Leftover]:
        """Databases that earlier runs have left beside a target."""

    def names(self) -> list[str]:
        """All databases."""

    def ask(self, name: str, statement: str) -> str | None:
        """The first column of the first row of a question to a database, as text."""

    def create(self, name: str, mark: Mark, *, like: str | None, source: Source | None) -> None:
        """Create an empty, marked database."""

    def copy_properties(self, source: str, name: str) -> None:
        """Give a database the settings, grants and connection limit of another."""

    def create_roles(self, statements: list[str]) -> None:
        """Run statements of a role dump, all or none."""

    def mark(self, name: str, mark: Mark) -> None:
        """Say what a database is."""

    def drop(self, name: str) -> None:
        """Drop a database, ending whatever is connected to it."""

    def database(self, name: str) -> Database:
        """A database of this server."""

    def answers(self, name: str) -> bool:
        """Whether a database accepts a connection."""

    def swap(self, new: str, target: str, old: str | None, *, backup: str, keep_old: bool) -> None:
        """Exchange names in one transaction."""


class RestoringTools(Protocol):
    """pg_restore on an archive file."""

    @property
    def major(self) -> int:
        """Its major version."""

    def contents(self, archive: Path) -> TableOfContents:
        """The table of contents."""

    def read_archive(self, chunks: Iterable[bytes], deadline: Deadline) -> Reading:
        """List an archive, decompress it to its end, and count its rows."""

    def needs(self, archive: Path) -> Needs:
        """Roles and tablespaces that the structure refers to."""

    def restore(
        self,
        archive: Path,
        database: str,
        plan: Plan,
        options: RestoreOptions,
        on_item: Callable[[], None],
        deadline: Deadline,
    ) -> None:
        """Fill an empty database."""
