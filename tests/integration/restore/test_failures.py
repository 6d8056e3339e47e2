"""What goes wrong before the exchange leaves the target, and nothing beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbbackup.adapters import s3_store
from tests.support.archives import DAMAGES, damage
from tests.support.backups import take
from tests.support.bindirs import with_program
from tests.support.buckets import Bucket
from tests.support.databases import Database, DatabaseMaker
from tests.support.faults import ALWAYS, Refusing
from tests.support.halting import start_halting
from tests.support.restores import Scene, cli, save

UNTOUCHED = "No database was touched."


def _assert_untouched(scene: Scene, before: list[str]) -> None:
    assert scene.is_as_it_was()
    assert scene.databases() == before


@pytest.mark.parametrize("how", DAMAGES)
def test_an_archive_that_is_not_what_was_backed_up(scene: Scene, how: str) -> None:
    before = scene.databases()
    damage(scene.saved.archive, how)
    ended = scene.restore("--json")
    assert ended.status == 1
    assert ended.document["error"] == "verification-failed"
    assert "is not what was backed up: its SHA-256 is " in ended.document["what"]
    assert ended.document["untouched"] == UNTOUCHED
    _assert_untouched(scene, before)
    assert len(list(scene.saved.folder.iterdir())) == 3, "no safety backup either"


@pytest.mark.parametrize("how", ["cut in half", "a byte of the data changed", "empty", "not an archive"])
def test_damage_that_no_manifest_tells_of(scene: Scene, how: str) -> None:
    before = scene.databases()
    damage(scene.saved.archive, how)
    scene.saved.manifest_file.unlink()
    ended = scene.restore("--json")
    assert ended.status == 1, ended.out
    assert ended.document["error"] in {"verification-failed", "restore-failed"}
    _assert_untouched(scene, before)


def test_an_archive_without_a_manifest_is_restored_with_a_warning(scene: Scene) -> None:
    scene.saved.manifest_file.unlink()
    ended = scene.restore()
    assert ended.status == 0, ended.err
    assert "⚠️  it has no manifest: nobody vouches for its content" in ended.out
    assert "nothing to compare with" in ended.out
    assert scene.is_restored()


def test_a_manifest_that_cannot_be_read(scene: Scene) -> None:
    before = scene.databases()
    scene.saved.manifest_file.write_text("{}")
    ended = scene.restore()
    assert ended.status == 1
    assert "The manifest" in ended.err
    _assert_untouched(scene, before)


def test_an_archive_of_a_newer_format(scene: Scene) -> None:
    before = scene.databases()
    body = bytearray(scene.saved.archive.read_bytes())
    body[5:7] = (1, 99)
    scene.saved.archive.write_bytes(body)
    scene.saved.manifest_file.unlink()
    ended = scene.restore()
    assert ended.status == 1
    assert "layout 1.99" in ended.err
    assert "pg_restore of the PostgreSQL that made it" in ended.err
    _assert_untouched(scene, before)


@pytest.mark.parametrize("change", ["rows", "missing"])
def test_a_copy_that_is_not_as_in_the_manifest(scene: Scene, change: str) -> None:
    before = scene.databases()
    manifest = scene.saved.manifest
    first, *others = manifest.tables
    if change == "rows":
        scene.saved.rewrite(tables=(first.model_copy(update={"rows": first.rows + 1}), *others))
    else:
        scene.saved.rewrite(tables=(*manifest.tables, first.model_copy(update={"table": "unheard of"})))
    ended = scene.restore()
    assert ended.status == 1
    expected = {
        "rows": "table archive.event: 7 rows instead of 8",
        "missing": "table archive.unheard of: missing",
    }[change]
    assert expected in ended.err
    assert "is as it was; the copy is removed" in ended.err
    _assert_untouched(scene, before)


def test_an_estimate_that_was_off_is_only_noted(scene: Scene) -> None:
    first, *others = scene.saved.manifest.tables
    scene.saved.rewrite(tables=(first.model_copy(update={"rows": 9, "exact": False}), *others))
    ended = scene.restore()
    assert ended.status == 0, ended.err
    assert "note: table archive.event: 7 rows, the manifest estimated 9" in ended.out


FAILS_IN_THE_COPY = """
    CREATE FUNCTION fails(n int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
        IF n = 30 AND current_database() ~ '__dbbackup_new_' THEN
            RAISE disk_full USING MESSAGE = 'could not extend file: No space left on device';
        END IF;
        RETURN true;
    END $$;
    CREATE TABLE failing (id int CHECK (fails(id))); INSERT INTO failing SELECT generate_series(1, 50)
"""


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_an_error_in_the_middle(scene: Scene, new_database: DatabaseMaker, tmp_path: Path, jobs: str) -> None:
    source = new_database()
    source.execute(FAILS_IN_THE_COPY)
    broken = Scene(scene.target, save(source, tmp_path / "broken"), scene.present)
    before = scene.databases()
    ended = broken.restore("--jobs", jobs)
    assert ended.status == 1
    assert "No space left on device" in ended.err
    assert "no room for a second copy" in ended.err
    assert "is as it was; the unfinished copy is removed" in ended.err
    _assert_untouched(scene, before)


@pytest.fixture
def small_tablespace(target: Database) -> Iterator[str]:
    """A tablespace on a file system of 20 MiB."""
    data = Path(target.value("SHOW data_directory"))
    folder = data.parent / "small"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size=20m,uid={data.stat().st_uid}", "tmpfs", str(folder))
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        folder.rmdir()
        pytest.skip(f"this machine does not let us mount: {done.stderr.strip()}")
    target.superuser.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
    target.superuser.execute(f"GRANT CREATE ON TABLESPACE small TO {target.user}")
    yield "small"
    target.superuser.execute("DROP TABLESPACE small")
    subprocess.run(("umount", str(folder)), check=True)
    folder.rmdir()


def test_a_full_disk(scene: Scene, small_tablespace: str, new_database: DatabaseMaker, tmp_path: Path) -> None:
    source = new_database()
    source.execute(f"""
        CREATE TABLE big (body text) TABLESPACE {small_tablespace}; ALTER TABLE big ALTER body SET STORAGE EXTERNAL;
        INSERT INTO big SELECT repeat('x', 1024 * 1024) FROM generate_series(1, 12)""")
    broken = Scene(scene.target, save(source, tmp_path / "big"), scene.present)
    before = scene.databases()
    ended = broken.restore()
    assert ended.status == 1
    assert "No space left on device" in ended.err
    assert "no room for a second copy" in ended.err
    _assert_untouched(scene, before)
    source.execute("DROP TABLE big; CHECKPOINT")


def test_a_safety_backup_that_fails_stops_everything(scene: Scene, tmp_path: Path) -> None:
    before = scene.databases()
    fails = 'case "$*" in *--snapshot*) echo "pg_dump: error: no" >&2; exit 1;; esac; exec "$REAL" "$@"'
    ended = scene.restore("--json", PG_BINDIR=str(with_program(tmp_path, "pg_dump", fails)))
    assert ended.status == 1
    assert ended.document["error"] == "dump-failed"
    _assert_untouched(scene, before)


@pytest.fixture
def in_bucket(database: Database, bucket: Bucket) -> str:
    """A backup in a bucket."""
    return f"s3://{bucket.name}/{take(database, bucket.store()).manifest.archive.key}"


def test_a_bucket_that_takes_no_safety_backup_stops_everything(
    scene: Scene, in_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scene.databases()
    fault = Refusing("CreateMultipartUpload", 403, "AccessDenied", times=ALWAYS)
    monkeypatch.setattr(s3_store, "make_client", lambda **_: fault.client)
    ended = cli("restore", in_bucket, "--yes", environment=scene.environment)
    assert ended.status == 1
    assert "AccessDenied" in ended.err
    assert fault.calls >= 1
    _assert_untouched(scene, before)


def test_no_room_for_the_download(scene: Scene, in_bucket: str) -> None:
    before = scene.databases()
    ended = cli("restore", in_bucket, "--yes", "--scratch", "/proc", environment=scene.environment)
    assert ended.status == 1
    assert "There is no room for the archive" in ended.err
    assert "--scratch DIR" in ended.err
    _assert_untouched(scene, before)


def test_an_object_that_was_altered(scene: Scene, in_bucket: str, bucket: Bucket, tmp_path: Path) -> None:
    before = scene.databases()
    bucket.put(in_bucket.split("/", 3)[3], b"PGDMP")
    ended = cli("restore", in_bucket, "--yes", "--scratch", tmp_path, environment=scene.environment)
    assert ended.status == 0, "the version that was verified is read, not the newest"
    assert scene.databases() == before
    assert not list(tmp_path.glob("*.dump"))


def test_a_download_that_a_killed_run_has_left_is_removed(
    scene: Scene, in_bucket: str, bucket: Bucket, tmp_path: Path
) -> None:
    command = ("restore", in_bucket, "--yes", "--scratch", tmp_path)
    environment = {**scene.environment, **bucket.aws.environment()}
    killed = start_halting("dbbackup.cli.restore:_safety_backup:before::1", *command, environment=environment)
    (left,) = tmp_path.glob("*.dump")
    other = cli(*command[:2], "--to", "free name", "--plan", "--scratch", tmp_path, environment=environment)
    assert other.status == 0, other.err
    assert left.exists(), "its run still needs it"
    killed.kill()
    killed.communicate()
    assert cli(*command, environment=environment).status == 0
    assert list(tmp_path.glob("*.dump")) == []
