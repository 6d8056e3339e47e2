from __future__ import annotations

from collections.abc import Mapping

import pytest
from psycopg.pq import Conninfo
from pydantic import SecretStr

from dbbackup.adapters.connection_url import read_url
from dbbackup.core import connection as subject
from dbbackup.core.connection import Address, Connection
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.libpq import VARIABLES

URL = "postgresql://url_user:url%20pass@url-host:6001/url_db?sslmode=require&sslrootcert=/url.pem"
OWN = {
    "POSTGRES_HOST": "own-host",
    "POSTGRES_PORT": "7001",
    "POSTGRES_USER": "own_user",
    "POSTGRES_PASSWORD": "own pass",
    "POSTGRES_DB": "own_db",
}
LIBPQ = {
    "PGHOST": "pg-host",
    "PGPORT": "8001",
    "PGUSER": "pg_user",
    "PGPASSWORD": "pg pass",
    "PGDATABASE": "pg_db",
    "PGSSLMODE": "disable",
    "PGSSLROOTCERT": "/pg.pem",
}
FIELDS = {
    "host": ("own-host", "url-host", "pg-host"),
    "port": (7001, 6001, 8001),
    "user": ("own_user", "url_user", "pg_user"),
    "database": ("own_db", "url_db", "pg_db"),
}


def from_environment(environment: Mapping[str, str], **more: str) -> Connection:
    """As the command reads it."""
    url = read_url(environment.get("DATABASE_URL", "")).values
    return subject.from_environment(environment, database=more.get("database"), url=url)


def _password(connection: Connection) -> str | None:
    return connection.password.get_secret_value() if connection.password else None


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_comes_from_the_first_that_sets_it(field: str) -> None:
    own, url, libpq = FIELDS[field]
    everything = {**LIBPQ, "DATABASE_URL": URL, **OWN}
    variable = "POSTGRES_DB" if field == "database" else f"POSTGRES_{field.upper()}"
    assert getattr(from_environment(everything), field) == own
    without_own = {name: value for name, value in everything.items() if name != variable}
    assert getattr(from_environment(without_own), field) == url
    assert getattr(from_environment(LIBPQ), field) == libpq


def test_the_password_follows_the_same_order() -> None:
    assert _password(from_environment({**LIBPQ, "DATABASE_URL": URL, **OWN})) == "own pass"
    assert _password(from_environment({**LIBPQ, "DATABASE_URL": URL})) == "url pass"
    assert _password(from_environment(LIBPQ)) == "pg pass"


def test_the_option_wins_over_every_variable() -> None:
    assert from_environment({**LIBPQ, "DATABASE_URL": URL, **OWN}, database="named").database == "named"


def test_one_variable_in_front_of_a_command_changes_that_field_only() -> None:
    changed = from_environment({"DATABASE_URL": URL, "POSTGRES_DB": "scratch"})
    assert (changed.host, changed.port, changed.user, changed.database) == ("url-host", 6001, "url_user", "scratch")
    assert _password(changed) == "url pass"


def test_tls_settings_come_from_the_url_and_else_from_libpq() -> None:
    assert from_environment({**LIBPQ, "DATABASE_URL": URL}).sslmode == "require"
    assert from_environment({**LIBPQ, "DATABASE_URL": URL}).sslrootcert == "/url.pem"
    assert from_environment(LIBPQ).sslmode == "disable"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert from_environment({"POSTGRES_HOST": "", "PGHOST": "pg-host"}).host == "pg-host"


def test_the_database_is_named_like_the_user_where_nothing_else_is_said() -> None:
    assert from_environment({"POSTGRES_USER": "ftry"}).database == "ftry"
    assert from_environment({}).database is None


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", "5432 "])
def test_an_impossible_port_is_refused_and_shown(port: str) -> None:
    with pytest.raises(InvalidRequestError, match="not a number from 1 to 65535") as refused:
        from_environment({"POSTGRES_PORT": port})
    assert repr(port) in refused.value.what


def test_the_password_is_in_no_text_of_a_connection() -> None:
    connection = from_environment({"DATABASE_URL": "postgresql://u:hunter2@h:1/d"})
    assert "hunter2" not in f"{connection!r} {connection} {connection.model_dump_json()}"
    assert str(connection) == "u@h:1"
    assert connection.environment("x")["PGPASSWORD"] == "hunter2"


