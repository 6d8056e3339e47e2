"""Entries that failed are tried again one by one, and pg_restore is not started for each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dbbackup.adapters.restore_tools import RestoreTools
from dbbackup.core.restore_plan import RestoreOptions
from dbbackup.operations.entry_scripts import entry_scripts
from dbbackup.operations.filling import Filling
from tests.integration.test_archive_toc import dumped
from tests.support.databases import Database, DatabaseMaker
from tests.support.hard_objects import OBJECTS, OWNER

# What looks like the words that pg_restore puts between entries, in a body, in a comment and in names.
_LIKE_AN_ENTRY = "\n--\n-- Name: x; Type: TABLE; Schema: public; Owner: y\n--\n\nSET default_tablespace = '';\n"
_DECEIVING = f"""
    CREATE FUNCTION deceiving() RETURNS text LANGUAGE sql AS $$ SELECT '{_LIKE_AN_ENTRY}' $$;
    CREATE FUNCTION again() RETURNS text LANGUAGE sql AS $$ SELECT '{_LIKE_AN_ENTRY}' $$;
    COMMENT ON FUNCTION again IS '{_LIKE_AN_ENTRY} ''" \n--\n-- PostgreSQL database dump complete\n--\n';
    CREATE VIEW "a\n--\n-- Name: b" AS SELECT 1 AS "c\n--\n-- Name: d";
    CREATE TABLE elsewhere (id int) TABLESPACE "its ""own"" place";
    CREATE TABLE here (id int); CREATE INDEX ON here (id) TABLESPACE "its ""own"" place"; CREATE INDEX ON here (id);
    GRANT SELECT ON "a\n--\n-- Name: b" TO pg_monitor;
    CREATE MATERIALIZED VIEW later AS SELECT 1 AS one; CREATE INDEX ON later (one)
"""
_NOTHING_SAID = re.compile(rb"^(?:--.*|\\(?:un)?restrict .*|)$")

_PLACE = (b"SET default_tablespace", b"SET default_table_access_method")


class _Counted(RestoreTools):
    runs = 0

    @contextmanager
    def script(
        self, archive: Path, numbers: Sequence[int], options: RestoreOptions, *, tablespaces: bool
    ) -> Iterator[Iterator[bytes]]:
        self.runs += 1
        with super().script(archive, numbers, options, tablespaces=tablespaces) as chunks:
            yield chunks


@pytest.fixture
def place(new_database: DatabaseMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = new_database()
    with database.superuser.connect() as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute('CREATE TABLESPACE "its ""own"" place" LOCATION \'\'')
    yield database.superuser
    database.superuser.server.execute(f'DROP DATABASE "{database.name}" WITH (FORCE)')
    database.superuser.server.execute('DROP TABLESPACE "its ""own"" place"')
    database.superuser.server.execute(f'DROP ROLE IF EXISTS "{OWNER}"')


def _said(script: bytes) -> list[bytes]:
    return [line for line in script.split(b"\n") if not _NOTHING_SAID.match(line)]


@pytest.mark.parametrize("options", [RestoreOptions("x"), RestoreOptions("x", owner=False, privileges=False)])
def test_each_is_what_pg_restore_writes_of_it_alone(place: Database, tmp_path: Path, options: RestoreOptions) -> None:
    place.execute(OBJECTS)
    place.execute(_DECEIVING)
    archive = dumped(place, tmp_path / "archive", "--format=custom")
    tools = _Counted(place.server.bindir, place.parameters)
    contents = tools.contents(archive)
    filling = cast(
        "Filling",
        SimpleNamespace(
            archive=archive, contents=contents, options=options, plan=SimpleNamespace(no_tablespaces=False)
        ),
    )
    for order in (contents.items, contents.items[::-1]):
        numbers = [entry.dump_id for entry in order if entry.kind not in ("DATABASE", "ENCODING", "STDSTRINGS")]
        tools.runs = 0
        scripts = entry_scripts(filling, numbers, tools)
        assert tools.runs < 60
        without_data = [number for number in numbers if not contents.by_id[number].has_data]
        assert len(scripts) > 0.8 * len(without_data)
        for number, script in scripts.items():
            with tools.script(archive, (number,), options, tablespaces=True) as chunks:
                alone = _said(b"".join(chunks))
            # Where something may lie means nothing to what lies nowhere, a partitioned table for example.
            places = tuple(line.partition(b" = ")[0] for line in alone if line.startswith(_PLACE))
            said = [line for line in _said(script) if not line.startswith(_PLACE) or line.startswith(places)]
            assert said == alone, contents.by_id[number].description
