from __future__ import annotations

import pytest

from dbbackup.contract import EnvKey
from dbbackup.core.compression import Method
from dbbackup.core.errors import InvalidRequestError
from dbbackup.handlers.environment import FunctionEnvironment, read_environment

COMPLETE = {
    "BACKUP_BUCKET": "backups",
    "BACKUP_ENVIRONMENT": "prod",
    "DB_HOST": "db.internal",
    "DB_NAMES": '["ftry", "reporting"]',
    "DB_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:db",
}
READ_BY_POWERTOOLS = {EnvKey.METRICS_NAMESPACE, EnvKey.SERVICE_NAME, EnvKey.LOG_LEVEL}


def test_every_key_of_the_contract_is_read() -> None:
    aliases = {field.alias for field in FunctionEnvironment.model_fields.values()}
    assert aliases == {key.value for key in EnvKey} - {key.value for key in READ_BY_POWERTOOLS}


def test_the_defaults_are_the_safe_ones() -> None:
    read = read_environment(COMPLETE)
    assert (read.sslmode, read.compression, read.compression_level, read.port) == ("verify-full", Method.AUTO, 9, 5432)


def test_all_values_are_taken() -> None:
    read = read_environment(
        {
            **COMPLETE,
            "BACKUP_COMPRESSION": "gzip",
            "BACKUP_COMPRESSION_LEVEL": "6",
            "BACKUP_DEADLINE_MARGIN_SECONDS": "30",
            "DB_PORT": "5433",
            "DB_INSTANCE_IDENTIFIER": "ftry-prod",
            "DB_SSLMODE": "require",
            "DB_SSLROOTCERT": "/ca.pem",
            "SOMETHING_ELSE": "ignored",
        }
    )
    assert (read.compression, read.compression_level) == (Method.GZIP, 6)
    assert (read.deadline_margin_seconds, read.port, read.instance) == (30, 5433, "ftry-prod")
    assert (read.sslmode, read.sslrootcert, read.names) == ("require", "/ca.pem", ("ftry", "reporting"))


def test_the_first_database_is_meant_where_none_is_named() -> None:
    read = read_environment(COMPLETE)
    assert (read.database(None), read.database("reporting")) == ("ftry", "reporting")


def test_a_database_that_is_not_ours_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"'postgres' is not one of .* ftry, reporting"):
        read_environment(COMPLETE).database("postgres")


@pytest.mark.parametrize("name", COMPLETE)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        read_environment({key: value for key, value in COMPLETE.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKUP_BUCKET", "ab"),
        ("BACKUP_ENVIRONMENT", ""),
        ("BACKUP_COMPRESSION", "lzma"),
        ("BACKUP_COMPRESSION_LEVEL", "best"),
        ("BACKUP_DEADLINE_MARGIN_SECONDS", "0"),
        ("DB_HOST", ""),
        ("DB_PORT", "0"),
        ("DB_PORT", "65536"),
        ("DB_NAMES", "[]"),
        ("DB_NAMES", '{"a": 1}'),
        ("DB_NAMES", '["a", 1]'),
        ("DB_NAMES", "ftry"),
        ("DB_SECRET_ARN", ""),
    ],
)
def test_an_impossible_value_is_refused_naming_the_variable(name: str, value: str) -> None:
    with pytest.raises(InvalidRequestError, match=name) as refused:
        read_environment({**COMPLETE, name: value})
    assert "Deploy the backup stack again" in refused.value.action


def test_several_problems_are_named_at_once() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_environment({"DB_PORT": "x"})
    assert all(name in refused.value.what for name in (*COMPLETE, "DB_PORT"))
