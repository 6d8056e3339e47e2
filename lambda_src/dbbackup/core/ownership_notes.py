"""Who owns what, and who has lost what, after a restore that left ownership or grants out."""

from __future__ import annotations

from collections import Counter, defaultdict

from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.needed_roles import ACL_KINDS, grantees_of, is_of_database, owner_of
from dbbackup.core.restore_plan import RestoreOptions
from dbbackup.core.sql_tokens import statements


def ownership_notes(contents: TableOfContents, options: RestoreOptions, user: str) -> tuple[str, ...]:
    """What a person must know who left ownership or grants out; nothing where neither was."""
    notes = []
    if not options.owner:
        owned = Counter(owner_of(entry) for entry in contents.items if not is_of_database(entry))
        del owned[""]
        schemas: dict[str, set[str]] = defaultdict(set)
        for entry in contents.items:
            if owner_of(entry) and entry.schema:
                schemas[owner_of(entry)].add(entry.schema)
        for owner, count in sorted(owned.items()):
            if owner != user:
                notes.append(
                    f"{count} objects that belonged to {owner!r} belong to {user!r} now, and {owner!r} has no rights "
                    f"on them by that: {_grants(owner, sorted(schemas[owner]))}"
                )
    if not options.privileges:
        lost: Counter[str] = Counter()
        for entry in contents.items:
            if entry.kind in ACL_KINDS and not is_of_database(entry):
                for statement in statements(entry.definition):
                    if statement.after("TO"):
                        lost.update(grantees_of(statement) or {"PUBLIC"})
        for grantee, count in sorted(lost.items()):
            notes.append(f"{count} grants to {grantee} were left out")
    return tuple(notes)


def _grants(owner: str, schemas: list[str]) -> str:
    role = _quoted(owner)
    said = [
        f"GRANT {what} SCHEMA {_quoted(schema)} TO {role};"
        for schema in schemas
        for what in ("USAGE ON", "ALL ON ALL TABLES IN", "ALL ON ALL SEQUENCES IN")
    ]
    return " ".join(said) or f"GRANT what it needs TO {role};"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
