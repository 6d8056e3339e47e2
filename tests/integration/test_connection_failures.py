"""No connection, no backup: each with its reason, and never with a password."""

from __future__ import annotations

import contextlib
import json
import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.errors import ConnectionFailedError, CredentialsError, DbBackupError
from dbbackup.core.ports import Progress
from devtools.postgres import free_port
from tests.support.backups import take
from tests.support.command import dbbackup
from tests.support.databases import Database
from tests.support.function import Function, failures_counted

WRONG = "the wrong passw0rd"


def _everything_in(error: BaseException) -> str:
    """All that a log could show of an error: its chain, their texts, their attributes."""
    texts = ["".join(traceback.format_exception(error))]
    link: BaseException | None = error
    while link is not None:
        texts += [repr(link), str(link), repr(vars(link)), repr(link.args)]
        link = link.__cause__ or link.__context__
    return "\n".join(texts)


def _fails(function: Function, kind: type[DbBackupError], output: Callable[[], str], secrets: list[str]) -> str:
    with pytest.raises(kind) as failure:
        function.invoke()
    said = output()
    assert failures_counted(said) == 1
    assert function.bucket.names() == []
    assert function.bucket.unfinished_uploads() == []
    assert failure.value.action
    assert failure.value.untouched
    shown = said + _everything_in(failure.value)
    assert not [secret for secret in secrets if secret in shown]
    return f"{failure.value.what} {failure.value.action}"


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that was written and logged, at the finest level, AWS's own library included."""
    caplog.set_level(logging.DEBUG, "dbbackup")

    def read() -> str:
        written = capsys.readouterr()
        return written.out + written.err + caplog.text

    return read


def test_nobody_listens(function: Function, output: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PORT", str(free_port()))
    said = _fails(function, ConnectionFailedError, output, [function.database.server.password])
    assert "nothing listens there" in said
    assert "Check that the server runs" in said


def test_the_password_is_wrong(function: Function, output: Callable[[], str]) -> None:
    function.store_secret(json.dumps({"username": "postgres", "password": WRONG}))
    said = _fails(function, ConnectionFailedError, output, [WRONG])
    assert "the server refused the password" in said
    assert "a rotation may be under way" in said


def test_the_host_is_unknown(function: Function, output: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_HOST", "db.invalid")
    assert "host" in _fails(function, ConnectionFailedError, output, [function.database.server.password])


def test_the_database_is_missing(
    function: Function, output: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_NAMES", '["no such database"]')
    said = _fails(function, ConnectionFailedError, output, [function.database.server.password])
    assert "there is no database 'no such database'" in said


def test_the_secret_is_missing(function: Function, output: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_SECRET_ARN", function.secret + "-gone")
    said = _fails(function, CredentialsError, output, [function.database.server.password])
    assert "ResourceNotFoundException" in said
    assert "deploy again if the secret was replaced" in said


@pytest.mark.parametrize(
    "content",
    [
        f"{WRONG}",
        f'{{"username": "u", "password": "{WRONG}"',
        f'["{WRONG}"]',
        f'"{WRONG}"',
        f'{{"username": "", "password": "{WRONG}"}}',
        f'{{"username": "u", "pass": "{WRONG}"}}',
        f'{{"username": 1, "password": "{WRONG}"}}',
        f'{{"username": "u", "password": ["{WRONG}"]}}',
        '{"username": "u", "password": ""}',
        "null",
    ],
)
def test_the_secret_is_malformed(function: Function, output: Callable[[], str], content: str) -> None:
    function.store_secret(content)
    said = _fails(function, CredentialsError, output, [WRONG])
    assert "not a JSON object with a username and a password" in said
    assert "Restore its previous version" in said


def test_a_binary_secret_is_malformed_too(function: Function, output: Callable[[], str]) -> None:
    client = function.bucket.aws.client("secretsmanager")
    client.put_secret_value(SecretId=function.secret, SecretBinary=WRONG.encode())
    assert "not a JSON object" in _fails(function, CredentialsError, output, [WRONG])


def test_the_command_ends_with_status_1_and_says_what_to_do(database: Database) -> None:
    ended = dbbackup("backup", "--json", environment={**database.environment(), "POSTGRES_PASSWORD": WRONG})
    assert ended.status == 1
    assert ended.document["error"] == "connection"
    assert "the server refused the password" in ended.err
    assert "Check the user and password" in ended.err
    assert WRONG not in ended.out + ended.err


def test_a_database_url_is_never_shown(database: Database) -> None:
    url = f"postgresql://postgres:{WRONG.replace(' ', '%20')}@127.0.0.1:{database.server.port}/{database.name}"
    ended = dbbackup("backup", environment={"DATABASE_URL": url})
    assert ended.status == 1
    assert url not in ended.out + ended.err
    assert "passw0rd" not in ended.out + ended.err


def test_no_password_is_on_a_command_line_while_a_backup_runs(large_database: Database, tmp_path: Path) -> None:
    seen = set()

    def look_around(_: Progress) -> None:
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                seen.add(" ".join(child.cmdline()))

    take(large_database, DirectoryStore(tmp_path), listener=look_around)
    assert any("--snapshot" in line for line in seen)
    assert any("--use-list" in line for line in seen)
    assert not [line for line in seen if large_database.server.password in line]
