from __future__ import annotations

from pathlib import Path

import pytest

from dbbackup.adapters import tool_location
from dbbackup.adapters.postgres_tools import PostgresTools
from dbbackup.adapters.tool_location import PROGRAMS, find_folders
from dbbackup.core.connection import Connection
from dbbackup.core.errors import ClientToolError
from devtools.postgres import LATEST, package_bindir


def _programs(folder: Path, names: tuple[str, ...] = PROGRAMS, script: str = "exit 0") -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


def find_tools(environment: dict[str, str], root: Path = Path("/nonexistent")) -> Path:
    return find_folders(environment, root)[0].folder


def test_pg_bindir_wins_over_path(tmp_path: Path) -> None:
    named, on_path = _programs(tmp_path / "named"), _programs(tmp_path / "path")
    assert find_tools({"PG_BINDIR": str(named), "PATH": str(on_path)}) == named
    assert find_tools({"PATH": f"/nonexistent:{on_path}"}) == on_path


def test_the_development_package_serves_where_nothing_else_is() -> None:
    assert find_tools({"PATH": "/nonexistent"}) == package_bindir(LATEST)


@pytest.mark.parametrize(
    "place",
    [
        "usr/lib/postgresql/{}/bin",
        "usr/pgsql-{}/bin",
        "usr/libexec/postgresql{}",
        "opt/homebrew/opt/postgresql@{}/bin",
        "usr/local/opt/postgresql@{}/bin",
        "home/linuxbrew/.linuxbrew/opt/postgresql@{}/bin",
        "Applications/Postgres.app/Contents/Versions/{}/bin",
        "Library/PostgreSQL/{}/bin",
        "opt/local/lib/postgresql{}/bin",
    ],
)
def test_every_major_is_found_where_packages_put_them_after_path(tmp_path: Path, place: str) -> None:
    on_path = _programs(tmp_path / "path")
    for major in ("9.6", "16", "17"):
        (folder := tmp_path / place.format(major)).parent.mkdir(parents=True, exist_ok=True)
        _programs(folder)
    (incomplete := tmp_path / place.format("18")).parent.mkdir(parents=True, exist_ok=True)
    _programs(incomplete, ("pg_dump",))
    found = [each.folder for each in find_folders({"PATH": str(on_path)}, tmp_path)]
    assert found[:-1] == [on_path, *(tmp_path / place.format(major) for major in ("17", "16", "9.6"))]
    assert found[-1] == package_bindir(LATEST)


def test_one_installation_that_is_reached_twice_counts_once(tmp_path: Path) -> None:
    (real := tmp_path / "usr/lib/postgresql/17/bin").parent.mkdir(parents=True, exist_ok=True)
    _programs(real)
    (linked := tmp_path / "bin").mkdir()
    for program in PROGRAMS:
        (linked / program).symlink_to(real / program)
    assert [each.source for each in find_folders({"PATH": str(linked)}, tmp_path)][:2] == [
        "PATH",
        "the development package",
    ]


def test_programs_that_lack_one_are_passed_over_where_there_are_others(tmp_path: Path) -> None:
    lacking, whole = _programs(tmp_path / "lacking", ("pg_dump", "pg_restore")), _programs(tmp_path / "whole")
    assert find_tools({"PATH": f"{lacking}:{whole}"}) == whole


def test_without_any_the_message_says_where_was_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_location, "_DEVELOPMENT_PACKAGE", "not_installed_anywhere")
    with pytest.raises(
        ClientToolError, match="PG_BINDIR is not set, no folder of PATH has one, and none is where Debian"
    ) as failure:
        find_tools({"PATH": "/nonexistent"})
    assert "PG_BINDIR" in failure.value.action


def test_a_folder_that_lacks_a_program_is_refused_naming_it(tmp_path: Path) -> None:
    folder = _programs(tmp_path / "bin", ("pg_dump", "pg_restore"))
    with pytest.raises(ClientToolError, match="has no pg_dumpall that can be run"):
        find_tools({"PG_BINDIR": str(folder)})
    with pytest.raises(ClientToolError, match="has no pg_dump and no pg_dumpall and no pg_restore"):
        find_tools({"PG_BINDIR": str(tmp_path / "nowhere")})


def test_a_program_that_cannot_be_run_counts_as_missing(tmp_path: Path) -> None:
    folder = _programs(tmp_path / "bin")
    (folder / "pg_restore").chmod(0o644)
    with pytest.raises(ClientToolError, match="no pg_restore"):
        find_tools({"PG_BINDIR": str(folder)})


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo 'something else 3'", "something else 3"), ("echo broken >&2; exit 127", "broken"), ("exit 0", "''")],
)
def test_a_program_that_does_not_say_its_version_is_refused(tmp_path: Path, script: str, said: str) -> None:
    tools = PostgresTools(_programs(tmp_path / "bin", script=script), Connection())
    with pytest.raises(ClientToolError, match="does not say its version") as failure:
        _ = tools.major
    assert said in failure.value.what


def test_a_program_of_another_machine_is_refused(tmp_path: Path) -> None:
    folder = _programs(tmp_path / "bin")
    (folder / "pg_dump").write_bytes(b"\x7fELF nonsense")
    with pytest.raises(ClientToolError, match="cannot be started"):
        _ = PostgresTools(folder, Connection()).version


@pytest.mark.parametrize("answer", ["pg_dump (PostgreSQL) 18.6", "pg_dump (PostgreSQL) 18.6 (Debian 18.6-1.pgdg12+1)"])
def test_the_version_is_read_from_its_own_words(tmp_path: Path, answer: str) -> None:
    tools = PostgresTools(_programs(tmp_path / "bin", script=f"echo '{answer}'"), Connection())
    assert (tools.version, tools.major) == ("18.6", 18)
