"""A pooler between us and the server: what cannot work is refused, and nothing of ours stays behind."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from dbbackup.adapters import pooler_check
from dbbackup.adapters.postgres_connection import connect
from dbbackup.core.errors import ConnectionFailedError
from dbbackup.core.pooler import transaction_pooling
from tests.support.command import dbbackup
from tests.support.databases import Database
from tests.support.pooler import Pooler, start_pooler

ADVISORY = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


def _environment(database: Database, pooler: Pooler) -> dict[str, str]:
    return {**database.environment(), "POSTGRES_PORT": str(pooler.port)}


@pytest.mark.parametrize("oldest_first", [False, True], ids=["newest-first", "oldest-first"])
def test_lent_sessions_are_recognized_before_anything_is_locked(
    database: Database, tmp_path: Path, oldest_first: bool
) -> None:
    folder = tmp_path / "backups"
    with start_pooler(database.server, oldest_first=oldest_first) as pooler:
        for command in (("backup",), ("guard", "--", "true"), ("doctor",)):
            done = dbbackup(
                command[0],
                "--directory",
                folder,
                *command[1:],
                environment=_environment(database, pooler),
                folder=tmp_path,
            )
            assert done.status == 1, done.err
            said = done.err + done.out
            assert "pool_mode=transaction" in said
            assert f"POSTGRES_HOST=127.0.0.1 POSTGRES_PORT={database.server.port}" in said
        assert database.value(ADVISORY) == 0
        assert database.value("SELECT count(*) FROM pg_prepared_statements") == 0
    assert not folder.exists()


def test_a_busy_pooler_is_recognized_too(database: Database) -> None:
    with start_pooler(database.server, oldest_first=True) as pooler:
        through = database.parameters.model_copy(update={"port": pooler.port})
        others = [psycopg.connect("", **through.settings()) for _ in range(3)]  # type: ignore[arg-type]
        with pytest.raises(ConnectionFailedError, match="pool_mode=transaction"):
            connect(through, "test")
        for other in others:
            other.close()


def test_a_session_for_as_long_as_we_stay_is_a_session(database: Database, tmp_path: Path) -> None:
    with start_pooler(database.server, transactions=False) as pooler:
        done = dbbackup("backup", "--directory", tmp_path, environment=_environment(database, pooler))
    assert done.status == 0, done.err


def test_short_timeouts_are_taken_away_later_where_a_pooler_takes_no_options(
    database: Database, tmp_path: Path
) -> None:
    user = database.user_without_rights("IN ROLE rds_superuser")
    database.superuser.execute(f"ALTER ROLE {user.user} SET statement_timeout = 500")
    with start_pooler(database.server, transactions=False, takes_options=False) as pooler:
        done = dbbackup("backup", "--directory", tmp_path, environment=_environment(user, pooler))
        assert done.status == 0, done.err
        through = user.parameters.model_copy(update={"port": pooler.port})
        for _ in range(3):
            with connect(through, "test") as session:
                assert session.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_a_pooler_with_one_session_says_that_two_are_needed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler_check, "PATIENCE_SECONDS", 0.5)
    with start_pooler(database.server, transactions=False, most=1) as pooler:
        through = database.parameters.model_copy(update={"port": pooler.port})
        with pytest.raises(ConnectionFailedError, match="no second one") as failure:
            connect(through, "test")
    assert "two at once" in failure.value.action


@pytest.mark.parametrize(
    ("host", "server", "way"),
    [
        (
            "ep-cool-1-pooler.eu-central-1.aws.neon.tech",
            "10.0.0.1",
            "POSTGRES_HOST=ep-cool-1.eu-central-1.aws.neon.tech.",
        ),
        ("aws-0-eu-west-1.pooler.supabase.com", "10.0.0.1", "POSTGRES_PORT=5432 of the same host"),
        ("shop.proxy-abc.eu-west-1.rds.amazonaws.com", "10.0.0.1", "endpoint of the instance"),
        ("db.example.org", "127.0.0.1", "POSTGRES_HOST=db.example.org POSTGRES_PORT=5432"),
        ("db.example.org", "10.0.0.1", "POSTGRES_HOST=10.0.0.1 POSTGRES_PORT=5432"),
        ("db.example.org", None, "on the machine of the pooler"),
    ],
    ids=["neon", "supabase", "rds-proxy", "same-machine", "another-machine", "socket"],
)
def test_the_way_around_it_is_named(host: str, server: str | None, way: str) -> None:
    assert way in transaction_pooling("x", host=host, server=server, server_port=5432 if server else None).action
