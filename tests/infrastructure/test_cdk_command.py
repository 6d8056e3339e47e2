"""What a person sees who runs ``cdk synth``: the same bytes everywhere, and a clear word when settings are wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infrastructure.synthesis import ROOT, Synthesized, block_of, cdk_context

pytestmark = pytest.mark.xdist_group("linters")

CDK = ROOT / "node_modules" / ".bin" / "cdk"
SOURCES = ("app.py", "cdk.json", "stacks", "constructs_lib", "lambda_src")


def cdk_synth(project: Path, output: Path, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the pinned command as a person would, without credentials and with another home."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_", "JSII_"))}
    environment["HOME"] = str(home)
    # Unpacking the CDK anew for each home takes ten seconds and shows nothing.
    environment["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = str(Path.home() / ".cache/aws/jsii/package-cache")
    # The interpreter of these tests is the one with the packages, and its folder has the Node.js that jsii supports.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        [str(CDK), "synth", "--quiet", "--output", str(output), *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project somewhere else, with what tools and editors leave lying about."""
    project = tmp_path_factory.mktemp("elsewhere") / "a folder"
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            project.mkdir(exist_ok=True)
            shutil.copy(source, project / name)
    for litter in (
        "lambda_src/dbbackup/__pycache__/contract.cpython-311.pyc",
        "lambda_src/other.egg-info/PKG-INFO",
        "lambda_src/.mypy_cache/3.11/cache.json",
        "lambda_src/dbbackup/.contract.py.swp",
    ):
        (project / litter).parent.mkdir(parents=True, exist_ok=True)
        (project / litter).write_text("litter")
    return project


def test_the_same_settings_give_the_same_bytes_everywhere(prod: Synthesized, copied: Path, tmp_path: Path) -> None:
    """Here, in this process; and there, by the command, in a copy with other paths, another home and litter."""
    there = cdk_synth(copied, tmp_path / "there", "--context", "env=prod", home=tmp_path / "other home")
    assert there.returncode == 0, there.stderr
    first, second = contents(prod.folder), contents(tmp_path / "there")
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == []
    assert len([name for name in first if name.endswith(".template.json")]) == 9
    # As a person runs it, with --quiet.
    said = there.stdout + there.stderr
    assert "monitoring.emails is empty: a broken Slack would be told to nobody" in said
    assert "Acknowledge with 'Annotation::postgres-recovery:no-email'" in said


def test_a_wrong_setting_is_explained_without_a_traceback(copied: Path, tmp_path: Path) -> None:
    settings = json.loads((copied / "cdk.json").read_text())
    settings["context"]["environments"]["prod"]["database"]["new_instance"]["backup_retention_days"] = 36
    project = tmp_path / "project"
    shutil.copytree(copied, project)
    (project / "cdk.json").write_text(json.dumps(settings))
    refused = cdk_synth(project, tmp_path / "out", "--context", "env=prod", home=Path.home())
    assert refused.returncode == 1
    said = refused.stdout + refused.stderr
    assert "Traceback" not in said
    assert "database.new_instance.backup_retention_days" in said
    assert "value: 36" in said
    assert "rule:  1 to 35 days" in said
    assert "fix:   write a whole number from 1 to 35" in said


def test_an_unknown_environment_is_explained(tmp_path: Path) -> None:
    # What the command hands to the app; the app says the rest.
    context = json.dumps({**cdk_context(), "env": "produktion"})
    refused = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, "CDK_CONTEXT_JSON": context, "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert refused.returncode == 1
    assert "one of: dev, staging, prod" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not list(tmp_path.iterdir())


def test_the_app_is_one_main_that_runs_when_it_is_told() -> None:
    source = (ROOT / "app.py").read_text()
    assert len(source.splitlines()) < 60
    assert source.count("\ndef ") == 1
    assert source.rstrip().endswith('if __name__ == "__main__":\n    main()')


def test_flags_are_pinned_for_every_environment() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert len([name for name in context if name.startswith("@aws-cdk/")]) > 80
    assert context["@aws-cdk/core:defaultCrossStackReferences"] == "strong"
    assert set(context["environments"]) == {"dev", "staging", "prod"}
    assert block_of("prod")["name"] == "ftry"


def test_the_command_asks_nobody_for_news() -> None:
    settings = json.loads((ROOT / "cdk.json").read_text())
    assert settings["notices"] is False
    assert settings["versionReporting"] is False
    assert settings["context"]["cli-telemetry"] is False
