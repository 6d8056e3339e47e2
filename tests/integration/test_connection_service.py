"""A connection that libpq's service file describes."""

from __future__ import annotations

from pathlib import Path

from tests.support.command import dbbackup
from tests.support.databases import Database


def test_a_service_may_describe_the_whole_connection(database: Database, tmp_path: Path) -> None:
    server = database.server
    services = tmp_path / "services.conf"
    services.write_text(
        f"[shop]\nhost={server.host}\nport={server.port}\nuser={server.user}\npassword={server.password}\n"
        f"dbname={database.name}\n"
    )
    environment = {"PGSERVICE": "shop", "PGSERVICEFILE": str(services), "PG_BINDIR": str(server.bindir)}

    done = dbbackup("backup", "--directory", tmp_path / "backups", "--json", environment=environment)

    assert done.status == 0, done.err
    assert done.document["manifest"]["source"]["database"] == database.name


def test_our_own_variables_win_over_a_service(database: Database, tmp_path: Path) -> None:
    services = tmp_path / "services.conf"
    services.write_text("[shop]\nhost=198.51.100.1\nport=1\nuser=nobody\npassword=wrong\ndbname=elsewhere\n")
    environment = {
        **database.server.environment(database.name),
        "PGSERVICE": "shop",
        "PGSERVICEFILE": str(services),
    }

    done = dbbackup("backup", "--directory", tmp_path / "backups", environment=environment)

    assert done.status == 0, done.err


def test_an_unknown_service_is_named(tmp_path: Path) -> None:
    environment = {"PGSERVICE": "nowhere", "PGSERVICEFILE": str(tmp_path / "missing.conf")}

    done = dbbackup("backup", "--database", "x", "--directory", tmp_path / "backups", environment=environment)

    assert done.status in (1, 2)
    assert "❌" in done.err
    assert "Traceback" not in done.err
