"""Servers of 14, 15 and 16, backed up by the client programs of 18 as RDS's master."""

from __future__ import annotations

from pathlib import Path

from tests.support.command import dbbackup
from tests.support.databases import DatabaseMaker


def test_an_older_server_is_backed_up_by_its_master(new_older_database: DatabaseMaker, tmp_path: Path) -> None:
    database = new_older_database()
    database.execute("CREATE TABLE item (id serial PRIMARY KEY, name text); INSERT INTO item (name) VALUES ('a'),('b')")
    made = dbbackup("backup", "--json", environment=database.environment(), folder=tmp_path)
    assert made.status == 0, made.err
    manifest = made.document["manifest"]
    major = manifest["source"]["server_version_num"] // 10000
    assert 14 <= major <= 16
    assert manifest["client_version"].startswith("18.")
    assert [(table["table"], table["rows"]) for table in manifest["tables"]] == [("item", 2)]
    assert dbbackup("verify", "latest", environment=database.environment(), folder=tmp_path).status == 0


def test_doctor_finds_nothing_wrong_with_an_older_server(new_older_database: DatabaseMaker, tmp_path: Path) -> None:
    database = new_older_database()
    ended = dbbackup("doctor", "--json", environment=database.environment(), folder=tmp_path)
    assert ended.status == 0, ended.out
