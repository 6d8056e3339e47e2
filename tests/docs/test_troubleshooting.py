"""What the troubleshooting page says that is printed is printed."""

from __future__ import annotations

import inspect
import io
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import boto3
import pytest

from dbbackup.adapters.told_to_stop import ToldToStop
from dbbackup.cli.output import report_failure
from dbbackup.core import errors
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import DbBackupError, Explained, InterruptedRunError
from devtools.postgres import PREVIOUS, Server, free_port, package_bindir
from tests.docs.commands import ROOT
from tests.support.archives import damage
from tests.support.backups import take
from tests.support.bindirs import with_program
from tests.support.buckets import Bucket
from tests.support.command import Ended
from tests.support.databases import Database, DatabaseMaker
from tests.support.function import deploy
from tests.support.restores import cli, save

PAGE: Final = ROOT / "docs" / "troubleshooting.md"
NAME: Final = "ftry"
KEY: Final = "ftry_backup_20250111_143025.dump"


@dataclass(frozen=True)
class Place:
    """A database, and a folder for its backups."""

    database: Database
    folder: Path
    patch: pytest.MonkeyPatch
    request: pytest.FixtureRequest

    @property
    def bucket(self) -> Bucket:
        """A bucket, made for those cases that need one."""
        made: Bucket = self.request.getfixturevalue("bucket")
        return made

    def run(self, *words: str | Path, **changes: str) -> Ended:
        """Run the command against the database."""
        return cli(*words, environment={**self.database.environment(), **changes})

    def back_up(self, **changes: str) -> Ended:
        """The plainest backup."""
        return self.run("backup", "--directory", self.folder, **changes)

    def saved(self) -> Path:
        """An archive in the folder."""
        return save(self.database, self.folder).archive


