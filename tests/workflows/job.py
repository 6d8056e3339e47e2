"""One job of a workflow, run as GitHub's runner would: its shell steps for real, its actions only noted."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.command import PROGRAM, clean_environment
from tests.support.faults import wait_for
from tests.workflows.expression import condition, fill

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"


def read_workflow(name: str) -> dict[Any, Any]:
    """A workflow; its key `on` is true in YAML 1.1, and is called that here."""
    document: dict[Any, Any] = yaml.safe_load((FOLDER / f"{name}.yml").read_text())
    return {("on" if key is True else key): value for key, value in document.items()}


@dataclass
class Ran:
    """How a job ended."""

    temporary: Path
    """Its folder for files that go with the job."""
    failed: bool = False
    cancelled: bool = False
    steps: dict[str, str] = field(default_factory=dict)
    """Outcome of each step by its name: success, failure, cancelled, skipped, or noted for an action."""
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each action was given, by the name of the step."""
    log: str = ""
    summary: str = ""


@dataclass
class Job:
    """A job and the world that it runs in.

    Args:
        workflow: name of the file.
        workspace: folder that the steps run in, with the repository in it.
        outside: environment that the runner itself would have, with the way to the local AWS in it.
        programs: folder before all others in PATH.
        replaced: shell scripts for steps that install something, by name.
        cancelled: a step, and the file at whose appearance the job is cancelled.
    """

    workflow: str
    workspace: Path
    outside: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    github: Mapping[str, Any] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)
    programs: Path = PROGRAM.parent
    cancelled: tuple[str, Path] | None = None

    def run(self) -> Ran:
        """Run the only job of the workflow."""
        document = read_workflow(self.workflow)
        (job,) = document["jobs"].values()
        temporary = Path(tempfile.mkdtemp(prefix=".runner-", dir=self.workspace))
        files = {name: temporary / name.lower() for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH")}
        summary = temporary / "summary"
        contexts: dict[str, Any] = {
            "secrets": self.secrets,
            "vars": self.variables,
            "inputs": {**_defaults(document), **self.inputs},
            "github": {
                "run_id": "4711",
                "repository": "ftry/ftry",
                "sha": "0" * 40,
                "event": {},
                "token": "t",
                **self.github,
            },
            "job": {"workflow_repository": "acme/recovery", "workflow_sha": "e" * 40},
            "runner": {"temp": str(temporary)},
            "steps": {},
            "env": {},
        }
        assert document["defaults"]["run"]["shell"] == "bash"
        values = {name: fill(text, contexts) for name, text in job.get("env", {}).items()}
        contexts["env"] = values
        environment = {
            **clean_environment(self.outside),
            "PATH": f"{self.programs}:{PROGRAM.parent}:/usr/bin:/bin",
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": contexts["github"]["repository"],
            "GITHUB_RUN_ID": contexts["github"]["run_id"],
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": contexts["github"]["sha"],
            "GITHUB_ACTOR": "octocat",
            "GITHUB_STEP_SUMMARY": str(summary),
            "RUNNER_TEMP": str(temporary),
            **{name: str(path) for name, path in files.items()},
            **values,
        }
        ran = Ran(temporary)
        for step in job["steps"]:
            self._step(step, contexts, environment, files, ran)
        ran.summary = summary.read_text() if summary.exists() else ""
        return ran

    def _step(
        self,
        step: dict[str, Any],
        contexts: dict[str, Any],
        environment: dict[str, str],
        files: Mapping[str, Path],
        ran: Ran,
    ) -> None:
        state = {
            "success": lambda: not ran.failed and not ran.cancelled,
            "failure": lambda: ran.failed and not ran.cancelled,
            "cancelled": lambda: ran.cancelled,
            "always": lambda: True,
        }
        outputs: dict[str, str] = {}
        if not condition(step.get("if", "success()"), contexts, state):
            outcome = "skipped"
        elif "uses" in step:
            ran.inputs[step["name"]] = {name: fill(text, contexts) for name, text in step.get("with", {}).items()}
            outcome = "noted"
        else:
            outcome = self._shell(step, contexts, environment, files, ran)
            outputs = _lines(files["GITHUB_OUTPUT"])
        ran.failed = ran.failed or outcome == "failure"
        ran.cancelled = ran.cancelled or outcome == "cancelled"
        ran.steps[step["name"]] = outcome
        contexts["steps"] = {**contexts["steps"], step.get("id", ""): {"outcome": outcome, "outputs": outputs}}

    def _shell(
        self,
        step: dict[str, Any],
        contexts: dict[str, Any],
        environment: dict[str, str],
        files: Mapping[str, Path],
        ran: Ran,
    ) -> str:
        for path in files.values():
            path.write_text("")
        own = {name: fill(text, contexts) for name, text in step.get("env", {}).items()}
        script = ran.temporary / "step.sh"
        script.write_text(self.replaced.get(step["name"], fill(step["run"], contexts)))
        process = subprocess.Popen(
            ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script),
            cwd=self.workspace,
            env={**environment, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        cancelled = self.cancelled is not None and self.cancelled[0] == step["name"]
        if self.cancelled is not None and cancelled:
            wait_for(self.cancelled[1].exists)
            # The first process of the step alone is told, and has 7.5 seconds.
            # https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
            process.send_signal(signal.SIGINT)
        try:
            output, _ = process.communicate(timeout=7.5 if cancelled else 120)
        finally:
            process.kill()
        ran.log += f"## {step['name']}\n{output}"
        environment.update(_lines(files["GITHUB_ENV"]))
        for line in files["GITHUB_PATH"].read_text().splitlines():
            environment["PATH"] = f"{line}:{environment['PATH']}"
        if cancelled:
            return "cancelled"
        return "success" if process.returncode == 0 else "failure"


def _lines(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def _defaults(document: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs of a call that are left out. Of a schedule there are none."""
    call = document["on"].get("workflow_call") or {}
    return {name: given["default"] for name, given in call.get("inputs", {}).items() if "default" in given}
