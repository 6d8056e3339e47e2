"""Runs of a Step Functions state machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from dbbackup.adapters.aws_errors import code_of
from dbbackup.adapters.rds import calling
from dbbackup.core.pitr_ports import Execution

_GONE: Final = "ExecutionDoesNotExist"


def make_client() -> Any:
    """A Step Functions client."""
    return boto3.client(
        "stepfunctions",
        config=Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=15),
    )


class StepFunctionsExecutions:
    """The runs of one state machine."""

    def __init__(self, client: Any, machine_arn: str) -> None:
        self._client = client
        self._machine = machine_arn

    def find(self, name: str) -> Execution | None:
        """The run of this name, or None where there was none in the last 90 days.

        Raises:
            DbBackupError: Step Functions does not answer.
        """
        return self.describe(f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}")

    def describe(self, arn: str) -> Execution | None:
        """The run of this ARN, or None.

        Raises:
            DbBackupError: Step Functions does not answer.
        """
        document = self.document(arn)
        return None if document is None else _execution(document)

    def document(self, arn: str) -> dict[str, Any] | None:
        """All that Step Functions says of a run, its output and the reason of its failure too.

        Raises:
            DbBackupError: Step Functions does not answer.
        """
        with calling("DescribeExecution", arn):
            try:
                found: dict[str, Any] = self._client.describe_execution(executionArn=arn)
            except ClientError as error:
                if code_of(error) == _GONE:
                    return None
                raise
        return found

    def running(self) -> list[Execution]:
        """All runs that have not ended, the oldest first.

        Raises:
            DbBackupError: Step Functions does not answer.
        """
        with calling("ListExecutions", self._machine):
            pages = self._client.get_paginator("list_executions").paginate(
                stateMachineArn=self._machine, statusFilter="RUNNING"
            )
            arns = [item["executionArn"] for page in pages for item in page["executions"]]
        found = [execution for execution in map(self.describe, arns) if execution is not None]
        return sorted(found, key=lambda execution: (execution.started, execution.name))

    def start(self, name: str, document: Mapping[str, Any]) -> Execution:
        """Start a run, or get the one that runs under this name with the same document.

        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html

        Raises:
            DbBackupError: Step Functions refuses.
        """
        with calling("StartExecution", name):
            started = self._client.start_execution(
                stateMachineArn=self._machine, name=name, input=json.dumps(document, sort_keys=True)
            )
        return Execution(
            arn=started["executionArn"], name=name, status="RUNNING", started=started["startDate"], input=document
        )

    def last_state(self, arn: str) -> str | None:
        """The state that a run entered last.

        Raises:
            DbBackupError: Step Functions does not answer.
        """
        with calling("GetExecutionHistory", arn):
            history = self._client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=20)
        names = (event.get("stateEnteredEventDetails", {}).get("name") for event in history["events"])
        return next(filter(None, names), None)


def _execution(document: Mapping[str, Any]) -> Execution:
    return Execution(
        arn=document["executionArn"],
        name=document["name"],
        status=document["status"],
        started=document["startDate"],
        input=json.loads(document.get("input") or "{}"),
    )
