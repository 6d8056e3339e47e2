"""The script for a developer's machine, as the handbook of its users tells them to call it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.command import clean_environment
from tests.support.databases import Database

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "backup-database.sh"


def _run(folder: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (SCRIPT, *arguments),
        cwd=folder,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _environment(database: Database) -> dict[str, str]:
    return database.server.environment(database.name)


def test_it_writes_a_verified_backup_into_the_folder_backups(database: Database, tmp_path: Path) -> None:
    done = _run(tmp_path, _environment(database))

    assert done.returncode == 0, done.stderr
    created, verified, cleaned = done.stdout.splitlines()
    assert re.fullmatch(r"✅ Backup created: backups/\S+_backup_\d{8}_\d{6}\.dump \([\d.]+ \w+, [\d.]+ s\)", created)
    assert verified.startswith("✅ Verification passed (1 tables, 3 rows")
    assert cleaned == "✅ Old backups cleaned (retention: 30 days, 0 removed)"
    assert len(list((tmp_path / "backups").glob("*.dump"))) == 1


def test_it_takes_the_connection_from_a_file_beside_the_application(database: Database, tmp_path: Path) -> None:
    values = _environment(database)
    lines = [f'{name}="{value}"\r\n' for name, value in values.items()]
    (tmp_path / ".env").write_text("# of the application\nSECRET_KEY=$(touch broken)\n" + "".join(lines), newline="")

    done = _run(tmp_path, {})

    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "broken").exists(), "a settings file is read, not executed"


NAMED = {
    "POSTGRES_SSL": "a",
    "PGSSLMODE": "b",
    "PGSSLROOTCERT": "c",
    "PG_BINDIR": "d",
    "AWS_REGION": "e",
    "AWS_ACCESS_KEY_ID": "f",
    "AWS_SECRET_ACCESS_KEY": "g=h+/",
    "DBBACKUP_TEXTFILE_DIRECTORY": "/i",
    "BACKUP_COMPRESSION": "gzip",
    "RETENTION_DAYS": "7",
    "S3_BACKUP_BUCKET": "j",
    "SLACK_WEBHOOK_URL": "k",
    "DATABASE_URL": "l",
    "TMPDIR": "/m",
}
FOREIGN = {"PATH": "n", "LD_PRELOAD": "o", "NODE_OPTIONS": "p", "SECRET_KEY": "q"}


def test_what_the_pages_tell_people_to_write_into_the_file_reaches_the_command(tmp_path: Path) -> None:
    library = SCRIPT.with_name("dbbackup.sh")
    lines = ["AWS_X Y=1", "# AWS_PROFILE=commented", "PG-X=1", *(f"{n}={v}" for n, v in (NAMED | FOREIGN).items())]
    (tmp_path / ".env").write_text("\n".join(lines) + "\n")
    script = f'set -euo pipefail; . "{library}"; env'
    done = subprocess.run(
        ("bash", "-c", script),
        cwd=tmp_path,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert NAMED.items() <= found.items()
    assert not [name for name, value in FOREIGN.items() if found.get(name) == value]
    assert "AWS_PROFILE" not in found


def test_the_environment_wins_over_the_file(database: Database, tmp_path: Path) -> None:
    values = _environment(database)
    wrong = {**values, "POSTGRES_DB": "no such database"}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in wrong.items()))

    assert _run(tmp_path, {}).returncode == 1
    assert _run(tmp_path, {"POSTGRES_DB": database.name}).returncode == 0


def test_a_failed_backup_fails_the_script(database: Database, tmp_path: Path) -> None:
    done = _run(tmp_path, {**_environment(database), "POSTGRES_PASSWORD": "wrong"})

    assert done.returncode == 1
    assert "the server refused the password" in done.stderr
    assert "✅" not in done.stdout
    assert not (tmp_path / "backups").exists()


def test_options_reach_the_command(database: Database, tmp_path: Path) -> None:
    done = _run(tmp_path, _environment(database), "--tier", "pre-migration", "--directory", "elsewhere", "--json")

    assert done.returncode == 0, done.stderr
    assert '"tier": "pre-migration"' in done.stdout
    assert (tmp_path / "elsewhere").is_dir()
