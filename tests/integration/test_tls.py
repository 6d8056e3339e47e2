"""TLS to the server: its certificate is checked, and nothing is sent to one that cannot show the right one."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dbbackup.adapters.server_inspection import inspect_server
from dbbackup.contract import EnvKey
from dbbackup.core.errors import ConnectionFailedError
from devtools.postgres import PREVIOUS, Server, start_server
from tests.support.bindirs import previous_programs
from tests.support.buckets import Bucket
from tests.support.certificates import Authority
from tests.support.command import dbbackup
from tests.support.databases import Database
from tests.support.function import deploy, failures_counted

pytestmark = pytest.mark.xdist_group("previous")
# pg_dumpall comes from a build without TLS (see previous_programs), so it goes without: the server takes both.
WITHOUT_TLS = "unset PGSSLMODE PGSSLROOTCERT"


@dataclass(frozen=True)
class TlsServer:
    server: Server
    right: Path
    wrong: Path


@pytest.fixture(scope="module")
def tls() -> Iterator[TlsServer]:
    folder = Path(tempfile.mkdtemp(prefix="tls-"))
    folder.chmod(0o755)  # the server may run as another user
    authority = Authority("the right authority")
    certificate, key = folder / "server.crt", folder / "server.key"
    authority.issue("localhost", certificate, key)
    key.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(key, pwd.getpwnam("nobody").pw_uid, -1)
    settings = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
    try:
        with start_server(PREVIOUS, settings) as server:
            right = authority.write(folder / "right.pem")
            yield TlsServer(server.master, right, Authority("another authority").write(folder / "wrong.pem"))
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def secured(tls: TlsServer) -> Iterator[Database]:
    tls.server.execute("CREATE DATABASE secured")
    database = Database(tls.server, "secured")
    database.execute("CREATE TABLE t AS SELECT 1 AS one")
    yield database
    tls.server.execute("DROP DATABASE secured WITH (FORCE)")


def _environment(database: Database, tls: TlsServer, bindir: Path, **changes: str) -> dict[str, str]:
    settings = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(tls.right), "POSTGRES_HOST": "localhost"}
    return {**database.environment(), **settings, "PG_BINDIR": str(bindir), **changes}


def test_a_server_with_the_right_certificate_is_backed_up_over_tls(
    secured: Database, tls: TlsServer, tmp_path: Path
) -> None:
    bindir = previous_programs(tmp_path, dump_roles=WITHOUT_TLS)
    ended = dbbackup(
        "backup", "--json", "--directory", tmp_path / "backups", environment=_environment(secured, tls, bindir)
    )
    assert ended.status == 0, ended.err
    assert ended.document["manifest"]["archive"]["compression"] == "zstd:9"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"PGSSLROOTCERT": "wrong"}, "not signed by an authority we trust"),
        ({"POSTGRES_HOST": "127.0.0.1"}, "the server's certificate is for another host"),
        ({"PGSSLROOTCERT": "/nonexistent/authorities.pem"}, "is not there or cannot be read"),
        ({"PGSSLROOTCERT": "system", "PGSSLMODE": "require"}, "Set PGSSLMODE=verify-full"),
    ],
)
def test_a_server_that_is_not_who_we_asked_for_gets_nothing(
    secured: Database, tls: TlsServer, tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    changes = {name: str(tls.wrong) if value == "wrong" else value for name, value in changes.items()}
    bindir = previous_programs(tmp_path, dump_roles=WITHOUT_TLS)
    environment = _environment(secured, tls, bindir, **changes)
    ended = dbbackup("backup", "--json", "--directory", tmp_path / "backups", environment=environment)
    assert ended.status == 1
    assert ended.document["error"] == "connection"
    assert reason in ended.err
    assert not (tmp_path / "backups").exists()


def test_a_server_without_tls_is_refused_when_tls_is_demanded(database: Database, tmp_path: Path) -> None:
    environment = {**database.environment(), "PGSSLMODE": "require"}
    ended = dbbackup("backup", "--directory", tmp_path / "backups", environment=environment)
    assert ended.status == 1
    assert "the server does not offer TLS" in ended.err
    assert not (tmp_path / "backups").exists()


@pytest.mark.parametrize(("authority", "succeeds"), [("right", True), ("wrong", False)])
def test_the_function_checks_the_certificate_against_the_bundle_it_is_given(
    secured: Database,
    tls: TlsServer,
    bucket: Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    authority: str,
    succeeds: bool,
) -> None:
    changes = {
        EnvKey.DB_HOST.value: "localhost",
        EnvKey.DB_SSLMODE.value: "verify-full",
        EnvKey.DB_SSLROOTCERT.value: str(tls.right if authority == "right" else tls.wrong),
        "PG_BINDIR": str(previous_programs(tmp_path, dump_roles=WITHOUT_TLS)),
    }
    function = deploy(bucket, secured, monkeypatch, **changes)
    if succeeds:
        assert function.invoke()["status"] == "created"
    else:
        with pytest.raises(ConnectionFailedError, match="authority we trust") as failure:
            function.invoke()
        assert "bundle in the image may be older" in failure.value.action
        assert bucket.names() == []
    assert failures_counted(capsys.readouterr().out) == (0 if succeeds else 1)


@pytest.mark.parametrize(("sslmode", "encrypted"), [("verify-full", True), ("require", True), ("disable", False)])
def test_the_doctor_sees_how_the_connection_is_protected(
    secured: Database, tls: TlsServer, sslmode: str, encrypted: bool
) -> None:
    how = {"host": "localhost", "sslmode": sslmode, "sslrootcert": str(tls.right)}
    with inspect_server(secured.parameters.model_copy(update=how)) as server:
        look = server.look()
    assert (look.encrypted, look.sslmode) == (encrypted, sslmode)
