"""A command in the documentation is one that a person can copy at night."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.docs.commands import problem_of_aws, problem_of_dbbackup, shown_commands

Understood = Callable[[tuple[str, ...]], str]


def _problems(program: str, problem_of: Understood) -> list[str]:
    problems = []
    for shown in shown_commands(program):
        problem = problem_of(shown.words)
        if problem:
            problems.append(f"{shown}\n    {problem}")
    return problems


@pytest.mark.parametrize(
    ("program", "problem_of", "least"), [("dbbackup", problem_of_dbbackup, 30), ("aws", problem_of_aws, 60)]
)
def test_every_command_in_the_documentation_is_understood(program: str, problem_of: Understood, least: int) -> None:
    assert len(shown_commands(program)) >= least
    assert not _problems(program, problem_of), "\n".join(["", *_problems(program, problem_of)])


@pytest.mark.parametrize(
    "line",
    [
        "dbbackup bakcup",
        "dbbackup backup --no-such-option",
        "dbbackup pitr no-such-command",
        "dbbackup pitr window ftry --no-such-option",
        "dbbackup doctor surplus",
    ],
)
def test_a_command_of_ours_that_does_not_exist_would_be_noticed(line: str) -> None:
    assert problem_of_dbbackup(tuple(line.split()))


@pytest.mark.parametrize(
    "line",
    [
        "aws rsd describe-db-instances",
        "aws rds describe-instances",
        "aws rds describe-db-instances --identifier x",
        "aws sqs delete-message --queue-url x",
        "aws logs tail group --sinse 1h",
    ],
)
def test_a_command_of_aws_that_does_not_exist_would_be_noticed(line: str) -> None:
    assert problem_of_aws(tuple(line.split()))


def test_no_page_puts_a_secret_on_a_command_line() -> None:
    for shown in shown_commands("aws"):
        if "put-secret-value" in shown.words:
            assert shown.words[shown.words.index("--secret-string") + 1].startswith("file://")
