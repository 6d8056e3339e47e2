"""A second, empty server, and servers of an older major whose locales are ICU's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devtools.older_postgres import OLDER, is_made_for_this_machine
from devtools.postgres import Server, start_server

ICU_MAJOR = 16
"""The first with ICU rules; the Python packages' servers are built without ICU."""
SETTINGS = {"autovacuum": "off", "wal_level": "logical", "allow_in_place_tablespaces": "on"}


@pytest.fixture(scope="session")
def empty_server() -> Iterator[Server]:
    """PostgreSQL 18 after the total loss of another."""
    with start_server(settings=SETTINGS) as running:
        yield running


@pytest.fixture(scope="session")
def icu_server() -> Iterator[Server]:
    """A server that sorts as ICU says."""
    if not is_made_for_this_machine(ICU_MAJOR):
        pytest.skip(f"nobody has packed PostgreSQL {ICU_MAJOR} for this machine")
    with start_server(OLDER[ICU_MAJOR], settings=SETTINGS) as running:
        yield running
