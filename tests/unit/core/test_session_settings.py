from __future__ import annotations

import pytest

from dbbackup.core.session_settings import AS_IT_IS, NEEDED, differing, needed, program_options


@pytest.mark.parametrize(("major", "unknown"), [(13, 2), (14, 1), (16, 1), (17, 0), (18, 0)])
def test_a_server_is_told_only_what_it_knows(major: int, unknown: int) -> None:
    assert len(needed(major)) == len(NEEDED) - unknown
    assert next(iter(needed(major))) == "statement_timeout"


@pytest.mark.parametrize("options", ["-c role=app", "-crole=app", "-c  statement_timeout=1 --role=app"])
def test_a_role_that_the_person_names_is_left(options: str) -> None:
    assert "role" not in needed(18, options=options)
    assert "role" in needed(18, options="-c search_path=role")


def test_a_session_may_want_other_settings() -> None:
    wanted = needed(18, ours={"statement_timeout": "30s", **AS_IT_IS})
    assert wanted["statement_timeout"] == "30s"
    assert "search_path" not in wanted


def test_programs_are_told_only_what_differs_and_what_they_do_not_set() -> None:
    names = differing({**NEEDED, "role": "app", "statement_timeout": "1s", "default_transaction_isolation": "x"})
    isolation = r"-c default_transaction_isolation=read\ committed"
    assert program_options("pg_dump", names) == f"{isolation} -c role=none"
    assert program_options("pg_dumpall", names) == f"{isolation} -c role=none -c statement_timeout=0"
    assert program_options("pg_dump", differing({**NEEDED, "search_path": "app", "statement_timeout": "1s"})) == ""
