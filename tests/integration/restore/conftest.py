"""One backup for all tests of a worker, and a target of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server
from tests.support import comparison
from tests.support.databases import AsUser, Database, DatabaseMaker, drop_all
from tests.support.restores import PRESENT, SAVED, Saved, Scene, save


@pytest.fixture(scope="session")
def _saved(server: Server, as_user: AsUser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    maker = DatabaseMaker(as_user(server))
    source = maker()
    source.execute(SAVED)
    yield save(source, tmp_path_factory.mktemp("saved"))
    drop_all(maker)


@pytest.fixture
def saved(_saved: Saved, tmp_path: Path) -> Saved:
    """A backup in a folder of the test's own."""
    return _saved.copy_to(tmp_path / "backups")


@pytest.fixture
def target(new_database: DatabaseMaker) -> Database:
    """A database that a restore is to replace."""
    made = new_database()
    made.execute(PRESENT)
    return made


@pytest.fixture
def scene(target: Database, saved: Saved) -> Iterator[Scene]:
    """Target and backup; whatever a test leaves beside the target is removed."""
    made = Scene(target, saved, comparison.contents(target))
    yield made
    for name in made.beside():
        drop_all(DatabaseMaker(target.server, [name]))


@pytest.fixture
def creator(scene: Scene) -> Database:
    """A user who may create databases, owns the target, and has no other right."""
    user = scene.target.user_without_rights("CREATEDB")
    scene.target.give("TABLE customer", user.user)
    scene.target.give(f'DATABASE "{scene.target.name}"', user.user)
    return user
