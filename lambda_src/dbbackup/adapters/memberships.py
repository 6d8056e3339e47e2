"""Memberships that a restore takes for its time and gives back, so that it may act as the owners of what it makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.statements import rows, run
from dbbackup.core.role_statements import FIRST_MAJOR_WITH_MEMBERSHIP_OPTIONS

_ROWS = """
    SELECT grantor.rolname, m.admin_option, {options}
    FROM pg_auth_members m JOIN pg_roles grantor ON grantor.oid = m.grantor
    WHERE m.roleid = (SELECT oid FROM pg_roles WHERE rolname = %s)
      AND m.member = (SELECT oid FROM pg_roles WHERE rolname = current_user)
"""
_Rows = dict[str, tuple[bool, bool, bool]]


class Memberships:
    """Memberships of the user of a session."""

    def __init__(self, session: psycopg.Connection[TupleRow]) -> None:
        self._session = session
        self._by_grantor = session.info.server_version // 10000 >= FIRST_MAJOR_WITH_MEMBERSHIP_OPTIONS
        self._me = str(rows(session, "SELECT current_user")[0][0])

    def can_act_as(self, role: str) -> bool:
        """Whether no membership has to be taken: we have the role's rights and may set it."""
        kinds = ("USAGE", "SET") if self._by_grantor else ("USAGE", "MEMBER")
        found = rows(self._session, "SELECT pg_has_role(%s, %s), pg_has_role(%s, %s)", *self._pairs(role, kinds))
        return all(found[0])

    @staticmethod
    def _pairs(role: str, kinds: tuple[str, str]) -> tuple[str, ...]:
        return role, kinds[0], role, kinds[1]

    def _rows(self, role: str) -> _Rows:
        options = "m.inherit_option, m.set_option" if self._by_grantor else "true, true"
        return {row[0]: (row[1], row[2], row[3]) for row in rows(self._session, _ROWS.format(options=options), role)}

    def take(self, role: str) -> None:
        """Become a member who has the role's rights and may set it.

        From 16 on, who has created a role may administer it and nothing else, until he gives himself more:
        https://www.postgresql.org/docs/current/role-attributes.html

        Raises:
            psycopg.Error: we may not.
        """
        options = " WITH INHERIT TRUE, SET TRUE" if self._by_grantor else ""
        run(self._session, f"GRANT {{}} TO {{}}{options}", role, self._me)

    @contextmanager
    def held(self, roles: Iterable[str]) -> Iterator[None]:
        """Be able to act as these roles; what had to be taken for that is given back.

        Raises:
            psycopg.Error: we may not act as one of them.
        """
        taken: list[tuple[str, _Rows]] = []
        try:
            for role in sorted(roles):
                if not self.can_act_as(role):
                    before = self._rows(role)
                    taken.append((role, before))
                    self.take(role)
            yield
        finally:
            for role, before in reversed(taken):
                with suppress(psycopg.Error):  # a session that is lost cannot, and nobody has gained by it
                    self._give_back(role, before)

    def _give_back(self, role: str, before: _Rows) -> None:
        for grantor, options in self._rows(role).items():
            if before.get(grantor) == options:
                continue
            by = " GRANTED BY {}" if self._by_grantor else ""
            names = (role, self._me, grantor) if self._by_grantor else (role, self._me)
            if grantor in before:
                admin, inherit, may_set = before[grantor]
                wanted = f"WITH ADMIN {admin}, INHERIT {inherit}, SET {may_set}"
                run(self._session, f"GRANT {{}} TO {{}} {wanted}{by}", *names)
            else:
                run(self._session, f"REVOKE {{}} FROM {{}}{by}", *names)
