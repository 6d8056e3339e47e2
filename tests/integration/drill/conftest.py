"""Whose the databases of the drills are."""

from __future__ import annotations

import pytest

from tests.support.databases import AsUser, as_superuser


@pytest.fixture(scope="session")
def as_user() -> AsUser:
    """The superuser of the server; without this fixture it is RDS's master."""
    return as_superuser
