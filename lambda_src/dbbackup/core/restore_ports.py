"""What a restore needs of the world, besides a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.deadline import Deadline
from dbbackup.core.fill_order import FillOrder
from dbbackup.core.leftovers import Beside, Mark
from dbbackup.core.ports import Database, Reading
from dbbackup.core.restore_plan import RestoreOptions, ServerState, Skip
from dbbackup.core.restore_rights import Questions, Rights


class Cluster(Protocol):
    """A server whose databases can be created, marked, renamed and dropped."""

    def state(self, target: str, wanted: DatabaseProperties | None = None) -> ServerState:
        """What the server has, the target where it exists, and what it would not give; a new target is as wanted."""

    def lock(self, target: str) -> AbstractContextManager[None]:
        """Be the only restore into this target."""

    def beside(self, target: str) -> Beside:
        """What earlier runs have left beside a target."""

    def names(self) -> list[str]:
        """All databases."""

    def ask(self, name: str, statement: str) -> str | None:
        """The first column of the first row of a question to a database, as text."""

    def create(self, name: str, mark: Mark, properties: DatabaseProperties | None) -> None:
        """Create an empty, marked database that is ours."""

    def properties(self, name: str, recorded: DatabaseProperties | None) -> DatabaseProperties | None:
        """What a database is to be: what it is; what was recorded, where there is none or an empty one."""

    def give_all(self, name: str, properties: DatabaseProperties) -> list[Skip]:
        """Give a database that has its name already all its properties; what was refused."""

    def give_settings(self, name: str, properties: DatabaseProperties) -> list[Skip]:
        """Give a database its settings and security labels; what was refused."""

    def rights(self, questions: Questions) -> Rights:
        """What we may do there."""

    def acting_as(self, roles: Iterable[str]) -> AbstractContextManager[list[Skip]]:
        """Be able to act as these roles; what the server refused to take back, when the context has ended."""

    def remove_acting_role(self, name: str) -> list[Skip]:
        """Give back the memberships of a restore that is gone; what the server refused."""

    def copy_session(self, name: str) -> AbstractContextManager[CopySession]:
        """A session in a copy that is being filled."""

    def create_roles(self, statements: Sequence[str]) -> None:
        """Run statements of a role dump, all or none."""

    def mark(self, name: str, mark: Mark) -> None:
        """Say what a database is."""

    def comment(self, name: str, text: str) -> None:
        """Give a database a comment for people."""

    def drop(self, name: str) -> None:
        """Drop a database, ending whatever is connected to it."""

    def database(self, name: str) -> Database:
        """A database of this server."""

    def answers(self, name: str) -> bool:
        """Whether a database accepts a connection."""

    def swap(
        self, new: str, target: str, old: str | None, *, properties: DatabaseProperties | None, mark: Mark | None
    ) -> list[Skip]:
        """Exchange names in one transaction; what was refused of the properties."""

    def give_back(self, name: str, properties: DatabaseProperties) -> list[Skip]:
        """Make what was replaced its owner's again, without a mark."""


class CopySession(Protocol):
    """A session in a copy that is being filled."""

    def creating_allowed(self, order: FillOrder) -> AbstractContextManager[None]:
        """Let owners create in their objects' schemas until the context ends."""

    def granting_allowed(self, order: FillOrder) -> AbstractContextManager[None]:
        """Let grantors use the schemas of what they have granted until the context ends."""

    def publishing_allowed(self, order: FillOrder) -> AbstractContextManager[None]:
        """Let owners of publications create in the database until the context ends."""

    def execute(self, sql: str) -> str | None:
        """Run statements, all or none; the server's words where it refused."""

    def repeat(self, chunks: Iterator[bytes], copy: bytes, search_path: str) -> str | None:
        """Run the script of one entry; the server's words where it refused."""


class RestoringTools(Protocol):
    """pg_restore on an archive file."""

    @property
    def major(self) -> int:
        """Its major version."""

    def contents(self, archive: Path) -> TableOfContents:
        """The table of contents."""

    def read_archive(self, chunks: Iterable[bytes], deadline: Deadline) -> Reading:
        """List an archive, decompress it to its end, and count its rows."""

    def restore(
        self,
        archive: Path,
        database: str,
        numbers: Sequence[int],
        options: RestoreOptions,
        *,
        jobs: int,
        tablespaces: bool,
        server_major: int,
        on_item: Callable[[], None],
        deadline: Deadline,
    ) -> dict[int, str]:
        """Restore entries into a database; what was said of each that failed."""

    def script(
        self, archive: Path, numbers: Sequence[int], options: RestoreOptions, *, tablespaces: bool
    ) -> AbstractContextManager[Iterator[bytes]]:
        """What would be said to restore these entries, for psql."""