def test_what_is_not_known_is_left_to_libpq() -> None:
    assert set(Connection().environment("dbbackup")) == {"PGAPPNAME", "PGCONNECT_TIMEOUT"}


def test_every_parameter_of_libpq_is_known_and_so_is_its_variable() -> None:
    known = {option.keyword.decode(): option.envvar for option in Conninfo.get_defaults()}
    assert {keyword: variable.decode() if variable else None for keyword, variable in known.items()} == dict(VARIABLES)


def test_what_has_a_variable_goes_through_the_environment_and_the_rest_another_way() -> None:
    read = from_environment({"DATABASE_URL": "postgresql://h/d?require_auth=none&keepalives=0&sslpassword=hunter2"})
    assert read.environment("x")["PGREQUIREAUTH"] == "none"
    assert "hunter2" not in repr(read.environment("x"))
    assert read.without_variable() == {"keepalives": "0", "sslpassword": "hunter2"}
    assert "hunter2" not in f"{read!r} {read} {read.model_dump_json()}"
    assert read.secrets() == ("hunter2",)


@pytest.mark.parametrize(
    ("url", "where", "server", "several"),
    [
        ("postgresql://a/d", "a", "a:5432", False),
        ("postgresql://a,b/d", "a,b", "a:5432,b:5432", True),
        ("postgresql://a:6000,b:6000/d", "a,b", "a:6000,b:6000", True),
        ("postgresql://a:6000,[::2]/d", "a:6000,[::2]:5432", "a:6000,[::2]:5432", True),
        ("postgresql:///d?hostaddr=10.0.0.1", "10.0.0.1", "10.0.0.1:5432", False),
        ("postgresql:///d", None, "localhost:5432", False),
    ],
)
def test_a_server_is_named_by_all_its_hosts(url: str, where: str | None, server: str, several: bool) -> None:
    read = from_environment({"DATABASE_URL": url})
    assert (read.where, read.server, read.several) == (where, server, several)


def test_of_several_hosts_the_one_that_was_chosen_is_told_and_all_are_named() -> None:
    read = from_environment({"DATABASE_URL": "postgresql://a:1,b:2/d"})
    chosen = read.model_copy(update={"pinned": Address("b", "10.0.0.2", 2)})
    told = chosen.environment("x")
    assert (told["PGHOST"], told["PGHOSTADDR"], told["PGPORT"]) == ("b", "10.0.0.2", "2")
    assert chosen.server == read.server
    assert not chosen.several


@pytest.mark.parametrize(
    "environment",
    [
        {"POSTGRES_HOST": "a", "DATABASE_URL": "postgresql://b/d?hostaddr=10.0.0.2"},
        {"POSTGRES_HOST": "a", "PGHOSTADDR": "10.0.0.2"},
        {"DATABASE_URL": "postgresql://a/d", "PGHOSTADDR": "10.0.0.2"},
    ],
)
def test_an_address_that_would_lead_away_from_the_named_host_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidRequestError, match="would lead to another address") as refused:
        from_environment(environment)
    assert "hostaddr" in refused.value.action


def test_an_address_beside_its_host_is_taken() -> None:
    environment = {"DATABASE_URL": "postgresql://a/d?hostaddr=10.0.0.1", "PGHOSTADDR": "10.0.0.2"}
    assert from_environment(environment).settings()["hostaddr"] == "10.0.0.1"
    assert from_environment({"PGHOST": "a", "PGHOSTADDR": "10.0.0.2"}).settings()["hostaddr"] == "10.0.0.2"


def test_ports_that_do_not_fit_the_hosts_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"2 ports .* for 1 hosts"):
        from_environment({"POSTGRES_HOST": "c", "DATABASE_URL": "postgresql://a:1,b:2/d"})


def test_a_timeout_of_the_environment_wins_over_ours() -> None:
    assert from_environment({"PGCONNECT_TIMEOUT": "3"}).environment("x")["PGCONNECT_TIMEOUT"] == "3"
    assert Connection(further={"connect_timeout": SecretStr("4")}).environment("x")["PGCONNECT_TIMEOUT"] == "4"


def test_another_drivers_sslmode_in_a_variable_is_explained() -> None:
    with pytest.raises(InvalidRequestError, match="'no-verify' is none of") as refused:
        from_environment({"PGSSLMODE": "no-verify"})
    assert "Write require" in refused.value.action
