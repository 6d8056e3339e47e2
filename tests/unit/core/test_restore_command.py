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
        "use_list": "some.list",
    }
    return commands.restore("pg_restore", "a.dump", **{**usual, **changes})


def _script(**changes: Any) -> commands.Command:
    usual: dict[str, Any] = {"owner": True, "privileges": True, "tablespaces": True, "use_list": "some.list"}
    return commands.write_script("pg_restore", "a.dump", **{**usual, **changes})


def test_it_goes_on_after_an_error_and_nobody_is_asked() -> None:
    assert _command() == (
        "pg_restore",
        "--jobs=2",
        "--no-password",
        "--verbose",
        "--use-list=some.list",
        "--dbname=dbname='shop'",
        "a.dump",
    )


def test_a_script_goes_to_standard_output_and_to_no_server() -> None:
    assert _script() == ("pg_restore", "--use-list=some.list", "--file=-", "a.dump")


LEAVING_OUT = [
    ({"owner": False}, "--no-owner"),
    ({"privileges": False}, "--no-privileges"),
    ({"tablespaces": False}, "--no-tablespaces"),
]


@pytest.mark.parametrize(("change", "option"), [*LEAVING_OUT, ({"disable_triggers": True}, "--disable-triggers")])
def test_each_wish_is_an_option(change: dict[str, Any], option: str) -> None:
    assert [word for word in _command(**change) if word not in _command()] == [option]


@pytest.mark.parametrize(("change", "option"), LEAVING_OUT)
def test_a_script_leaves_out_the_same(change: dict[str, Any], option: str) -> None:
    assert [word for word in _script(**change) if word not in _script()] == [option]


def test_a_name_cannot_become_a_connection_string() -> None:
    assert "--dbname=dbname='host=elsewhere\\' x'" in _command(database="host=elsewhere' x")
