from __future__ import annotations

import pytest

from dbbackup.core.session_settings import (
    AS_IT_IS,
    NEEDED,
    differing,
    needed,
    options_with,
    program_options,
    timeouts_of,
    too_short,
)
from dbbackup.core.timeout_remedies import timeout_remedy

NONE = frozenset[str]()


@pytest.mark.parametrize(("major", "unknown"), [(13, 2), (14, 1), (16, 1), (17, 0), (18, 0)])
def test_a_server_is_told_only_the_timeouts_that_it_knows(major: int, unknown: int) -> None:
    assert len(timeouts_of(major)) == 5 - unknown
    assert next(iter(needed())) == "statement_timeout", "it may end what follows"


@pytest.mark.parametrize("options", ["-c role=app", "-crole=app", "-c  Statement_timeout=1 --role=app"])
def test_what_the_person_names_is_left(options: str) -> None:
    assert "role" not in needed(options)
    assert ("statement_timeout" in needed(options)) is ("timeout" not in options)
    assert "role" in needed("-c search_path=role")
    assert "search_path" in needed("-c search_path=role"), "the meaning of our own statements hangs on it"
    assert program_options("pg_dumpall", frozenset(("role", "lock_timeout")), NONE, options) == (
        f"-c lock_timeout=0 {options}"
    )


def test_a_session_may_want_other_settings() -> None:
    wanted = needed("-c statement_timeout=1", {"statement_timeout": "30s", **AS_IT_IS})
    assert wanted["statement_timeout"] == "30s"
    assert "search_path" not in wanted


def test_programs_are_told_only_what_differs_and_what_they_do_not_set() -> None:
    names = differing({**NEEDED, "role": "app", "statement_timeout": "1s", "default_transaction_isolation": "x"})
    isolation = r"-c default_transaction_isolation=read\ committed"
    assert program_options("pg_dump", names, NONE, "") == f"{isolation} -c role=none"
    assert program_options("pg_dumpall", names, NONE, "") == f"{isolation} -c role=none -c statement_timeout=0"
    assert program_options("pg_dump", differing({**NEEDED, "array_nulls": "off"}), NONE, "") == ""
    assert program_options("pg_restore", differing({**NEEDED, "array_nulls": "off"}), NONE, "") == "-c array_nulls=on"
    assert not differing({**NEEDED, "transaction_timeout": None}), "a server that does not know it"


def test_a_timeout_that_may_come_before_it_is_taken_away_is_taken_away_with_the_connection() -> None:
    short = too_short({"statement_timeout": "1ms", "lock_timeout": "1500ms", "idle_session_timeout": "2s"})
    assert short == {"statement_timeout", "lock_timeout"}
    assert program_options("pg_dump", NONE, short, "") == "-c lock_timeout=0 -c statement_timeout=0"
    assert options_with(short, "-c lock_timeout=5s") == "-c statement_timeout=0 -c lock_timeout=5s"


@pytest.mark.parametrize(
    ("said", "setting"),
    [
        ("FATAL:  terminating connection due to idle-session timeout", "idle_session_timeout"),
        ("FATAL:  terminating connection due to idle-in-transaction timeout", "idle_in_transaction_session_timeout"),
        ("FATAL:  terminating connection due to transaction timeout", "transaction_timeout"),
        ("ERROR:  canceling statement due to statement timeout", "statement_timeout"),
    ],
)
def test_a_timeout_is_named_with_the_statement_that_takes_it_away(said: str, setting: str) -> None:
    assert f'ALTER ROLE "Me" SET {setting} = 0' in (timeout_remedy(said, "Me") or "")
    assert timeout_remedy("FATAL:  terminating connection due to administrator command") is None
