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
        ("FATAL:  remaining connection slots are reserved for roles", "no connection free", "needs 2 connections"),
        ('FATAL:  too many connections for role "r"', 'role "r" has no', 'ALTER ROLE "r" CONNECTION LIMIT 3;'),
        ('FATAL:  too many connections for database "d"', 'database "d"', 'ALTER DATABASE "d" CONNECTION LIMIT'),
        ("FATAL:  unsupported startup parameter: options", "pooler", "the server itself"),
        ("FATAL:  the database system is starting up", "starting up", "Wait"),
        ('FATAL:  database "nope" does not exist', "there is no database 'shop'", "--database"),
        (
            'FATAL:  permission denied for database "shop"\nDETAIL:  User does not have CONNECT privilege.',
            "may not connect",
            'GRANT CONNECT ON DATABASE "shop" TO "u";',
        ),
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
        ('query would be affected by row-level security policy for table "t"', "GRANT <owner> TO <user> WITH INHERIT"),
        (
            "HINT:  To disable the policy for the table's owner, use ALTER TABLE NO FORCE ROW LEVEL SECURITY.",
            "NO FORCE",
        ),
        ("canceling statement due to lock timeout", "holds a table exclusively"),
        ("FATAL:  terminating connection due to administrator command", "ended the connection"),
        ("server closed the connection unexpectedly", "failover"),
        ("pg_dump: error: aborting because of server version mismatch", "major version or later"),
        ("never seen before", "Read the lines above"),
        ("could not open large object 1: ERROR:  permission denied for large object 1", "GRANT SELECT ON LARGE OBJECT"),
        ('FATAL:  too many connections for role "r"', 'ALTER ROLE "r" CONNECTION LIMIT'),
        ('ERROR:  invalid snapshot identifier: "00000003-1B-1"', "another server"),
        ('ERROR:  snapshot "00000003-1B-1" does not exist', "another server"),
    ],
)
def test_a_failed_dump_comes_with_a_remedy(said: str, remedy: str) -> None:
    assert remedy in dump_remedy(said)


# As pg_dump 18 says it of 600 MB of bytea.
TOO_LARGE = """pg_dump: error: Dumping the contents of table "Odd t" failed: PQgetResult() failed.
pg_dump: detail: Error message from server: ERROR:  invalid memory alloc request size 1200000003
pg_dump: detail: Command was: COPY public."Odd t" (id, body) TO stdout;"""


def test_a_value_that_is_too_large_for_a_dump_comes_with_the_statement_that_finds_it() -> None:
    remedy = dump_remedy(TOO_LARGE)
    assert 'FROM public."Odd t" WHERE octet_length(COLUMN) > 500000000;' in remedy
    assert "among id, body" in remedy
    assert "lo_from_bytea" in remedy
    assert "UPDATE" in dump_remedy(
        "ERROR:  out of memory DETAIL:  Cannot enlarge string buffer containing 1 bytes by 2"
    )
