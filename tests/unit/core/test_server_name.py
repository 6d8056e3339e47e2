"""What a server is called: one name whoever connects, and another for every other server."""

from __future__ import annotations

import pytest

from dbbackup.core.server_name import rds_instance, server_name

PROD = "ftry-prod.c9akciq32.us-east-1.rds.amazonaws.com"


@pytest.mark.parametrize(
    ("host", "port", "instance", "expected"),
    [
        ("10.0.0.5", 5432, "ftry-prod", "ftry-prod"),
        (PROD, 5432, None, "ftry-prod"),
        (PROD.upper() + ".", None, None, "ftry-prod"),
        ("ftry.cluster-c9akciq32.us-east-1.rds.amazonaws.com", 5432, None, None),
        ("Db1.example.com", 6432, None, "db1.example.com:6432"),
        ("db1", None, None, "db1:5432"),
        ("2001:db8::1", 5433, None, "[2001:db8::1]:5433"),
        (None, None, None, "localhost:5432"),
        ("", 5433, None, "localhost:5433"),
        ("/run/postgresql", None, None, "localhost:5432"),
        ("@postgresql", None, None, "localhost:5432"),
        ("localhost", 5432, None, "localhost:5432"),
        ("127.0.0.1", 5432, None, "localhost:5432"),
        ("::1", 5432, None, "localhost:5432"),
        ("localhost.example.com", 5432, None, "localhost.example.com:5432"),
    ],
    ids=[
        "instance is known",
        "endpoint",
        "endpoint in capitals",
        "cluster",
        "host and port",
        "usual port",
        "address of version 6",
        "libpq's choice",
        "empty",
        "socket",
        "abstract socket",
        "localhost",
        "loopback",
        "loopback of version 6",
        "not this machine",
    ],
)
def test_a_server_is_an_rds_instance_or_a_host_and_a_port(
    host: str | None, port: int | None, instance: str | None, expected: str | None
) -> None:
    assert server_name(host=host, port=port, instance=instance) == (expected or f"{host}:{port}")


def test_a_host_of_nobody_knows_whom_is_no_instance() -> None:
    assert rds_instance(PROD) == "ftry-prod"
    assert rds_instance(None) is None
    assert rds_instance("rds.amazonaws.com") is None
