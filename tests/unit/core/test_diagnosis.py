from __future__ import annotations

import pytest

from dbbackup.core.diagnosis import connection_failure, dump_remedy


@pytest.mark.parametrize(
    ("said", "reason", "action"),
    [
        ('FATAL:  password authentication failed for user "u"', "refused the password", "user and password"),
        ('FATAL:  no pg_hba.conf entry for host "1.2.3.4"', "does not accept this user", "sslmode"),
        ("port 5432 failed: Connection refused", "nothing listens there", "host and port"),
        ("failed to resolve host 'x'", "host name is not known", "DNS"),
        ("SSL error: certificate verify failed", "authority we trust", "sslrootcert"),
        ('server certificate for "a" does not match host name "b"', "another host", "endpoint"),
        ("server does not support SSL, but SSL was required", "does not offer TLS", "TLS"),
        ("connection timeout expired", "did not answer in time", "security groups"),
        ("FATAL:  sorry, too many clients already", "no connection free", "max_connections"),
        ("FATAL:  the database system is starting up", "starting up", "Wait"),
        ('FATAL:  database "nope" does not exist', "there is no database 'shop'", "--database"),
        ("something new", "the connection failed", "Check that the server runs"),
    ],
)
def test_a_failed_connection_is_explained(said: str, reason: str, action: str) -> None:
    failure = connection_failure(said, where="u@h:5432", database="shop")
    assert reason in failure.what
    assert said.split()[-1] in failure.what, "the server's own words are kept"
    assert "u@h:5432" in failure.what
    assert action in failure.action
    assert failure.untouched


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("ERROR:  permission denied for table t", "pg_read_all_data"),
        ('query would be affected by row-level security policy for table "t"', "BYPASSRLS"),
        ("canceling statement due to lock timeout", "holds a table exclusively"),
        ("FATAL:  terminating connection due to administrator command", "ended the connection"),
        ("server closed the connection unexpectedly", "failover"),
        ("pg_dump: error: aborting because of server version mismatch", "major version or later"),
        ("never seen before", "Read the lines above"),
    ],
)
def test_a_failed_dump_comes_with_a_remedy(said: str, remedy: str) -> None:
    assert remedy in dump_remedy(said)
