from __future__ import annotations

from typing import Any

import pytest

from dbbackup.core import commands


def _command(**changes: Any) -> commands.Command:
    usual: dict[str, Any] = {
        "database": "shop",
        "jobs": 2,
        "owner": True,
        "privileges": True,
        "disable_triggers": False,
        "tablespaces": True,
        "use_list": None,
    }
    return commands.restore("pg_restore", "a.dump", **{**usual, **changes})


def test_the_first_error_ends_it_and_nobody_is_asked() -> None:
    assert _command() == (
        "pg_restore",
        "--format=custom",
        "--exit-on-error",
        "--jobs=2",
        "--no-password",
        "--verbose",
        "--dbname=dbname='shop'",
        "a.dump",
    )


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"owner": False}, "--no-owner"),
        ({"privileges": False}, "--no-privileges"),
        ({"disable_triggers": True}, "--disable-triggers"),
        ({"tablespaces": False}, "--no-tablespaces"),
        ({"use_list": "some.list"}, "--use-list=some.list"),
    ],
)
def test_each_wish_is_an_option(change: dict[str, Any], option: str) -> None:
    assert [word for word in _command(**change) if word not in _command()] == [option]


def test_a_name_cannot_become_a_connection_string() -> None:
    assert "--dbname=dbname='host=elsewhere\\' x'" in _command(database="host=elsewhere' x")
