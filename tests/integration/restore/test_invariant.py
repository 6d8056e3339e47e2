"""A plan without blockers is followed by a restore that succeeds; what it leaves out is exactly what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from devtools.postgres import Server
from tests.support.building_blocks import BLOCKS, OWNERS, SCHEMAS, Drawn, Placed, statements_of
from tests.support.invariant import check, database_of, remove, roles_of_master

_EXAMPLES = 8  # of 3 s; a few hundred were drawn while this was written
_PLACED = st.builds(
    Placed,
    st.sampled_from(sorted(BLOCKS)),
    st.sampled_from(SCHEMAS),
    st.sampled_from(OWNERS),
    st.sampled_from(OWNERS),
)
_DRAWN = st.builds(
    Drawn,
    st.lists(_PLACED, min_size=12, max_size=25, unique_by=lambda placed: placed.name).map(tuple),
    st.tuples(st.sampled_from(OWNERS), st.sampled_from(OWNERS)),
)


def _all(*names: str) -> Drawn:
    return Drawn(tuple(Placed(name) for name in names))


@pytest.fixture(scope="module")
def world(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    with ExitStack() as stack:
        stack.enter_context(roles_of_master(server))
        yield server, tmp_path_factory.mktemp("drawn")


@settings(
    max_examples=_EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # to make one smaller costs minutes: single blocks are tried by hand
    suppress_health_check=list(HealthCheck),
)
@example(_all(*BLOCKS))
@example(Drawn(tuple(Placed(name, SCHEMAS[2], OWNERS[1], OWNERS[2]) for name in BLOCKS), OWNERS[1:]))
@given(drawn=_DRAWN)
def test_what_is_planned_is_what_happens_and_nothing_else_is_lost(world: tuple[Server, Path], drawn: Drawn) -> None:
    server, folder = world
    ground = database_of(server, drawn, folder)
    try:
        blocked = check(ground)
        assert blocked == "", statements_of(drawn, 18)
    finally:
        remove(ground)
