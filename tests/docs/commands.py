"""Commands as the documentation shows them: found in its pages, and understood without being run."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import awscli  # type: ignore[import-untyped]
import typer
from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

from dbbackup.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
# What ends a command in a shell line; a comment of ours begins with # after two blanks or more.
_ENDS = {";", "|", ">", "&&", "||", "2>"}
_BEGINS = re.compile(r"(?:^|[;`(]|\$\(|&& |\| |\bdo )\s*((?:[A-Z_]+=[^\s$]*\s+)*(?:dbbackup|aws) (?=[a-z-]).*)")
_SET = re.compile(r"[A-Z_]+=")


# People have version 2 of AWS's command, whose package is not on PyPI; this is what version 1 lacks.
# https://docs.aws.amazon.com/cli/latest/reference/logs/tail.html
_SECOND_VERSION = {("logs", "tail"): {"--since", "--follow", "--format", "--filter-pattern", "--log-stream-names"}}


_Misused: type[Exception] = typer.BadParameter.__mro__[1]
"""What the parser raises; it has no public name of its own."""


@dataclass(frozen=True)
class Shown:
    """A command in a page."""

    page: str
    words: tuple[str, ...]
    environment: tuple[str, ...] = ()
    """What stands before it, such as ``AWS_MAX_ATTEMPTS=1``."""

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def pages() -> list[Path]:
    """Every page that shows commands to a person."""
    return sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def shown_commands(program: str) -> list[Shown]:
    """Every command of a program, in code blocks and in inline code."""
    found = []
    for page in pages():
        for line in _code(page.read_text()):
            for said in _commands(line):
                environment = tuple(takewhile(_SET.match, said))
                words = said[len(environment) :]
                if words[0] == program and len(words) > 1:
                    found.append(Shown(str(page.relative_to(ROOT)), words, environment))
    return found


def _code(text: str) -> Iterator[str]:
    """Lines of code, with continued ones joined."""
    joined = re.sub(r"\\\n\s*", "", text)
    fence = ""
    for line in joined.splitlines():
        stripped = line.strip()
        if stripped.startswith("```"):
            fence = "" if fence else stripped
        elif fence == "```text":  # what is printed, below the command that prints it
            if stripped.startswith("$ "):
                yield stripped.removeprefix("$ ")
        elif fence or line.startswith("    "):
            yield stripped.removeprefix("$ ")
        else:
            yield from re.findall(r"`([^`]+)`", line)


def _commands(line: str) -> Iterator[tuple[str, ...]]:
    found = _BEGINS.search(line)
    if found is None:
        return
    text = re.split(r"\s{2,}#| {3,}", found[1])[0]
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";|>&")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    for token in lexer:
        if token in _ENDS or (set(token) <= set(";|>&") and token):
            break
        words.append(token)
    yield tuple(words)


@cache
def _program() -> Any:
    return typer.main.get_command(app)


def problem_of_dbbackup(words: tuple[str, ...]) -> str:
    """Why our command would not understand these words; empty where it would."""
    try:
        return _parsed(words)
    except _Misused as refused:
        return str(refused)


def _parsed(words: tuple[str, ...]) -> str:
    given = list(words[1:])
    if "..." in given or any(word.endswith("...") for word in given):
        given = [word for word in given if not word.endswith("...")]
    command: Any = _program()
    context = None
    while True:
        context = command.make_context(command.name or "dbbackup", list(given), parent=context, resilient_parsing=True)
        if not hasattr(command, "commands"):
            break
        rest = [*context._protected_args, *context.args]
        if not rest:
            return ""  # the name of a group, as in `dbbackup pitr`
        name, _, arguments = command.resolve_command(context, rest)
        if name is None or name not in command.commands:
            return f"there is no command {rest[0]}"
        command, given = command.commands[name], arguments
    if not given:
        return ""  # named in a sentence
    with suppress(typer.Exit):  # of --help
        command.make_context(command.name, list(given), parent=context)
    return ""


@cache
def _driver() -> Any:
    # Its own models are found by a variable that tests do not inherit.
    with patch.dict(os.environ, {"AWS_DATA_PATH": str(Path(awscli.__file__).parent / "data")}):
        driver = create_clidriver()
        driver._get_command_table()
        return driver


@cache
def _operations(service: str) -> Any:
    found = _driver()._get_command_table()[service]
    return found.subcommand_table if hasattr(found, "subcommand_table") else found._get_command_table()


def problem_of_aws(words: tuple[str, ...]) -> str:
    """Why AWS's command would not understand these words; empty where it would. Nothing is called."""
    service, operation, *rest = words[1], words[2] if len(words) > 2 else "", *words[3:]
    commands = _driver()._get_command_table()
    if service not in commands:
        return f"there is no service {service}"
    if not operation:
        return ""
    if (service, operation) in _SECOND_VERSION:
        unknown = [word for word in rest if word.startswith("--") and word not in _SECOND_VERSION[service, operation]]
        return f"{service} {operation} does not know {unknown[0]}" if unknown else ""
    operations = _operations(service)
    if operation not in operations:
        return f"{service} has no {operation}"
    found = operations[operation]
    table = getattr(found, "arg_table", {})
    options = {f"--{name}" for name in (*table, *_driver()._get_argument_table(), "cli-binary-format")}
    unknown = [word for word in rest if word.startswith("--") and word.split("=")[0] not in options]
    if unknown:
        return f"{service} {operation} does not know {unknown[0]}"
    required = [f"--{name}" for name, argument in table.items() if argument.required and name != "outfile"]
    missing = [name for name in required if name not in rest]
    # A command in running text names what it is about and leaves the rest to the block below it.
    return f"{service} {operation} needs {missing[0]}" if rest and missing else ""
