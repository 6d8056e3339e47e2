"""Nobody reads what we print, or it cannot be written: what was done is done all the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from devtools.local_slack import start_slack
from tests.support.command import PROGRAM, clean_environment, quick_command
from tests.support.databases import Database

COMMANDS = (
    "backup",
    "list",
    "list --json",
    "verify latest",
    "drill",
    "restore latest --to '{name}_copy'",
    "evidence list",
    "metrics",
    "doctor",
    "--help",
)


def _run(line: str, environment: dict[str, str], folder: Path) -> tuple[int, str]:
    """Status and standard error of a line of bash, of its first command where it is a pipe."""
    done = subprocess.run(
        ("bash", "-c", f"{line}\nexit ${{PIPESTATUS[0]}}"),
        env=clean_environment(environment),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("where", [">/dev/full", "2>&1 | true", ">/dev/full 2>&1"], ids=["full", "gone", "both-full"])
def test_no_command_fails_by_its_output(database: Database, tmp_path: Path, where: str) -> None:
    quick_command(tmp_path)
    textfiles = tmp_path / "textfiles"
    textfiles.mkdir()
    with start_slack() as slack:
        environment = {
            **database.environment(),
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "SLACK_WEBHOOK_URL": slack.url,
            "DBBACKUP_TEXTFILE_DIRECTORY": str(textfiles),
        }
        try:
            for command in COMMANDS:
                status, err = _run(f"dbbackup {command.format(name=database.name)} {where}", environment, tmp_path)
                assert status == 0, f"{command}: {err}"
                assert "Traceback" not in err
                assert ("could not be written: No space left on device" in err) == (where == ">/dev/full"), command
        finally:
            database.server.execute(f'DROP DATABASE IF EXISTS "{database.name}_copy"')
        assert len(slack.messages) == 3
        assert not [text for text in slack.texts() if "failed" in text.lower()]
    assert "_failed" not in "".join(path.name for path in textfiles.iterdir())


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&- <&-"], ids=["output", "all"])
def test_a_closed_output_is_nobodys_file(database: Database, tmp_path: Path, closed: str) -> None:
    line = f"{PROGRAM} backup --directory backups {closed}"
    status, err = _run(line, {**database.environment(), "LC_ALL": "C"}, tmp_path)
    assert (status, err) == (0, "")
    verified = _run(f"{PROGRAM} verify latest --directory backups", database.environment(), tmp_path)
    assert verified == (0, "")


def test_a_sign_that_the_encoding_does_not_have_costs_the_sign_alone(database: Database, tmp_path: Path) -> None:
    line = f"{PROGRAM} backup --directory backups > out"
    environment = {**database.environment(), "PYTHONIOENCODING": "latin-1"}
    assert _run(line, environment, tmp_path) == (0, "")
    assert (tmp_path / "out").read_text("latin-1").startswith("? Backup created")


def test_a_failure_stays_one(tmp_path: Path) -> None:
    quick_command(tmp_path)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    for where in (">/dev/full 2>&1", "2>&1 | true"):
        assert _run(f"dbbackup verify nothing --directory {tmp_path} {where}", environment, tmp_path)[0] == 1
