"""The set-up installs once, and again when what it installs has changed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, working on a checkout of its own."""
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in module.INPUTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    binaries = tmp_path / ".venv" / "bin"
    for path in (binaries / "dbbackup", tmp_path / "node_modules/aws-cdk/bin/cdk"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "BIN", binaries)
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv/.installed")
    monkeypatch.setattr(module, "LOCK", tmp_path / ".venv.lock")
    return module


def test_a_second_run_installs_nothing(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    installs: list[None] = []
    monkeypatch.setattr(bootstrap, "install", lambda: installs.append(None))
    bootstrap.main()
    bootstrap.main()

    assert len(installs) == 1


def test_a_changed_pin_installs_again(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    installs: list[None] = []
    monkeypatch.setattr(bootstrap, "install", lambda: installs.append(None))
    bootstrap.main()
    (bootstrap.ROOT / "requirements.txt").write_text("another==1.0")
    bootstrap.main()

    assert len(installs) == 2


def test_an_install_that_failed_is_not_taken_for_done(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise SystemExit(1)

    monkeypatch.setattr(bootstrap, "install", fail)
    with pytest.raises(SystemExit):
        bootstrap.main()

    assert not bootstrap.is_installed(bootstrap.digest())


def test_a_failing_step_shows_what_it_said_and_what_to_do(
    bootstrap: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        bootstrap.run("something", "sh", "-c", "echo the cause; exit 3")

    assert "the cause" in str(stopped.value)
    assert "something failed (exit status 3)" in str(stopped.value)
    assert "run the same command again" in str(stopped.value)


@pytest.mark.parametrize(("answer", "major"), [("v24.19.0", 24), ("v20.1.2", 20), ("nonsense", None)])
def test_the_major_of_node_is_read(bootstrap: ModuleType, tmp_path: Path, answer: str, major: int | None) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {answer}\n")
    node.chmod(0o755)

    assert bootstrap.node_major(str(node)) == major
    assert bootstrap.node_major(str(tmp_path / "missing")) is None
