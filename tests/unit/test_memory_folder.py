from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.support import memory_folder
from tests.support.memory_folder import give_back, use_memory


@pytest.fixture(autouse=True)
def _undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "restored after the test")
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(memory_folder, "NEEDED", 1)


def test_programs_of_the_run_put_their_files_there_until_it_ends(tmp_path: Path) -> None:
    folder = use_memory(tmp_path)
    assert folder is not None
    assert os.environ["TMPDIR"] == tempfile.gettempdir() == str(folder)
    (folder / "file").touch()
    give_back(folder)
    assert list(tmp_path.iterdir()) == []
    assert "TMPDIR" not in os.environ


def test_what_somebody_has_decided_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/var/tmp")
    assert use_memory(tmp_path) is None


def test_a_machine_without_enough_memory_uses_its_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert use_memory(tmp_path / "missing") is None
    monkeypatch.setattr(memory_folder, "NEEDED", 2**62)
    assert use_memory(tmp_path) is None


def test_what_a_killed_run_has_left_is_removed_and_that_of_a_running_one_stays(tmp_path: Path) -> None:
    (tmp_path / f"dbt-{2**22 + 1}-abc").mkdir()  # beyond the highest number of a process
    (tmp_path / "dbt-1-abc").mkdir()
    folder = use_memory(tmp_path)
    assert folder is not None
    assert {path.name for path in tmp_path.iterdir()} == {"dbt-1-abc", folder.name}
