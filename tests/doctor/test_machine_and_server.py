"""What the doctor finds on this machine and on a server; each failure is made to happen."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devtools.postgres import PREVIOUS, free_port, package_bindir
from tests.support.bindirs import with_program
from tests.support.command import Ended, clean_environment
from tests.support.databases import Database
from tests.support.restores import cli

HARD = """
    CREATE SCHEMA hidden; CREATE TABLE hidden."odd.Name" (id serial PRIMARY KEY);
    INSERT INTO hidden."odd.Name" DEFAULT VALUES;
    CREATE TABLE guarded (id int); INSERT INTO guarded VALUES (1), (2); SELECT lo_from_bytea(0, 'a large object')
"""


def doctor(database: Database, *words: str | Path, **changes: str) -> Ended:
    return cli("doctor", *words, environment={**database.environment(), **changes})


def checks(ended: Ended) -> dict[str, Any]:
    return {check["name"]: check for check in ended.document["checks"]}


def _one(database: Database, folder: Path, name: str, **changes: str) -> dict[str, Any]:
    found: dict[str, Any] = checks(doctor(database, "--json", "--directory", folder, **changes))[name]
    return found


def test_a_sound_machine_has_nothing_to_fix_and_is_left_as_it_was(database: Database, tmp_path: Path) -> None:
    ended = doctor(database, "--directory", tmp_path / "backups")
    assert ended.status == 0, ended.out
    assert "❌" not in ended.out
    assert "Backups can be taken" in ended.out
    assert "Nothing was changed" in ended.out
    assert not (tmp_path / "backups").exists()


def test_a_reader_who_does_what_it_says_can_back_everything_up(database: Database, tmp_path: Path) -> None:
    database.execute(HARD)
    reader = database.user_without_rights()
    found = checks(doctor(reader, "--json", "--directory", tmp_path))
    failed = {name: found[name] for name in found if found[name]["status"] == "failed"}
    assert set(failed) == {"schemas", "tables", "sequences", "large objects"}
    assert 'hidden."odd.Name"' in failed["tables"]["found"]
    assert cli("backup", "--directory", tmp_path, environment=reader.environment()).status == 1

    for name, check in failed.items():
        statement = re.search(r"(GRANT|ALTER|DO \$\$).*", check["action"])
        assert statement is not None
        # The master of RDS may grant pg_read_all_data; that of a stock server may not.
        (database if name == "large objects" else database.superuser).execute(statement[0])

    ended = doctor(reader, "--directory", tmp_path)
    assert ended.status == 0, ended.out
    assert cli("backup", "--directory", tmp_path, environment=reader.environment()).status == 0


@pytest.mark.parametrize(
    ("part", "grants"),
    [
        ("tables", "GRANT SELECT ON guarded, item TO {0}; GRANT USAGE ON SCHEMA hidden TO {0}"),
        ("schemas", "GRANT SELECT ON ALL TABLES IN SCHEMA hidden TO {0}; GRANT SELECT ON guarded, item TO {0}"),
        ("large objects", "GRANT pg_read_all_data TO {0}"),
    ],
)
def test_each_right_that_is_missing_is_told_of_its_own(
    database: Database, tmp_path: Path, part: str, grants: str
) -> None:
    database.execute(HARD)
    reader = database.user_without_rights()
    database.superuser.execute(grants.format(reader.user))
    assert _one(reader, tmp_path, part)["status"] == "failed"
    others = {"tables", "schemas", "large objects"} - {part}
    found = checks(doctor(reader, "--json", "--directory", tmp_path))
    assert any(found[other]["status"] == "ok" for other in others)


def test_what_belongs_to_an_extension_needs_no_right(database: Database, tmp_path: Path) -> None:
    database.execute("DROP TABLE item; CREATE TABLE owned (id int)")
    database.superuser.execute("ALTER EXTENSION plpgsql ADD TABLE owned")
    reader = database.user_without_rights()
    assert _one(reader, tmp_path, "tables")["status"] == "ok"
    database.superuser.execute("ALTER EXTENSION plpgsql DROP TABLE owned")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": "{free}"}, "nothing listens there"),
        ({"POSTGRES_PASSWORD": "the wrong one"}, "the server refused the password"),
        ({"POSTGRES_DB": "no such database"}, "there is no database 'no such database'"),
        ({"PGSSLMODE": "require"}, "the server does not offer TLS"),
    ],
)
def test_a_connection_fails_for_its_own_reason_and_the_rest_says_why_it_was_skipped(
    database: Database, tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    changes = {name: value.format(free=free_port()) for name, value in changes.items()}
    ended = doctor(database, "--json", "--directory", tmp_path, **changes)
    assert ended.status == 1
    found = checks(ended)
    assert found["connection"]["status"] == "failed"
    assert reason in found["connection"]["found"]
    assert found["connection"]["action"]
    for later in ("versions", "TLS", "tables", "large objects", "replication"):
        assert found[later]["status"] == "skipped"
        assert "connection" in found[later]["found"]
    assert found["free space"]["status"] == "ok"
    assert found["client programs"]["status"] == "ok"
    assert found["directory"]["status"] == "ok"
    assert "the wrong one" not in ended.out + ended.err


def test_what_is_to_be_fixed_is_listed_in_order(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = doctor(
        database, "--directory", tmp_path / "file" / "backups", PG_BINDIR="/nonexistent", POSTGRES_PORT=str(free_port())
    )
    assert ended.status == 1
    order = ended.out.split("To fix, in this order:")[1].split("\n\n")[0]
    assert [line.split(":")[0].strip() for line in order.strip().splitlines()] == [
        "1. connection",
        "2. client programs",
        "3. directory",
    ]


def test_client_programs_that_are_missing_do_not_hide_the_rest(database: Database, tmp_path: Path) -> None:
    found = checks(doctor(database, "--json", "--directory", tmp_path, PG_BINDIR="/nonexistent"))
    assert found["client programs"]["status"] == "failed"
    assert "/nonexistent" in found["client programs"]["found"]
    assert found["compression"]["status"] == found["versions"]["status"] == "skipped"
    assert found["tables"]["status"] == "ok"


def test_a_client_that_is_older_than_the_server(database: Database, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    bindir = tmp_path / "bin"
    for program in ("pg_dump", "pg_restore"):
        (bindir / program).symlink_to(package_bindir(PREVIOUS) / program)
    (bindir / "pg_dumpall").symlink_to(database.server.bindir / "pg_dumpall")
    found = checks(doctor(database, "--json", "--directory", tmp_path, PG_BINDIR=str(bindir)))
    assert found["versions"]["status"] == "failed"
    assert "PostgreSQL 18" in found["versions"]["action"]
    assert found["compression"]["status"] == "ok", "this client has zstd"
    assert found["tables"]["status"] == "ok", "rights do not depend on the client"


def test_a_client_without_zstd_is_a_warning(database: Database, tmp_path: Path) -> None:
    assert _one(database, tmp_path, "compression")["status"] == "warning"


def test_a_program_that_does_not_start(database: Database, tmp_path: Path) -> None:
    bindir = with_program(tmp_path, "pg_dump", "exit 3")
    assert _one(database, tmp_path, "client programs", PG_BINDIR=str(bindir))["status"] == "failed"


def test_two_names_for_different_databases_are_a_contradiction(database: Database, tmp_path: Path) -> None:
    secret = "not to be shown"
    url = f"postgresql://other:{secret.replace(' ', '%20')}@127.0.0.1:{database.server.port}/{database.name}"
    ended = doctor(database, "--json", "--directory", tmp_path, DATABASE_URL=url)
    found = checks(ended)["settings"]
    assert found["status"] == "warning"
    assert found["found"] == "DATABASE_URL says something else than POSTGRES_USER and POSTGRES_PASSWORD, which wins"
    assert secret not in ended.out + ended.err
    assert secret.replace(" ", "%20") not in ended.out + ended.err


def test_a_url_that_cannot_be_read_is_named_and_not_shown(database: Database, tmp_path: Path) -> None:
    ended = doctor(database, "--json", "--directory", tmp_path, DATABASE_URL="mysql://u:hush@h/d")
    found = checks(ended)
    assert found["settings"]["status"] == "failed"
    assert found["connection"]["status"] == "skipped"
    assert "hush" not in ended.out + ended.err


@pytest.mark.parametrize(
    ("webhook", "status"), [("https://hooks.slack.com/services/T/B/hush", "ok"), ("hooks.slack.com/hush", "failed")]
)
def test_the_webhook_is_judged_and_not_shown(database: Database, tmp_path: Path, webhook: str, status: str) -> None:
    ended = doctor(database, "--json", "--directory", tmp_path, SLACK_WEBHOOK_URL=webhook)
    assert checks(ended)["Slack"]["status"] == status
    assert "hush" not in ended.out + ended.err


def test_a_slot_that_nobody_reads(database: Database, tmp_path: Path) -> None:
    database.superuser.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
    try:
        found = _one(database, tmp_path, "replication")
    finally:
        database.superuser.execute("SELECT pg_drop_replication_slot('forgotten')")
    assert found["status"] == "warning"
    assert "forgotten" in found["found"]


def test_a_folder_that_is_a_file(database: Database, tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("")
    found = checks(doctor(database, "--json", "--directory", tmp_path / "backups"))
    assert found["directory"]["status"] == "failed"
    assert found["free space"]["status"] == found["newest backup"]["status"] == "skipped"


@pytest.mark.parametrize("place", ["--directory", "--bucket"])
def test_a_disk_that_takes_no_byte_is_a_finding_and_hides_no_other(
    database: Database, tmp_path: Path, place: str
) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    words = (sys.executable, "-m", "dbbackup", "doctor", "--json", place, "a-place-of-backups")
    environment = {**database.environment(), "PG_BINDIR": str(database.server.bindir)}
    environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{free_port()}"
    # Without a file size limit of zero a full disk would need a disk. Pipes, sockets and memory are not meant by it.
    done = subprocess.run(
        (bash, "-c", 'ulimit -f 0; exec "$@"', "bash", *words),
        cwd=tmp_path,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    found = checks(Ended(done.returncode, done.stdout, done.stderr))
    finding = found["temporary files" if place == "--directory" else "scratch space"]
    assert finding["status"] == "failed"
    assert "no room for temporary files" in finding["found"]
    assert "TMPDIR" in finding["action"]
    assert found["connection"]["status"] == found["client programs"]["status"] == "ok"


def test_the_newest_backup_is_looked_at(database: Database, tmp_path: Path) -> None:
    assert _one(database, tmp_path, "newest backup")["status"] == "warning"
    assert cli("backup", "--directory", tmp_path, environment=database.environment()).status == 0
    assert _one(database, tmp_path, "newest backup")["status"] == "ok"


def test_the_server_is_only_read(database: Database, tmp_path: Path) -> None:
    from dbbackup.adapters.server_inspection import inspect_server

    with inspect_server(database.parameters) as server:
        server.look()
        assert server._connection.execute("SHOW transaction_read_only").fetchone() == ("on",)


def test_a_directory_and_a_bucket_are_not_understood(database: Database, tmp_path: Path) -> None:
    assert doctor(database, "--directory", tmp_path, "--bucket", "b").status == 2
