"""The invariant of a restore as RDS's master: what is planned is what happens, and nothing else is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from psycopg import sql

from devtools.postgres import Server
from tests.support.as_master import Ground, clean
from tests.support.building_blocks import APP, ROLES, Drawn, statements_of
from tests.support.restores import cli

_numbers = count(1)
_DATABASE = "SELECT datdba::regrole::text, datacl::text FROM pg_database WHERE datname = current_database()"


@contextmanager
def roles_of_master(server: Server) -> Iterator[None]:
    """The roles of the building blocks, made by the master."""
    with server.superuser.connect() as session:
        before = {name for (name,) in session.execute("SELECT datname FROM pg_database").fetchall()}
        known = {name for (name,) in session.execute("SELECT rolname FROM pg_roles").fetchall()}
    with server.master.connect() as session:
        for role in ROLES:
            session.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    try:
        yield
    finally:
        clean(server, before, known)


def database_of(server: Server, drawn: Drawn, folder: Path) -> Ground:
    """A database with what was drawn, and a folder for its backup."""
    number = next(_numbers)
    ground = Ground(server.master, f"drawn_{number}", folder / str(number))
    with server.superuser.connect() as session:
        session.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(ground.name), sql.Identifier(APP)))
    ground.execute(statements_of(drawn, _major(server)))
    return ground


def _major(server: Server) -> int:
    return int(server.superuser.value("SHOW server_version_num")) // 10000


def check(ground: Ground) -> str:
    """Back up, restore into a new database as the master, and compare.

    Returns:
        What stood in the way, where something did and nothing was done; empty for a restored database.
    """
    copy = f"{ground.name}_copy"
    if ground.backup().status != 0:  # the master cannot read it all: whoever could, has taken it
        taken = cli("backup", "--directory", ground.folder, environment=ground.root.environment(ground.name))
        assert taken.status == 0, taken.err
    memberships, databases = ground.memberships(), ground.databases()
    ended = ground.restore("--json", to=copy)
    assert ground.memberships() == memberships, "what was taken for the time is given back"
    if ended.status == 2:
        assert "The restore cannot be done as asked" in ended.err, ended.err
        assert ground.databases() == databases
        return ended.err
    assert ended.status == 0, ended.err + ended.out
    said = json.loads(ended.out)
    assert (said["failures"], said["refused"]) == ([], [])
    for skip in said["skipped"]:
        assert f"will skip {skip['what']}: {skip['why']}" in ended.err
    assert ended.err.count("   will skip ") == len(said["skipped"]), "nothing is skipped that was not planned"
    before, restored = _lines(ground.dump()), _lines(ground.dump(copy))
    # CREATE EXTENSION gives it the comment of its maker.
    more = [line for line in restored - before if not line.startswith("COMMENT ON EXTENSION")]
    assert more == [], f"{more}: the copy has nothing that was not in the source"
    if not said["skipped"]:
        assert not before - restored, f"{list(before - restored)}: nothing was to be skipped"
    for skip in said["skipped"]:
        ground.execute(skip["statement"], copy)
    mended = _lines(ground.dump(copy))
    missing, more = list(before - mended), list(mended - before)
    assert (missing, more) == ([], []), (
        f"{missing}, {more}: the statements of what was skipped bring it, and nothing else is lost"
    )
    assert ground.root.value(_DATABASE, copy) == ground.root.value(_DATABASE, ground.name)
    return ""


def remove(ground: Ground) -> None:
    """Remove the database and its copy."""
    with ground.root.connect() as session:
        for name in (ground.name, f"{ground.name}_copy"):
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _lines(dump: str) -> Counter[str]:
    return Counter(line for line in dump.splitlines() if line and not line.startswith("SET default_"))
