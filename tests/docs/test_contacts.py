"""Whom to call: the page says what the settings say."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.commands import ROOT


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_contacts", ROOT / "scripts" / "write_contacts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_the_one_that_the_settings_make(writer: ModuleType) -> None:
    settings = json.loads((ROOT / "cdk.json").read_text())
    expected = writer.page_of(writer.contacts_of(settings, "prod"), "prod")
    assert writer.PAGE.read_text() == expected, f"the contacts have changed: run {writer.COMMAND}"


def test_the_runbooks_begin_with_it(writer: ModuleType) -> None:
    first = (ROOT / "docs" / "runbooks" / "README.md").read_text().split("| Alarm |")[0]
    assert f"({writer.PAGE.name})" in first


def test_a_page_without_contacts_says_so(writer: ModuleType) -> None:
    assert "Nobody is named yet" in writer.page_of(writer.contacts_of({"context": {}}, "prod"), "prod")


def test_a_contact_cannot_break_the_table(writer: ModuleType) -> None:
    page = writer.page_of([{"role": "a|b", "contact": "c\nd", "responsibility": "e"}], "prod")
    assert "| a\\|b | c d | e |" in page


def test_settings_that_cannot_be_read_leave_the_page_alone(
    writer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cdk.json").write_text("{ not JSON")
    page = tmp_path / "contacts.md"
    page.write_text("as it was")
    monkeypatch.setattr(writer, "ROOT", tmp_path)
    monkeypatch.setattr(writer, "PAGE", page)
    assert writer.main() == 1
    assert page.read_text() == "as it was"
    assert "contacts.md is as it was" in capsys.readouterr().err
