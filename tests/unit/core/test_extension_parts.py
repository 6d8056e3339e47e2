from __future__ import annotations

import pytest

from dbbackup.core.archive_toc import Entry
from dbbackup.core.extension_parts import dependents_of, orphans_of, parts_of
from tests.unit.core.archive_entries import contents, entry

MADE_BY_IT = 900  # the number of an object that is not in the archive


def _extension(name: str, schema: str) -> Entry:
    definition = f"CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA {schema};"
    return entry(1, "EXTENSION", name, definition=definition)


def test_what_needs_an_entry_at_first_or_second_hand_is_found() -> None:
    archive = contents(
        entry(1, "TYPE"),
        entry(2, "TABLE", dependencies=(1,)),
        entry(3, "TABLE DATA", dependencies=(2,)),
        entry(4, "TABLE"),
        entry(5, "VIEW", dependencies=(4, 3)),
    )
    assert dependents_of(archive, [1]) == {2, 3, 5}
    assert dependents_of(archive, [1, 3]) == {2, 5}
    assert dependents_of(archive, [5]) == set()


def test_a_user_mapping_needs_the_server_that_its_statement_names() -> None:
    definition = 'CREATE USER MAPPING FOR "SERVER" SERVER "far away" OPTIONS (\n    "user" \'SERVER near\'\n);'
    mapping = entry(3, "USER MAPPING", 'USER MAPPING SERVER SERVER "far away"', definition=definition)
    archive = contents(entry(1, "SERVER", "far away"), entry(2, "SERVER", "near"), mapping)
    assert dependents_of(archive, [1]) == {3}
    assert dependents_of(archive, [2]) == set()


def test_entries_that_need_each_other_end_the_search() -> None:
    archive = contents(entry(1, "VIEW", dependencies=(2,)), entry(2, "RULE", dependencies=(1,)))
    assert dependents_of(archive, [1]) == {2}


def test_what_is_about_objects_that_are_not_in_the_archive_is_found() -> None:
    about = entry(3, "ACL", dependencies=(MADE_BY_IT,))
    assert orphans_of(contents(entry(1, "TABLE"), entry(2, "ACL", dependencies=(1,)), about)) == (about,)


@pytest.mark.parametrize(
    ("extension", "about"),
    [
        (_extension("hstore", "maps"), {"schema": "maps"}),
        (_extension("hstore", '"My Maps"'), {"schema": "My Maps"}),
        (_extension("pg_cron", "pg_catalog"), {"schema": "cron"}),
        (_extension("pg_cron", "pg_catalog"), {"tag": "SCHEMA cron"}),
        (_extension("topology", "public"), {"schema": "topology"}),
    ],
    ids=["schema", "quoted schema", "known schema", "schema itself", "same name"],
)
def test_what_is_about_an_extensions_own_objects_belongs_to_it(extension: Entry, about: dict[str, str]) -> None:
    part = entry(2, "ACL", dependencies=(MADE_BY_IT,), **about)
    assert parts_of(contents(extension, part), extension) == {1, 2}


@pytest.mark.parametrize("schema", ["public", "pg_catalog"])
def test_what_is_about_other_objects_of_a_shared_schema_does_not(schema: str) -> None:
    extension = _extension("hstore", schema)
    other = entry(2, "ACL", schema=schema, dependencies=(MADE_BY_IT,))
    own = entry(3, "TABLE", schema="hstore")
    assert parts_of(contents(extension, other, own), extension) == {1}


def test_nor_does_what_somebody_made_with_it() -> None:
    extension = _extension("hstore", "maps")
    table = entry(3, "TABLE", schema="maps", dependencies=(1,))
    assert parts_of(contents(extension, table), extension) == {1}
