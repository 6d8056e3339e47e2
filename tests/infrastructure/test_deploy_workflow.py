"""What the workflow hands from the job that synthesizes to the one that compares is enough for the CDK command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.infrastructure.synthesis import ROOT, Synthesized
from tests.workflows.job import read_workflow


def handed_over() -> list[str]:
    """Patterns of the files that are kept, without the folder of the output."""
    (keep,) = [
        step for step in read_workflow("deploy")["jobs"]["synth"]["steps"] if step["name"] == "Keep the templates"
    ]
    return [line.removeprefix("cdk.out/") for line in keep["with"]["path"].split()]


def test_the_command_reads_what_is_handed_over(prod: Synthesized, tmp_path: Path) -> None:
    for pattern in handed_over():
        found = list(prod.folder.glob(pattern))
        assert found, pattern
        for path in found:
            shutil.copy(path, tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_", "JSII_"))}
    done = subprocess.run(
        (ROOT / "node_modules/.bin/cdk", "list", "--app", str(tmp_path), "--no-lookups"),
        cwd=tmp_path,
        env={**environment, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == set(prod.stacks)


def test_no_source_of_the_image_is_handed_over(prod: Synthesized) -> None:
    kept = {path.name for pattern in handed_over() for path in prod.folder.glob(pattern)}
    assert not [name for name in kept if name.startswith("asset.")]
