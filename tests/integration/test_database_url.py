"""What ``DATABASE_URL`` says reaches our own sessions and PostgreSQL's programs alike."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from dbbackup.adapters.postgres_tools import PostgresTools
from dbbackup.core.compression import Compression, Method
from dbbackup.core.deadline import NO_DEADLINE
from dbbackup.core.errors import DumpFailedError, InvalidRequestError
from devtools.postgres import free_port
from tests.support.bindirs import with_program
from tests.support.command import dbbackup
from tests.support.databases import Database


def _url(database: Database, *, host: str = "127.0.0.1", port: object = None, query: str = "") -> dict[str, str]:
    server = database.server
    named = f"{server.user}:{quote(server.password)}@{host}:{port or server.port}/{quote(database.name)}"
    return {"DATABASE_URL": f"postgresql+psycopg://{named}?{query}", "PG_BINDIR": str(server.bindir)}


def test_what_others_have_written_into_it_is_left_out_with_a_note(database: Database, tmp_path: Path) -> None:
    environment = _url(database, query="schema=public&pgbouncer=true&keepalives_idle=20&require_auth=scram-sha-256")
    done = dbbackup("backup", "--directory", tmp_path, "--json", environment=environment)
    assert done.status == 0, done.err
    assert done.document["manifest"]["source"]["database"] == database.name
    assert done.err.count("they were left out: schema, pgbouncer.") == 1


def test_of_several_hosts_one_that_answers_is_taken_for_everything(database: Database, tmp_path: Path) -> None:
    port = database.server.port
    query = "target_session_attrs=read-write&tcp_user_timeout=9"
    environment = _url(database, host=f"127.0.0.1:{free_port()},127.0.0.1", query=query)
    # The snapshot is of one server: pg_dump must not choose anew.
    told_one = f'[ "$PGHOST:$PGHOSTADDR:$PGPORT" = "127.0.0.1:127.0.0.1:{port}" ]'
    spy = f'[ -z "$PGHOST" ] || {told_one} || exit 9\nexec "$REAL" "$@"'
    environment["PG_BINDIR"] = str(with_program(tmp_path, "pg_dump", spy))
    done = dbbackup("backup", "--directory", tmp_path, "--json", environment=environment)
    assert done.status == 0, done.err
    assert done.document["manifest"]["source"]["host"].endswith(f",127.0.0.1:{port}")
    environment["POSTGRES_DB"] = f"{database.name}_copy"
    try:
        done = dbbackup("restore", "latest", "--directory", tmp_path, "--jobs", "3", environment=environment)
        assert done.status == 0, done.err
    finally:
        database.server.execute(f'DROP DATABASE IF EXISTS "{database.name}_copy"')


@pytest.mark.parametrize(
    ("keyword", "value", "said"),
    [
        ("require_auth", "md5", "SASL authentication"),
        ("keepalives", "never", 'invalid integer value "never"'),
        ("tcp_user_timeout", "hunter2", "tcp_user_timeout"),
    ],
)
def test_the_client_programs_are_told_also_what_no_variable_stands_for(
    database: Database, keyword: str, value: str, said: str
) -> None:
    connection = database.parameters.model_copy(update={"further": {keyword: SecretStr(value)}})
    tools = PostgresTools(database.server.bindir, connection)
    with tools.start_dump("none", Compression(Method.GZIP, 1)) as dump, pytest.raises(DumpFailedError) as failure:
        dump.wait()
    assert said in failure.value.what


def test_a_secret_without_a_variable_is_in_no_file_no_environment_and_no_command_line(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    spy = tmp_path / "bin" / "pg_dumpall"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\nenv; echo "$@"; cat "$PGSERVICEFILE"; ls -A {tmp_path}\n')
    spy.chmod(0o755)
    connection = database.parameters.model_copy(update={"further": {"sslpassword": SecretStr("hunter2")}})
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    said = PostgresTools(spy.parent, connection).dump_roles(NO_DEADLINE).decode()
    assert said.count("hunter2") == 1, "only whoever reads the private service sees it"
    assert "sslpassword=hunter2\nbin\n" in said
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_a_value_that_no_service_can_hold_is_refused(database: Database) -> None:
    connection = database.parameters.model_copy(update={"further": {"sslpassword": SecretStr("a\nhost=elsewhere")}})
    with pytest.raises(InvalidRequestError, match="sslpassword") as refused:
        PostgresTools(database.server.bindir, connection).dump_roles(NO_DEADLINE)
    assert "elsewhere" not in str(refused.value)


def test_a_url_may_name_a_service(database: Database, tmp_path: Path) -> None:
    server = database.server
    services = tmp_path / "services.conf"
    services.write_text(f"[shop]\nhost={server.host}\nport={server.port}\nuser={server.user}\nkeepalives=1\n")
    environment = {
        "DATABASE_URL": f"postgresql:///{database.name}?service=shop&password={quote(server.password)}",
        "PGSERVICEFILE": str(services),
        "PG_BINDIR": str(server.bindir),
    }
    done = dbbackup("backup", "--directory", tmp_path / "backups", environment=environment)
    assert done.status == 0, done.err
    environment["DATABASE_URL"] = "postgresql:///x?service=nowhere"
    done = dbbackup("backup", "--directory", tmp_path / "backups", environment=environment)
    assert done.status == 2
    assert "service 'nowhere' cannot be read" in done.err
    assert "PGSERVICEFILE" in done.err
