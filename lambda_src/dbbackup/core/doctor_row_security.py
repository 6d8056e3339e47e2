"""Whether policies would hide rows from a dump, and what lets it read them all without a superuser."""

from __future__ import annotations

from typing import Final

from dbbackup.core.doctor import Finding, failed, fine
from dbbackup.core.doctor_ports import GuardedTable, ServerLook
from dbbackup.core.doctor_server import quoted, some_of

_FIRST_WITH_INHERIT: Final = 16
"""https://www.postgresql.org/docs/16/sql-grant.html"""


def row_security_finding(tables: tuple[GuardedTable, ...], look: ServerLook) -> Finding:
    """Whether our user is subject to policies, and the statements that end it.

    A table's owner, and so whoever inherits the owner's rights, is not subject to them unless they are forced. Only a
    superuser gives BYPASSRLS, and RDS gives nobody one. https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """
    if not tables:
        return fine("no policy hides rows from this user")
    found = f"{look.user} is subject to the policies of the tables: {some_of([table.name for table in tables])}"
    user = quoted(look.user)
    stuck = dict.fromkeys(table.owner for table in tables if not table.ours and not table.can_be_granted)
    if stuck:
        owners = " and ".join(quoted(owner) for owner in stuck)
        return failed(
            found,
            f"Where there is no superuser, as on RDS, back up as their owner {owners}. As a superuser: "
            f"ALTER ROLE {user} BYPASSRLS;",
        )
    options = " WITH INHERIT TRUE" if look.major >= _FIRST_WITH_INHERIT else ""
    owners_needed = dict.fromkeys(table.owner for table in tables if not table.ours)
    statements = [f"GRANT {quoted(owner)} TO {user}{options};" for owner in owners_needed]
    forced = [f"ALTER TABLE {table.name} NO FORCE ROW LEVEL SECURITY;" for table in tables if table.forced]
    warned = (
        "NO FORCE frees the owner, too, so let the application connect as another role than the owner. "
        if forced
        else ""
    )
    return failed(
        found,
        "A superuser, where there is one, gives the narrower right BYPASSRLS. "
        f"{warned}Without one (on RDS: as the master user): {' '.join((*statements, *forced))}",
    )
