"""Memberships that a restore has for its time and gives back, so that it may act as the owners of what it makes.

A role of its own becomes a member of those owners, and we become a member of that role: no membership that anybody
else has given or looks at is touched, two restores at once share none, and to give all back is to drop the role. It is
created with all its memberships in one transaction, so whatever moment a restore is killed at, its name is there for
the next run to find, or nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.statements import rows, run
from dbbackup.core.acting_role import COMMENT, PATTERN, acting_role, left_over
from dbbackup.core.quoting import quote_name
from dbbackup.core.restore_plan import Skip
from dbbackup.core.role_statements import FIRST_MAJOR_WITH_MEMBERSHIP_OPTIONS

_STARTED = "(extract(epoch FROM backend_start) * 1000000)::bigint"
_OURS = f"SELECT current_user, pid, {_STARTED} FROM pg_stat_activity WHERE pid = pg_backend_pid()"  # noqa: S608
_SESSIONS = f"SELECT pid, {_STARTED} FROM pg_stat_activity"  # noqa: S608
# Nobody but ourselves can be the grantor of what ourselves are given, so nobody can pass a role off as ours.
# https://www.postgresql.org/docs/current/sql-grant.html#SQL-GRANT-DESCRIPTION-ROLES
_MADE_BY_US = """
    SELECT r.rolname FROM pg_roles r JOIN pg_auth_members m ON m.roleid = r.oid
    WHERE r.rolname ~ %s
      AND current_user IN (SELECT rolname FROM pg_roles WHERE oid = m.member AND oid = m.grantor)
"""
# What pg_has_role says of USAGE and SET (MEMBER, before 16), but for the roles of other restores: they go with those.
_ACTS_AS = """
    WITH RECURSIVE
    me AS (SELECT oid, rolsuper FROM pg_roles WHERE rolname = current_user),
    given AS (
        SELECT m.roleid, m.member, {inherits} AS inherits, {may_set} AS may_set
        FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles member ON member.oid = m.member
        WHERE r.rolname !~ %s OR r.rolname = %s
    ),
    used(oid) AS (SELECT oid FROM me UNION SELECT roleid FROM given JOIN used ON member = used.oid AND inherits),
    assumed(oid) AS (SELECT oid FROM me UNION SELECT roleid FROM given JOIN assumed ON member = assumed.oid AND may_set)
    SELECT rolname FROM pg_roles
    WHERE (SELECT rolsuper FROM me) OR (oid IN (SELECT oid FROM used) AND oid IN (SELECT oid FROM assumed))
"""


class Memberships:
    """Memberships of the user of a session."""

    def __init__(self, session: psycopg.Connection[TupleRow]) -> None:
        self._session = session
        self._have_options = session.info.server_version // 10000 >= FIRST_MAJOR_WITH_MEMBERSHIP_OPTIONS
        me, process, started = rows(session, _OURS)[0]
        self._me = str(me)
        self._role = acting_role(process, started)

    def possible(self, roles: Iterable[str]) -> frozenset[str]:
        """Of these roles the ones that we can act as, some by a membership taken; tried, and taken back.

        Raises:
            psycopg.Error: the connection was lost.
        """
        wanted = frozenset(roles)
        with self._session.transaction(force_rollback=True):
            missing = sorted(wanted - self._acts_as())
            if missing and self._can(self._make):
                for role in missing:
                    self._can(partial(self._give, role, self._role))
            return wanted & self._acts_as()  # who has NOINHERIT gains nothing by it, before 16

    def _can(self, what: Callable[[], None]) -> bool:
        try:
            with self._session.transaction():
                what()
        except psycopg.Error:
            if self._session.broken:
                raise
            return False
        return True

    @contextmanager
    def held(self, roles: Iterable[str]) -> Iterator[list[Skip]]:
        """Be able to act as these roles until the context ends.

        Returns:
            What the server refused to take back; it is there when the context has ended.

        Raises:
            psycopg.Error: we may not act as one of them.
        """
        refused: list[Skip] = []
        missing = sorted(set(roles) - self._acts_as())
        try:
            if missing:
                with self._session.transaction():
                    self._make()
                    for role in missing:  # in order: so does everybody, and nobody waits for each other
                        self._give(role, self._role)
            yield refused
        finally:
            if missing and not self._session.broken:  # the next run finds what a lost session has left
                refused += remove_acting_role(self._session, self._role)

    def _acts_as(self) -> frozenset[str]:
        inherits, may_set = "member.rolinherit", "true"
        if self._have_options:
            inherits, may_set = "m.inherit_option", "m.set_option"
        query = _ACTS_AS.format(inherits=inherits, may_set=may_set)
        return frozenset(row[0] for row in rows(self._session, query, PATTERN, self._role))

    def _make(self) -> None:
        run(self._session, "CREATE ROLE {}", self._role)
        run(self._session, "COMMENT ON ROLE {} IS {c}", self._role, c=COMMENT)
        self._give(self._role, self._me)

    def _give(self, role: str, to: str) -> None:
        """Make a member who has the role's rights and may set it.

        From 16 on, who has created a role may administer it and nothing else, until he gives himself more:
        https://www.postgresql.org/docs/current/role-attributes.html
        """
        options = " WITH INHERIT TRUE, SET TRUE" if self._have_options else ""
        run(self._session, f"GRANT {{}} TO {{}}{options}", role, to)


def acting_roles_left_over(session: psycopg.Connection[TupleRow]) -> tuple[str, ...]:
    """Roles that hold the memberships of restores of ours that are gone."""
    # In this order: the session of a role that we have seen was there before we ask for sessions.
    names = [row[0] for row in rows(session, _MADE_BY_US, PATTERN)]
    return left_over(names, dict(rows(session, _SESSIONS)))


def remove_acting_role(session: psycopg.Connection[TupleRow], name: str) -> list[Skip]:
    """Give back all memberships of a restore.

    Returns:
        What the server refused; empty where it is done, or another run has done it.
    """
    try:
        run(session, "DROP ROLE IF EXISTS {}", name)
    except psycopg.Error as error:
        if session.broken:
            return []  # the next run finds it
        if rows(session, "SELECT FROM pg_roles WHERE rolname = %s", name):
            words = " ".join(str(error).split())
            what = f"removal of the role {name!r}, which holds memberships for a restore"
            return [Skip(what, words, f"DROP ROLE {quote_name(name)}")]
    return []