@pytest.fixture
def place(
    new_database: DatabaseMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Place:
    made = new_database(NAME)
    made.execute("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1,'a'),(2,'b'),(3,'c')")
    monkeypatch.chdir(tmp_path)
    return Place(made, tmp_path / "backups", monkeypatch, request)


def _told(work: Callable[[], object]) -> Ended:
    """What a function's failure looks like, in the form of the command."""
    said = io.StringIO()
    try:
        work()
    except (DbBackupError, InterruptedRunError) as error:
        with redirect_stderr(said):
            report_failure(error, as_json=False)
        return Ended(error.exit_status, "", said.getvalue())
    raise AssertionError("it did not fail")


def _refused(place: Place) -> Ended:
    return place.back_up(POSTGRES_PORT=str(free_port()))


def _password(place: Place) -> Ended:
    return place.back_up(POSTGRES_PASSWORD="wrong")


def _no_database(place: Place) -> Ended:
    return place.back_up(POSTGRES_DB="fty")


def _no_tls(place: Place) -> Ended:
    return place.back_up(PGSSLMODE="require")


def _credentials(place: Place) -> Ended:
    function = deploy(place.bucket, place.database, place.patch)
    function.store_secret("{}")
    return _told(function.invoke)


def _disk_full(place: Place) -> Ended:
    from dbbackup.adapters import directory_store

    def full(_file: object, _chunk: bytes) -> None:
        with directory_store._translated("writing", place.folder / f".{KEY}.4711.partial"):
            raise OSError(28, "No space left on device")

    place.patch.setattr(directory_store.FileWriter, "write", full)
    return place.back_up()


def _role(place: Place) -> Ended:
    place.database.superuser.execute("CREATE ROLE ftry_app; ALTER TABLE item OWNER TO ftry_app")
    archive = place.saved()
    place.database.superuser.execute("DROP OWNED BY ftry_app; DROP ROLE ftry_app")
    return place.run("restore", archive, "--yes")


def _not_confirmed(place: Place) -> Ended:
    return place.run("restore", place.saved())


def _restore_failed(place: Place) -> Ended:
    place.database.execute(
        "CREATE FUNCTION fails(n int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN "
        "IF current_database() ~ '__dbbackup_new_' THEN RAISE disk_full USING MESSAGE = "
        "'could not extend file: No space left on device'; END IF; RETURN true; END $$; "
        "CREATE TABLE purchase (id int CHECK (fails(id))); INSERT INTO purchase VALUES (1)"
    )
    return place.run("restore", place.saved(), "--yes", "--jobs", "1")


def _incomplete(place: Place) -> Ended:
    place.database.execute(
        "CREATE TABLE word (id int, name text); INSERT INTO word VALUES (1, 'a'); "
        "CREATE FUNCTION shout(t text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT upper(t)'; "
        "CREATE INDEX loud ON word (shout(name)); "
        "CREATE OR REPLACE FUNCTION shout(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS "
        "'BEGIN RETURN (SELECT name FROM gone); END'"
    )
    script = place.folder.parent / "not_restored.sql"
    return place.run("restore", place.saved(), "--yes", "--jobs", "1", "--script", script)


def _restore_in_progress(place: Place) -> Ended:
    from dbbackup.adapters.postgres_cluster import open_cluster

    archive = place.saved()
    with open_cluster(place.database.parameters) as first, first.lock(NAME):
        return place.run("restore", archive, "--yes")


def _no_tools(place: Place) -> Ended:
    return place.back_up(PG_BINDIR="/usr/lib/postgresql/20/bin")


def _too_new(place: Place) -> Ended:
    return place.back_up(PG_BINDIR=str(package_bindir(PREVIOUS)))


def _in_progress(place: Place) -> Ended:
    with place.database.source().session("backup daily") as first:
        first.lock(0, Deadline())
        return place.run("backup", "--wait", "0", "--directory", place.folder)


def _rights(place: Place) -> Ended:
    reader = "ftry_reader"
    place.database.execute(f"CREATE ROLE {reader} LOGIN PASSWORD 'its own'")
    try:
        return place.back_up(POSTGRES_USER=reader, POSTGRES_PASSWORD="its own")
    finally:
        place.database.execute(f"DROP ROLE {reader}")


def _locked(place: Place) -> Ended:
    message = "pg_dump: error: query failed: ERROR:  canceling statement due to lock timeout"
    fails = f'case "$*" in *--snapshot*) echo "{message}" >&2; exit 1;; esac; exec "$REAL" "$@"'
    return place.back_up(PG_BINDIR=str(with_program(place.folder.parent, "pg_dump", fails)))


def _deadline(place: Place) -> Ended:
    with place.database.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        return _told(lambda: take(place.database, place.bucket.store(), deadline=Deadline.after(1.5)))


def _archived(place: Place) -> Ended:
    key = take(place.database, place.bucket.store()).manifest.archive.key
    source = {"Bucket": place.bucket.name, "Key": key}
    place.bucket.s3.copy_object(
        Bucket=place.bucket.name, Key=key, CopySource=f"{source['Bucket']}/{key}", StorageClass="GLACIER"
    )
    place.bucket.s3.delete_object(Bucket=place.bucket.name, Key=key.removesuffix(".dump") + ".manifest.json")
    return place.run("verify", key, "--bucket", place.bucket.name)


def _damaged(place: Place) -> Ended:
    archive = place.saved()
    damage(archive, "a byte of the data changed")
    return place.run("verify", archive)


def _missing(place: Place) -> Ended:
    return place.run("verify", KEY, "--directory", place.folder)


def _no_bucket(place: Place) -> Ended:
    return place.run("backup", "--bucket", "ftry-bakcups", AWS_ENDPOINT_URL=place.bucket.aws.endpoint)


def _no_aws(place: Place) -> Ended:
    place.patch.setenv("AWS_ENDPOINT_URL", place.bucket.aws.endpoint)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        place.patch.delenv(name)
    place.patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    place.patch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers credentials
    return place.run("list", "--bucket", "ftry-backups")


def _both(place: Place) -> Ended:
    return place.run("backup", "--directory", place.folder, "--bucket", "ftry-backups")


def _stopped(_: Place) -> Ended:
    return _told(lambda: ToldToStop().heard(signal.SIGINT, None))


CASES: Final[dict[str, Callable[[Place], Ended]]] = {
    name.strip("_").replace("_", "-"): case
    for name, case in (
        (case.__name__, case)
        for case in (
            _refused,
            _password,
            _no_database,
            _no_tls,
            _credentials,
            _disk_full,
            _role,
            _not_confirmed,
            _restore_failed,
            _incomplete,
            _restore_in_progress,
            _no_tools,
            _too_new,
            _in_progress,
            _rights,
            _locked,
            _deadline,
            _archived,
            _damaged,
            _missing,
            _no_bucket,
            _no_aws,
            _both,
            _stopped,
        )
    )
}


def _as_in_the_page(said: str, place: Place) -> str:
    """The text without what differs from run to run."""
    server: Server = place.database.server
    for real, shown in (
        (f"{place.folder.parent}/not_restored.sql", "not_restored.sql"),
        (str(place.folder.parent / "bin18"), "/usr/lib/postgresql/18/bin"),
        (str(server.bindir), "/usr/lib/postgresql/18/bin"),
        (str(package_bindir(PREVIOUS)), "/usr/lib/postgresql/17/bin"),
        (str(place.folder), "backups"),
    ):
        said = said.replace(real, shown)
    for pattern, shown in (
        (r"\bmaster@", "postgres@"),
        (r'user "master"', 'user "postgres"'),
        (r"(127\.0\.0\.1:)\d+", r"\g<1>5432"),
        (r"(port )\d+", r"\g<1>5432"),
        (r"\bbackups-\d+-\d+\b", "ftry-backups"),
        (r"\d{8}_\d{6}", "20250111_143025"),
        (r"server process \d+", "server process 4711"),
        (r"connected \d{4}-[^)]*\)", "connected 2025-01-11 14:30:25 UTC)"),
        (r"\b[0-9a-f]{64}\b", "e3b0c442..."),
        (r"secret:[\w-]+", "secret:ftry-prod/database-AbCdEf"),
        (r"__dbbackup_new_\w+", "__dbbackup_new_4711"),
        (r"\bid=\d+ tid=\d+", "id=4711 tid=4711"),
        (r"\b\d+(\.\d+)? s\b", "60 s"),
    ):
        said = re.sub(pattern, shown, said)
    return said.strip()


def _blocks() -> dict[str, str]:
    """What the page shows as printed, by the name of the case above it."""
    return {
        name: block.partition("\n")[2].strip()
        for name, block in re.findall(r"<!-- printed: ([\w-]+) -->\n```text\n(.*?)```", PAGE.read_text(), re.S)
    }


@pytest.mark.parametrize("case", CASES)
def test_the_page_shows_what_is_printed(place: Place, case: str) -> None:
    ended = CASES[case](place)
    assert ended.status != 0
    assert _blocks()[case] == _as_in_the_page(ended.err, place)


def test_the_page_shows_no_case_that_is_not_tried() -> None:
    assert set(_blocks()) == set(CASES)


def _codes() -> Iterator[str]:
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, Explained) and kind not in (Explained, DbBackupError):
            yield kind.code


@pytest.mark.parametrize("code", sorted(_codes()))
def test_every_code_has_its_section(code: str) -> None:
    assert re.search(rf"^### .*`{code}`", PAGE.read_text(), re.M), f"write a section for {code}"


@pytest.mark.parametrize("row", ["pg_dump: connection failed", "Disk full", "role does not exist", "Restore very slow"])
def test_every_row_that_people_look_for_is_a_title(row: str) -> None:
    assert f"\n## {row}\n" in PAGE.read_text()
