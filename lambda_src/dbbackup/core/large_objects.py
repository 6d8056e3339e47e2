"""The right to read large objects, which no predefined role gives."""

from __future__ import annotations


def grant_large_objects(user: str) -> str:
    """The statement that lets a user, quoted as it stands in one, read every large object.

    One GRANT for each is what PostgreSQL has: there is no ALL LARGE OBJECTS.
    https://www.postgresql.org/docs/current/sql-grant.html
    """
    grant = f"format('GRANT SELECT ON LARGE OBJECT %s TO {user.replace(chr(39), chr(39) * 2).replace('%', '%%')}', o)"
    return f"DO $$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP EXECUTE {grant}; END LOOP; END $$;"  # noqa: E501, S608
