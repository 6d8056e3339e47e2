from __future__ import annotations

from dbbackup.core.ownership_notes import ownership_notes
from dbbackup.core.restore_plan import RestoreOptions
from tests.unit.core.archive_entries import contents, entry

ARCHIVE = contents(
    entry(1, "TABLE", "item", schema="s", owner='say "hi"', drop="DROP TABLE s.item;"),
    entry(2, "VIEW", "v", schema="s", owner='say "hi"', drop="DROP VIEW s.v;"),
    entry(3, "SCHEMA", "s", owner="boss", drop="DROP SCHEMA s;"),
    entry(4, "TABLE", "mine", schema="s", owner="admin", drop="DROP TABLE s.mine;"),
    entry(5, "INDEX", "i", schema="s", owner="nobody"),
    entry(6, "ACL", "TABLE item", definition="GRANT ALL ON TABLE s.item TO reader;\nREVOKE ALL ON s.item FROM boss;"),
    entry(
        7, "ACL", "TABLE v", definition="GRANT SELECT(id) ON TABLE s.v TO reader;\nGRANT ALL ON TABLE s.v TO PUBLIC;"
    ),
    entry(
        8,
        "DEFAULT ACL",
        definition="ALTER DEFAULT PRIVILEGES FOR ROLE boss GRANT ALL ON TABLES TO writer;\n"
        "ALTER DEFAULT PRIVILEGES FOR ROLE boss REVOKE ALL ON FUNCTIONS FROM PUBLIC;",
    ),
    entry(9, "ACL", "TABLE item", definition="REVOKE GRANT OPTION FOR ALL ON TABLE s.item FROM boss;"),
    entry(10, "ACL", "DATABASE shop", definition="GRANT ALL ON DATABASE shop TO stranger;"),
)


def test_where_everything_is_restored_nothing_is_to_be_known() -> None:
    assert ownership_notes(ARCHIVE, RestoreOptions("shop"), "admin") == ()


def test_without_ownership_each_former_owner_is_told_what_is_lost_and_how_to_give_it_back() -> None:
    boss, quoted = ownership_notes(ARCHIVE, RestoreOptions("shop", owner=False), "admin")
    assert boss == (
        "1 objects that belonged to 'boss' belong to 'admin' now, and 'boss' has no rights on them by that: "
        'GRANT what it needs TO "boss";'
    )
    assert quoted.startswith("2 objects that belonged to 'say \"hi\"' belong to 'admin' now")
    assert quoted.endswith(
        'GRANT USAGE ON SCHEMA "s" TO "say ""hi"""; GRANT ALL ON ALL TABLES IN SCHEMA "s" TO "say ""hi"""; '
        'GRANT ALL ON ALL SEQUENCES IN SCHEMA "s" TO "say ""hi""";'
    )


def test_without_grants_each_who_had_some_is_named_and_nobody_who_lost_some_before() -> None:
    assert ownership_notes(ARCHIVE, RestoreOptions("shop", privileges=False), "admin") == (
        "1 grants to PUBLIC were left out",
        "2 grants to reader were left out",
        "1 grants to writer were left out",
    )
