"""What ``make synth`` shows at its end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.infrastructure.synthesis import ROOT, Synthesized


def show(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "show_synth.py"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_stack_is_shown(prod: Synthesized) -> None:
    shown = show(prod.folder)
    assert shown.returncode == 0
    for name in prod.stacks:
        assert name in shown.stdout
    assert "9 stacks" in shown.stdout
    assert str(prod.folder) in shown.stdout


@pytest.mark.parametrize("manifest", [None, "not JSON", "{}", '{"artifacts": {}}', '{"artifacts": []}'])
def test_a_folder_that_cdk_did_not_write_is_refused(tmp_path: Path, manifest: str | None) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    shown = show(tmp_path)
    assert shown.returncode == 1
    assert "No synthesized stacks to show" in shown.stderr
    assert "make synth" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_missing_template_is_named(prod: Synthesized, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes((prod.folder / "manifest.json").read_bytes())
    shown = show(tmp_path)
    assert shown.returncode == 1
    assert "template.json is not there" in shown.stderr
