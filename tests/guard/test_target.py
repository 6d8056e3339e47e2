"""A command whose environment leads to another database than the one that is backed up does not run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dbbackup.adapters.connection_url import is_postgres, read_url
from dbbackup.core.command_target import Place as Target
from dbbackup.core.command_target import refuse_another_target
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.receipt_errors import AnotherTargetError
from tests.guard.conftest import Place, database_url, guard
from tests.guard.lambda_service import LambdaService, lambda_service
from tests.support.command import dbbackup
from tests.support.databases import Database
from tests.support.function import Function

RDS = "ftry-prod.abc123.eu-west-1.rds.amazonaws.com"
TARGET = Target("ftry", "db.example.org", 5432)


def _refuse(environment: dict[str, str], backed_up: Target, service: dict[str, str] | None = None) -> None:
    """As a guard does it."""
    named = environment.get("DATABASE_URL", "")
    url = read_url(named).values if is_postgres(named) else {}
    refuse_another_target(environment, backed_up, url=url, service=service or {})


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"DATABASE_URL": ""},
        {"DATABASE_URL": "postgresql://u:p@db.example.org/ftry?schema=public&whatever=1"},
        {"DATABASE_URL": "postgresql+asyncpg://u:p@DB.example.org.:5432/ftry"},
        {"DATABASE_URL": "mysql://u:p@elsewhere/other"},
        {"POSTGRES_HOST": "db.example.org", "POSTGRES_DB": "ftry", "PGDATABASE": "ftry"},
        {"PGPORT": "6432"},
    ],
    ids=["nothing", "empty", "url", "driver", "not-ours", "variables", "port-alone"],
)
def test_an_environment_that_leads_to_the_backed_up_database_or_nowhere(environment: dict[str, str]) -> None:
    _refuse(environment, TARGET)


@pytest.mark.parametrize(
    ("environment", "ours", "theirs"),
    [
        ({"DATABASE_URL": "postgresql://u:p@db.example.org/live"}, "'ftry'", "'live'"),
        ({"DATABASE_URL": "postgresql://u:p@db.example.org/ftry?dbname=live"}, "'ftry'", "'live'"),
        ({"DATABASE_URL": "postgres://live@db.example.org"}, "'ftry'", "'live'"),
        ({"DATABASE_URL": "postgresql://u:p@db2.example.org/ftry"}, "db.example.org", "db2.example.org"),
        ({"DATABASE_URL": "postgresql+psycopg://u:p@db2.example.org/ftry"}, "db.example.org", "db2.example.org"),
        ({"DATABASE_URL": "postgresql://u:p@db.example.org:6432/ftry"}, "5432", "6432"),
        ({"DATABASE_URL": "postgresql://u:p@/ftry?host=/run/other"}, "db.example.org", "/run/other"),
        ({"POSTGRES_DB": "live"}, "'ftry'", "'live'"),
        ({"POSTGRES_HOST": "db2.example.org"}, "db.example.org", "db2.example.org"),
        ({"PGDATABASE": "live"}, "'ftry'", "'live'"),
        ({"PGHOST": "db2.example.org"}, "db.example.org", "db2.example.org"),
        ({"PGHOSTADDR": "10.0.0.2"}, "db.example.org", "10.0.0.2"),
        ({"DATABASE_URL": "host=db2.example.org dbname=ftry"}, "db.example.org", "db2.example.org"),
        ({"DATABASE_URL": "postgresql://db.example.org,db2.example.org/ftry"}, "db.example.org", "db2.example.org"),
        ({"DATABASE_URL": "postgresql://db.example.org/f%74ry2"}, "'ftry'", "'ftry2'"),
    ],
    ids=[
        "url-database", "url-parameter", "url-user", "url-host", "url-driver", "url-port", "url-socket",
        "own-database", "own-host", "libpq-database", "libpq-host", "libpq-address",
        "keywords", "url-hosts", "url-encoded",
    ],
)  # fmt: skip
def test_an_environment_that_leads_elsewhere_is_refused_with_both_values(
    environment: dict[str, str], ours: str, theirs: str
) -> None:
    with pytest.raises(AnotherTargetError) as raised:
        _refuse(environment, TARGET)
    assert ours in raised.value.what
    assert theirs in raised.value.what
    assert "u:p" not in str(raised.value)
    assert "--through-proxy" in raised.value.action


def test_a_connection_service_leads_somewhere_too() -> None:
    with pytest.raises(AnotherTargetError, match="PGSERVICE"):
        _refuse({}, TARGET, service={"database": "live", "port": "5432"})


def test_a_command_may_go_to_one_of_several_hosts_that_were_named_for_the_backup() -> None:
    backed_up = Target("ftry", "db.example.org:5432,db2.example.org:5433")
    _refuse({"DATABASE_URL": "postgresql://db2.example.org:5433/ftry"}, backed_up)
    _refuse({"DATABASE_URL": "postgresql://db2.example.org:5433,db.example.org:5432/ftry"}, backed_up)
    with pytest.raises(AnotherTargetError):
        _refuse({"DATABASE_URL": "postgresql://db3.example.org/ftry"}, backed_up)


@pytest.mark.parametrize(
    ("host", "fits"),
    [(RDS, True), (RDS.replace("ftry", "shop"), False), ("bastion.example.org", True)],
    ids=["endpoint", "another-endpoint", "unknown"],
)
def test_an_instance_is_known_by_its_endpoint(host: str, fits: bool) -> None:
    environment = {"DATABASE_URL": f"postgresql://u:p@{host}/ftry"}
    known = Target("ftry", None, instance="ftry-prod")
    if fits:
        _refuse(environment, known)
    else:
        with pytest.raises(AnotherTargetError):
            _refuse(environment, known)


def test_a_url_that_cannot_be_read_is_refused_without_its_value() -> None:
    with pytest.raises(InvalidRequestError) as raised:
        _refuse({"DATABASE_URL": "postgresql://u:secret@h:x/ftry"}, TARGET)
    assert "secret" not in str(raised.value)


def test_nothing_is_backed_up_and_nothing_runs_for_a_command_that_goes_elsewhere(
    database: Database, folder_place: Place, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    live = database_url(database, "ftry_live")
    done = guard(database, folder_place, "touch", str(ran), DATABASE_URL=live)
    assert done.status == 2
    assert f"of the database {database.name!r}, and DATABASE_URL leads the command to" in done.err
    assert "'ftry_live'" in done.err
    assert "The command was not run." in done.err
    assert database.environment()["POSTGRES_PASSWORD"] not in done.err
    assert not ran.exists()
    assert folder_place.receipts() == []
    for options in (("--through-proxy",), ("--withhold", "DATABASE_URL")):
        done = guard(database, folder_place, "true", options=options, DATABASE_URL=live)
        assert done.status == 0, done.err
    assert guard(database, folder_place, "true", DATABASE_URL=database_url(database)).status == 0


@pytest.fixture
def service(function: Function) -> Iterator[LambdaService]:
    """The deployed function behind Lambda's API."""
    with lambda_service(function.invoke) as running:
        yield running


@pytest.mark.parametrize("difference", ["database", "host"])
def test_a_command_that_goes_elsewhere_than_the_function_is_not_run(
    service: LambdaService, function: Function, tmp_path: Path, difference: str
) -> None:
    ran = tmp_path / "ran"
    named = database_url(function.database, "ftry_live" if difference == "database" else None)
    if difference == "host":
        named = named.replace("127.0.0.1", "127.0.0.2")
    environment = {
        **function.bucket.aws.environment(),
        "AWS_ENDPOINT_URL_LAMBDA": service.endpoint,
        "DATABASE_URL": named,
    }
    words = ("guard", "--function", "ftry-test-backup")
    done = dbbackup(*words, "--", "touch", str(ran), environment=environment, folder=Path("/"))
    assert done.status == 2
    assert ("'ftry_live'" if difference == "database" else "127.0.0.2") in done.err
    assert not ran.exists()
    done = dbbackup(*words, "--through-proxy", "--", "true", environment=environment, folder=Path("/"))
    assert done.status == 0, done.err
