"""The comment under a pull request shows the difference, whatever is in it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "diff_comment.py"


@pytest.fixture
def script() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("diff_comment", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_difference_is_shown_as_it_is(script: ModuleType) -> None:
    text = script.comment("prod", "Stack ftry-prod-storage\n[-] AWS::S3::Bucket Backups destroy\n")
    assert text.startswith("### What this changes in `prod`\n")
    assert "\n~~~~~~~~text\nStack ftry-prod-storage\n[-] AWS::S3::Bucket Backups destroy\n~~~~~~~~\n" in text


@pytest.mark.parametrize("row", ["~~~~~~~~", "  ~~~~~~~~~~", "~" * 40])
def test_nothing_in_it_ends_the_block(script: ModuleType, row: str) -> None:
    lines = script.comment("prod", f"before\n{row}\n![](https://example.com/x.png)\n@everybody").split("\n")
    fence = lines[-2] or lines[-3]
    assert set(fence) == {"~"}
    assert len(fence) > row.count("~")
    assert lines.index("@everybody") < lines.index(fence)


def test_a_long_one_is_cut_to_what_github_takes(script: ModuleType) -> None:
    text = script.comment("prod", "x" * 200_000)
    assert len(text) < 65_536
    assert "the job's log has the rest" in text


def test_no_difference_is_said(script: ModuleType) -> None:
    assert "Nothing was printed." in script.comment("prod", "\n")
