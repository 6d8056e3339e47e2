from __future__ import annotations

import traceback
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.connection import Connection, from_environment
from dbbackup.core.errors import InvalidRequestError

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


@pytest.mark.parametrize(
    "query", ["schema=public", "schema=public&connection_limit=5&pgbouncer=true", "pool_timeout=0&sslaccept=strict"]
)
def test_parameters_that_libraries_add_for_themselves_do_no_harm(query: str) -> None:
    read = from_environment({"DATABASE_URL": f"postgres://u:p@h/db?{query}"})
    assert (read.host, read.user, read.database) == ("h", "u", "db")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_percent_encoded_password_is_read(password: str) -> None:
    read = from_environment({"DATABASE_URL": f"postgresql://u:{quote(password, safe='')}@h:5432/d"})
    assert (_password(read), read.host, read.port) == (password, "h", 5432)


def test_an_ipv6_address_is_read_without_its_brackets() -> None:
    read = from_environment({"DATABASE_URL": "postgresql://u@[2001:db8::1]:5433/d"})
    assert (read.host, read.port) == ("2001:db8::1", 5433)


def test_a_socket_folder_may_be_the_host() -> None:
    assert (
        from_environment({"DATABASE_URL": "postgresql://u@/d?host=/var/run/postgresql"}).host == "/var/run/postgresql"
    )
    assert from_environment({"DATABASE_URL": "postgresql://u@%2Fvar%2Frun/d"}).host == "/var/run"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@h/d",
        "postgresql://u:hunter2@h:port/d",
        "postgresql://u:hunter2@h:99999/d",
        "postgresql://u:hunter2@[::1/d",
        "postgresql://u:hunter2@h/d?surprise=1",
        "u:hunter2@h/d",
        "postgresql://u:\u2100hunter2@h/d",
        "postgresql://u:hunter2/with-a-slash@h/d",
        "postgresql://u:hunter2#with-a-hash@h/d",
    ],
)
def test_a_url_that_cannot_be_understood_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InvalidRequestError, match="DATABASE_URL cannot be used") as refused:
        from_environment({"DATABASE_URL": url})
    everything = "".join(traceback.format_exception(refused.value)) + repr(refused.value.as_dict())
    assert refused.value.__cause__ is refused.value.__context__ is None
    assert "hunter2" not in everything
    assert url not in everything
    assert "percent-encoded" in refused.value.action


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
