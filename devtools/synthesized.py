"""What the synthesized templates say of the backup system: read back from CloudFormation, not from our code."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dbbackup.contract import HANDLER_BACKUP, SCHEDULED_TIME_PLACEHOLDER
from devtools.deployed_function import DeployedFunction, read_function

ROOT = Path(__file__).resolve().parent.parent
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True)
class Schedule:
    """One schedule."""

    name: str
    expression: str
    payload: str

    @property
    def tier(self) -> str:
        """The tier in its payload."""
        return str(json.loads(self.payload)["tier"])

    def event(self, moment: datetime) -> dict[str, Any]:
        """The event it sends when it fires at ``moment``, as EventBridge Scheduler fills it in."""
        text = self.payload.replace(SCHEDULED_TIME_PLACEHOLDER, moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
        event: dict[str, Any] = json.loads(text)
        return event


@dataclass(frozen=True)
class BackupSystem:
    """The backup function, its schedules and its secret."""

    function: DeployedFunction
    schedules: tuple[Schedule, ...]
    secret_username: str
    stacks: tuple[str, ...]
    resources: int


def synthesize(environment: str, folder: Path) -> None:
    """Run ``cdk synth`` for one environment, without any AWS credentials.

    Raises:
        RuntimeError: it failed; the message holds what it said.
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    variables["PATH"] = f"{ROOT / '.venv/bin'}{os.pathsep}{variables.get('PATH', '')}"
    command = (str(ROOT / "node_modules/.bin/cdk"), "synth", "--quiet", "-c", f"env={environment}", "-o", str(folder))
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"cdk synth failed:\n{done.stdout}{done.stderr}")


def read_system(folder: Path) -> BackupSystem:
    """Find the function, the schedules and the secret in a synthesized app."""
    templates = {path.name.split(".")[0]: json.loads(path.read_text()) for path in folder.glob("*.template.json")}
    resources = [resource for template in templates.values() for resource in template["Resources"].values()]

    def of_type(kind: str) -> list[dict[str, Any]]:
        return [resource["Properties"] for resource in resources if resource["Type"] == kind]

    schedules = [
        Schedule(each["Name"], each["ScheduleExpression"], each["Target"]["Input"])
        for each in of_type("AWS::Scheduler::Schedule")
        if "tier" in json.loads(each["Target"].get("Input", "{}"))  # other schedules are not of backups
    ]
    secret = next(each for each in of_type("AWS::SecretsManager::Secret") if "GenerateSecretString" in each)
    return BackupSystem(
        function=read_function(folder, HANDLER_BACKUP),
        schedules=tuple(schedules),
        secret_username=json.loads(secret["GenerateSecretString"]["SecretStringTemplate"])["username"],
        stacks=tuple(sorted(templates)),
        resources=len(resources),
    )


def last_firing(expression: str, now: datetime) -> datetime:
    """When a schedule fired last, for the forms we use: a fixed hour every day, weekday or day of the month.

    Raises:
        ValueError: the expression has another form.
    """
    fields = expression.removeprefix("cron(").removesuffix(")").split()
    if len(fields) != 6 or not (fields[0].isdecimal() and fields[1].isdecimal()) or fields[3] != "*":
        raise ValueError(f"not a schedule we know: {expression}")
    minute, hour, day, _, weekday, _ = fields
    moment = now.astimezone(UTC).replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    for _ in range(32):
        fits_day = day in ("*", "?") or moment.day == int(day)
        fits_weekday = weekday in ("*", "?") or _WEEKDAYS[moment.weekday()] == weekday
        if moment <= now and fits_day and fits_weekday:
            return moment
        moment -= timedelta(days=1)
    raise ValueError(f"{expression} does not fire within a month")
