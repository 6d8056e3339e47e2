"""Whose the databases of the drills are."""

from __future__ import annotations

import pytest

from devtools.postgres import Server
from tests.conftest import AsUser


@pytest.fixture(scope="session")
def as_user() -> AsUser:
    """The superuser of the server; without this fixture it is RDS's master."""

    def superuser(server: Server) -> Server:
        return server.superuser

    return superuser
