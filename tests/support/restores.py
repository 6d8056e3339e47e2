"""A target with something in it, a backup that holds something else, and our command between them."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.cli.main import app
from dbbackup.cli.output import report_failure
from dbbackup.core.errors import DbBackupError
from dbbackup.core.leftovers import parse_mark
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import manifest_key, roles_key
from tests.support import comparison
from tests.support.backups import take
from tests.support.command import Ended
from tests.support.databases import Database

SAVED = """
    CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL, note text);
    CREATE TABLE purchase (id int PRIMARY KEY, customer_id int REFERENCES customer, amount numeric CHECK (amount > 0));
    CREATE INDEX ON purchase (customer_id);
    CREATE SEQUENCE counter; SELECT setval('counter', 41);
    CREATE SCHEMA archive; CREATE TABLE archive.event (id int, body text);
    INSERT INTO customer SELECT n, 'saved ' || n, md5(n::text) FROM generate_series(1, 40) n;
    INSERT INTO purchase SELECT n, n % 40 + 1, n FROM generate_series(1, 300) n;
    INSERT INTO archive.event SELECT n, 'event' FROM generate_series(1, 7) n;
    CREATE VIEW big AS SELECT * FROM purchase WHERE amount > 100
"""
PRESENT = "CREATE TABLE customer (id int, name text); INSERT INTO customer VALUES (1, 'present'), (2, 'present')"


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def cli(*arguments: str | Path, environment: Mapping[str, str]) -> Ended:
    """Run the command in our own process, which saves its start; there is no terminal."""
    words = [str(argument) for argument in arguments]
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with _environment(environment), redirect_stdout(out), redirect_stderr(err):
        try:
            app(words, prog_name="dbbackup")
        except SystemExit as end:
            status = int(end.code or 0)
        except DbBackupError as error:
            report_failure(error, as_json="--json" in words)
            status = error.exit_status
    return Ended(status, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Saved:
    """A backup in a folder."""

    folder: Path
    manifest: Manifest
    content: dict[tuple[str, str], tuple[int, str]]

    @property
    def archive(self) -> Path:
        """The archive's file."""
        return self.folder / self.manifest.archive.key

    @property
    def manifest_file(self) -> Path:
        """The manifest's file."""
        return self.folder / manifest_key(self.manifest.archive.key)

    @property
    def roles_file(self) -> Path:
        """The role dump's file."""
        return self.folder / roles_key(self.manifest.archive.key)

    def copy_to(self, folder: Path) -> Saved:
        """The same backup in another folder."""
        folder.mkdir(exist_ok=True)
        for file in (self.archive, self.manifest_file, self.roles_file):
            shutil.copy(file, folder)
        return Saved(folder, self.manifest, self.content)

    def rewrite(self, **changes: Any) -> None:
        """Tamper with the manifest."""
        self.manifest_file.write_bytes(self.manifest.model_copy(update=changes).to_bytes())


def save(database: Database, folder: Path) -> Saved:
    """Back a database up into a folder, and remember what it held."""
    outcome = take(database, DirectoryStore(folder))
    return Saved(folder, outcome.manifest, comparison.contents(database))


@dataclass(frozen=True)
class Scene:
    """A target, what it holds, and a backup of something else."""

    target: Database
    saved: Saved
    present: dict[tuple[str, str], tuple[int, str]]

    @property
    def environment(self) -> dict[str, str]:
        """How a person points the command at the target."""
        return self.target.environment()

    def restore(self, *options: str | Path, **environment: str) -> Ended:
        """Restore the backup; what is not said is the target of the environment, without questions."""
        script = self.saved.folder / "not_restored.sql"
        arguments = ("restore", self.saved.archive, "--yes", "--jobs", "1", "--script", script, *options)
        return cli(*arguments, environment={**self.environment, **environment})

    def resume(self, *options: str) -> Ended:
        """Go on after a restore that was stopped."""
        return cli("restore", "--resume", *options, environment=self.environment)

    def is_as_it_was(self) -> bool:
        """Whether the target answers and holds what it held."""
        return comparison.contents(self.target) == self.present

    def is_restored(self) -> bool:
        """Whether the target answers and holds what the backup holds."""
        return comparison.contents(self.target) == self.saved.content

    def databases(self) -> list[str]:
        """All databases of the server."""
        return names(self.target)

    def beside(self) -> dict[str, str]:
        """Databases beside the target, and the state in their mark (empty without one)."""
        with self.target.server.connect() as connection:
            found = connection.execute("SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database")
            rows = found.fetchall()
        prefix = f"{self.target.name}__dbbackup_"
        return {
            name: mark.state.value if (mark := parse_mark(comment)) else ""
            for name, comment in rows
            if name.startswith(prefix) or ((mark := parse_mark(comment)) and mark.target == self.target.name)
        }

    def remove_kept(self, ended: Ended) -> None:
        """A resumption that put the copy in place keeps what was there, whole, and says where; then it may go."""
        ((kept, state),) = self.beside().items()
        assert state == "", "no later run may remove it"
        assert kept in ended.out
        assert comparison.contents(Database(self.target.server, kept)) == self.present
        self.target.server.execute(f'DROP DATABASE "{kept}"')


def names(database: Database) -> list[str]:
    """All databases of a server."""
    listed = database.server.value("SELECT array_agg(datname::text ORDER BY datname) FROM pg_database")
    return list(listed)
