"""The user that RDS gives a person, made on a stock server: no superuser, and not to become one."""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

MASTER = "master"
GROUP = "rds_superuser"
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.rds_superuser.html
_OF_THE_GROUP = (
    "pg_monitor",
    "pg_signal_backend",
    "pg_checkpoint",  # since 15
    "pg_read_all_data",
    "pg_write_all_data",
    "pg_maintain",  # since 17
    "pg_create_subscription",  # since 16
)


def create_master(superuser: psycopg.Connection[TupleRow], password: str) -> None:
    """Create the group with the predefined roles that this major knows, and the master as its member.

    It has neither BYPASSRLS nor REPLICATION and cannot give them; it may grant the group to others.
    """
    known = [
        row[0]
        for row in superuser.execute(
            "SELECT rolname::text FROM pg_roles WHERE rolname = ANY(%s)", (list(_OF_THE_GROUP),)
        )
    ]
    superuser.execute(
        sql.SQL(
            "CREATE ROLE {group} NOLOGIN; GRANT {held} TO {group};"
            "CREATE ROLE {master} LOGIN NOSUPERUSER CREATEDB CREATEROLE PASSWORD {password};"
            "GRANT {group} TO {master} WITH ADMIN OPTION"
        ).format(
            group=sql.Identifier(GROUP),
            master=sql.Identifier(MASTER),
            held=sql.SQL(", ").join(map(sql.Identifier, known)),
            password=sql.Literal(password),
        )
    )
