"""Everything the demo's steps share: the server, the local AWS, the synthesized system and its function."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbbackup.contract import EnvKey
from devtools.aws import LocalAws
from devtools.local_lambda import Invocation, RunningInvocation
from devtools.postgres import Server
from devtools.synthesized import ROOT, BackupSystem

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DATABASE = "ftry"
BUCKET = "ftry-prod-backups-demo"


@dataclass(frozen=True)
class World:
    """The demo's surroundings."""

    server: Server
    aws: LocalAws
    system: BackupSystem
    s3: S3Client
    function_environment: Mapping[str, str]
    told: list[Invocation] = field(default_factory=list)

    def start(self, event: Mapping[str, Any]) -> RunningInvocation:
        """Invoke the function that the template describes, and do not wait."""
        function = self.system.function
        environment = {**self.surroundings(), **self.function_environment}
        return RunningInvocation(function.handler, event, environment, function.timeout_seconds)

    def invoke(self, event: Mapping[str, Any]) -> Invocation:
        """Invoke it and wait."""
        return self.keep(self.start(event).finish())

    def keep(self, ended: Invocation) -> Invocation:
        """Keep what an invocation has told CloudWatch, for the alarms and the dashboard."""
        self.told.append(ended)
        return ended

    def surroundings(self) -> dict[str, str]:
        """What Lambda itself provides, credentials and a PATH, and the image: the client programs."""
        return {
            **self.aws.environment(),
            "PATH": os.environ.get("PATH", ""),
            "PG_BINDIR": str(self.server.bindir),
        }

    def _shell(self) -> dict[str, str]:
        """What a person's shell would have, for this database and the local AWS."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POSTGRES_", "PG"))},
            **self.aws.environment(),
            **self.server.environment(DATABASE),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the project as a person would."""
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self._shell(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def start_command(self, *command: str) -> subprocess.Popen[str]:
        """Start one and go on."""
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=self._shell(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def listed(self) -> list[dict[str, Any]]:
        """The backups that `dbbackup list` shows."""
        documents: list[dict[str, Any]] = json.loads(self.run("dbbackup", "list", "--bucket", BUCKET, "--json").stdout)
        return documents

    def keys(self) -> set[str]:
        """Every key in the bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    def unfinished_uploads(self) -> int:
        """Multipart uploads that were neither completed nor aborted."""
        return len(self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))


def function_environment(system: BackupSystem, server: Server, aws: LocalAws) -> dict[str, str]:
    """The template's environment, with this machine's values for the references in it.

    ``sslmode`` cannot be the template's: the PostgreSQL package that runs here is built without TLS. (Its tests
    use another one, with TLS and ``verify-full``.)
    """
    secret = aws.client("secretsmanager").create_secret(
        Name="demo", SecretString=json.dumps({"username": server.user, "password": server.password})
    )
    return system.function.local_environment(
        {
            EnvKey.BUCKET.value: BUCKET,
            EnvKey.DB_HOST.value: server.host,
            EnvKey.DB_PORT.value: str(server.port),
            EnvKey.DB_SECRET_ARN.value: secret["ARN"],
            EnvKey.DB_SSLMODE.value: "prefer",
        }
    )
