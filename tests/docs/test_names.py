"""The commands that print the names which the runbooks need, run as they stand."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dbbackup.contract import EnvKey
from devtools.aws import LocalAws
from tests.docs.commands import ROOT

TRUSTED = {"Version": "2012-10-17", "Statement": []}
LOCAL = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n'
"""Version 1 of the AWS CLI, which is what tests have, calls RDS in us-east-1 whatever the variable says."""


def _block() -> str:
    """The commands, without the indent that makes them code."""
    section = (ROOT / "docs" / "runbooks" / "README.md").read_text().split("\n## Names you need\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"^    (.*)$", section, re.M))


@pytest.fixture
def deployed(aws: LocalAws) -> LocalAws:
    """Of what is deployed that which the commands look for, beside others of nearly the same name."""
    role = aws.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps(TRUSTED))["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "")
    aws.client("lambda").create_function(
        FunctionName="ftry-prod-backup",
        Role=role,
        Runtime="python3.11",
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {EnvKey.BUCKET.value: "generated-name-of-the-bucket"}},
    )
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier="ftry-prod",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        StorageEncrypted=True,
        KmsKeyId="arn:aws:kms:us-east-1:123456789012:key/of-the-instance",
    )
    aws.client("sqs").create_queue(QueueName="ftry-prod-backup-dead-letters")
    for name in ("ftry-prod-notifications", "other-ftry-prod-notifications"):
        aws.client("sns").create_topic(Name=name)
    for name in ("ftry-prod-restore", "ftry-prod-pitr", "ftry-prod-pitr-promote", "ftry-prod-rehearsal"):
        aws.client("stepfunctions").create_state_machine(name=name, definition="{}", roleArn=role)
    return aws


@pytest.mark.xdist_group("names")
def test_the_commands_print_every_name(deployed: LocalAws, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    environment = {**os.environ, **deployed.environment(), "HOME": str(tmp_path)}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        (bash, "-eu", "-c", LOCAL + _block()), env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "bucket generated-name-of-the-bucket",
        "key arn:aws:kms:us-east-1:123456789012:key/of-the-instance",
        f"queue {deployed.endpoint}/123456789012/ftry-prod-backup-dead-letters",
        "topic arn:aws:sns:us-east-1:123456789012:ftry-prod-notifications",
        "restore arn:aws:states:us-east-1:123456789012:stateMachine:ftry-prod-restore",
        "point in time arn:aws:states:us-east-1:123456789012:stateMachine:ftry-prod-pitr",
        "promotion arn:aws:states:us-east-1:123456789012:stateMachine:ftry-prod-pitr-promote",
        "rehearsal arn:aws:states:us-east-1:123456789012:stateMachine:ftry-prod-rehearsal",
    ]
