"""Whose backups ``latest`` means."""

from __future__ import annotations

from itertools import count

import pytest

from dbbackup.core.errors import RefusedError
from dbbackup.core.manifest import Manifest
from dbbackup.core.server import Server
from dbbackup.core.server_choice import named, of_server, refuse_another
from tests.support.backups import manifest_of

_numbers = count()
HOUR = 1 / 24


def _of(name: str, system: str | None = None, *, days_old: float) -> Manifest:
    """A backup of the server with this name, an RDS instance or host:port."""
    manifest = manifest_of(days_old=days_old, key=f"{next(_numbers)}.dump")
    host, colon, port = name.rpartition(":")
    where = {"host": host, "port": int(port)} if colon else {"instance": name}
    source = manifest.source.model_copy(update={**where, "system_identifier": system})
    return manifest.model_copy(update={"source": source})


PROD = [_of("ftry-prod", "1", days_old=age) for age in (1, 3)]
DEV = [_of("ftry-dev", "2", days_old=age) for age in (0, 2)]


@pytest.mark.parametrize(
    ("there", "ours", "chosen"),
    [
        pytest.param(PROD + DEV, Server("ftry-prod", "1"), PROD, id="each its own"),
        pytest.param(PROD + DEV, Server("ftry-dev"), DEV, id="its own by name alone"),
        pytest.param(PROD, Server("localhost:5432", "9"), PROD, id="a new server and one that was backed up"),
        pytest.param(PROD, None, PROD, id="nobody knows where we are and there is one"),
        pytest.param(PROD, Server("ftry-prod-2", "1"), PROD, id="renamed or failed over"),
        pytest.param(PROD + DEV, Server("ftry-prod-2", "1"), PROD, id="renamed beside another"),
        pytest.param(PROD + DEV, Server("ftry-prod", "7"), PROD, id="upgraded or rebuilt under its name"),
        pytest.param(PROD, Server("localhost:5433", "1"), PROD, id="through a tunnel"),
        pytest.param([], Server("ftry-prod"), [], id="nothing"),
    ],
)
def test_whose_backups_are_meant(there: list[Manifest], ours: Server | None, chosen: list[Manifest]) -> None:
    assert of_server(there, ours, place="here") == chosen


def test_after_an_upgrade_the_newest_of_both_clusters_counts_for_whoever_asks() -> None:
    upgraded = [_of("ftry-prod", "8", days_old=0), *PROD]
    assert of_server(upgraded, None, place="here") == upgraded
    assert of_server(upgraded, Server("ftry-prod"), place="here") == upgraded
    assert of_server(upgraded, Server("ftry-prod", "8"), place="here") == upgraded[:1]


def test_an_alias_of_our_server_and_another_server_are_not_mixed() -> None:
    copy = [_of("ftry-staging", "1", days_old=0)]
    assert of_server(PROD + copy, Server("ftry-prod", "1"), place="here") == PROD
    assert of_server(PROD + copy, Server("ftry-staging", "1"), place="here") == copy


LAPTOPS = [_of("localhost:5432", "1", days_old=1), _of("localhost:5432", "2", days_old=2)]
IN_TURN = [_of("ftry-prod", system, days_old=age) for age, system in enumerate("1212")]
COPIES = [*PROD, _of("ftry-staging", "1", days_old=0)]
TUNNEL = [_of("localhost:5433", "1", days_old=9), *PROD]


@pytest.mark.parametrize(
    ("there", "ours"),
    [
        pytest.param(PROD + DEV, None, id="nobody knows where we are"),
        pytest.param(PROD + DEV, Server("localhost:5432", "9"), id="a new server"),
        pytest.param(LAPTOPS, Server("localhost:5432", "9"), id="a third machine of the name localhost"),
        pytest.param(LAPTOPS, Server("localhost:5432"), id="a machine that does not say which it is"),
        pytest.param(IN_TURN, None, id="one name in two accounts"),
        pytest.param(COPIES, Server("localhost:5433", "1"), id="a tunnel to one of two copies"),
        pytest.param(TUNNEL, Server("localhost:5433", "1"), id="an old one through the tunnel and newer ones"),
    ],
)
def test_what_is_not_certain_is_asked(there: list[Manifest], ours: Server | None) -> None:
    with pytest.raises(RefusedError, match="are of several servers") as refusal:
        of_server(there, ours, place="here")
    choices = [part.split()[1] for part in refusal.value.action.partition(": ")[2].split("; ")]
    assert len(choices) > 1
    for choice in choices:
        assert named(there, choice, place="here"), choice


def test_laptops_are_told_apart_by_their_systems() -> None:
    assert named(LAPTOPS, "2", place="here") == LAPTOPS[1:]
    with pytest.raises(RefusedError, match="several") as refusal:
        named(LAPTOPS, "localhost:5432", place="here")
    assert "--server 1 (once localhost:5432" in refusal.value.action


def test_a_name_that_nobody_has_is_said_with_those_there_are() -> None:
    with pytest.raises(RefusedError, match="no backup of a server 'prod'") as refusal:
        named(PROD, "prod", place="here")
    assert "ftry-prod" in refusal.value.action


@pytest.mark.parametrize(
    ("ours", "refused"),
    [
        (Server("ftry-prod", "1"), False),
        (Server("ftry-prod"), False),
        (Server("renamed", "1"), False),
        (Server("ftry-prod", "2"), True),
        (Server("ftry-dev", "2"), True),
        (Server("ftry-dev"), True),
        (None, False),
    ],
    ids=str,
)
def test_a_database_is_not_replaced_by_its_namesake_unless_that_is_said(ours: Server | None, *, refused: bool) -> None:
    refuse_another(PROD[0], "copy", ours)
    if not refused:
        refuse_another(PROD[0], "shop", ours)
        return
    with pytest.raises(RefusedError, match="The latest backup of 'shop' is of ftry-prod") as refusal:
        refuse_another(PROD[0], "shop", ours)
    assert "--server 1" in refusal.value.action
