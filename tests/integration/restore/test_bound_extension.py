"""An extension that lives in one database of the server, as pg_cron does, with its schema and its jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server, start_server
from tests.support.as_master import Ground, clean, whole_dump
from tests.support.faults import wait_for
from tests.support.halting import start_halting
from tests.support.restores import cli

HOME = "home of jobs"
_SCRIPT = """
    DO $$ BEGIN
      IF current_database() <> current_setting('cron.database_name') THEN
        RAISE 'can only create extension in database %', current_setting('cron.database_name');
      END IF;
    END $$;
    CREATE SCHEMA cron;
    CREATE TABLE cron.job (jobid serial PRIMARY KEY, command text);
    SELECT pg_extension_config_dump('cron.job', '');
    SELECT pg_extension_config_dump('cron.job_jobid_seq', '');
"""


@pytest.fixture(scope="module")
def cron_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("extensions")
    (folder / "extension").mkdir()
    control = "default_version = '1.0'\ntrusted = true\nschema = pg_catalog\n"
    (folder / "extension" / "pg_cron.control").write_text(control)
    (folder / "extension" / "pg_cron--1.0.sql").write_text(_SCRIPT)
    for path in (folder, *folder.parents[:3], *folder.rglob("*")):
        path.chmod(0o755)
    settings = {"extension_control_path": f"$system:{folder}", "cron.database_name": HOME}
    with start_server(settings=settings) as running:
        yield running


@pytest.fixture
def ground(cron_server: Server, tmp_path: Path) -> Iterator[Ground]:
    cron_server.master.execute(f'CREATE DATABASE "{HOME}"')
    made = Ground(cron_server.master, HOME, tmp_path / "backups")
    made.server.execute("CREATE EXTENSION pg_cron; CREATE TABLE item (id int); INSERT INTO item VALUES (1), (2)", HOME)
    made.execute("INSERT INTO cron.job (command) VALUES ('nightly'), ('weekly'); GRANT USAGE ON SCHEMA cron TO PUBLIC")
    yield made
    clean(cron_server, {"postgres", "template0", "template1"}, {"postgres", "master", "rds_superuser"})


def test_over_its_own_database_its_jobs_come_back_after_the_swap(ground: Ground) -> None:
    assert ground.backup().status == 0
    before = whole_dump(ground.root, HOME)
    ground.execute("DELETE FROM cron.job; DROP TABLE item")
    ended = ground.restore()
    assert ended.status == 0, ended.err + ended.out
    assert "is put in place after the swap" in ended.out
    assert ground.root.value("SELECT string_agg(command, ',' ORDER BY jobid) FROM cron.job", HOME) == "nightly,weekly"
    assert _tables(whole_dump(ground.root, HOME)) == _tables(before)


def _tables(dump: str) -> list[str]:
    return sorted(line for line in dump.splitlines() if line.startswith(("CREATE", "COPY", "ALTER")))


def test_elsewhere_it_is_left_out_with_all_that_belongs_to_it(ground: Ground) -> None:
    assert ground.backup().status == 0
    ended = ground.restore(to="elsewhere")
    assert ended.status == 0, ended.err + ended.out
    assert f"will skip EXTENSION pg_cron: it lives in the database {HOME} only" in ended.out
    assert "will skip TABLE DATA cron.job" in ended.out
    assert ground.root.value("SELECT count(*) FROM item", "elsewhere") == 2


def test_a_rehearsal_does_without_it(ground: Ground) -> None:
    assert ground.backup().status == 0
    drill = cli("drill", "--directory", ground.folder, environment=ground.environment())
    assert drill.status == 0, drill.err + drill.out


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("dbbackup.adapters.postgres_cluster:PostgresCluster.swap:before::1", "   without EXTENSION"),
        ("dbbackup.operations.restore:fill_aside:before::1", "   perhaps without EXTENSION"),
    ],
    ids=["before the swap", "after it"],
)
def test_a_resumption_says_what_it_has_not_put_in_place(ground: Ground, point: str, said: str) -> None:
    assert ground.backup().status == 0
    words = ("restore", "latest", "--directory", ground.folder, "--yes")
    halted = start_halting(point, *words, environment=ground.environment())
    halted.kill()
    halted.communicate()
    wait_for(lambda: ground.root.value("SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^dbb'") == 0)
    resumed = cli("restore", "--resume", "--directory", ground.folder, environment=ground.environment())
    assert resumed.status == 0, resumed.err
    assert "the copy restored from" in resumed.out
    assert f"{said} pg_cron" in resumed.out
    assert "--plan" in resumed.out
    assert ground.root.value("SELECT count(*) FROM item", HOME) == 2
