"""Invokes a handler as Lambda does: a process of its own, and in its environment only what the template sets."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Invocation:
    """How an invocation ended.

    Attributes:
        answer: what the handler returned; None where it raised.
        error: type and message of what it raised.
        lines: its log, each line parsed where it is JSON.
        seconds: how long it took.
    """

    answer: dict[str, Any] | None
    error: str | None
    lines: tuple[dict[str, Any], ...]
    seconds: float

    def metric(self, name: str) -> float | None:
        """The value of a metric in the embedded metric format lines of the log; None where it is not there."""
        for line in self.lines:
            if "_aws" in line and name in line:
                value = line[name]
                return float(value[0] if isinstance(value, list) else value)
        return None


class RunningInvocation:
    """An invocation under way."""

    def __init__(self, handler: str, event: Mapping[str, Any], environment: Mapping[str, str], timeout: int) -> None:
        self._result = tempfile.TemporaryFile()  # noqa: SIM115 - it has no name, so it goes with the last of us
        self._started = time.monotonic()
        self.process = subprocess.Popen(
            (sys.executable, "-m", "devtools.local_lambda", handler, str(timeout), str(self._result.fileno())),
            pass_fds=(self._result.fileno(),),
            cwd=Path(__file__).resolve().parent.parent,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(event))
        self.process.stdin.close()

    def finish(self) -> Invocation:
        """Wait for its end; whoever stops us stops it."""
        assert self.process.stdout is not None
        try:
            with self.process.stdout as stream:
                lines = tuple(_parsed(line) for line in stream)
            self.process.wait()
        except BaseException:
            self.process.terminate()
            self.process.wait()
            raise
        with self._result as file:
            file.seek(0)
            result = json.loads(file.read() or "{}")
        error = None if "answer" in result else result.get("error", f"exit status {self.process.returncode}")
        return Invocation(result.get("answer"), error, lines, time.monotonic() - self._started)


def invoke(handler: str, event: Mapping[str, Any], environment: Mapping[str, str], timeout: int) -> Invocation:
    """Invoke a handler, named ``module.function``, and wait for its end.

    Args:
        handler: the container command of the template.
        event: the payload.
        environment: all variables that the process has.
        timeout: seconds until Lambda would kill it.
    """
    return RunningInvocation(handler, event, environment, timeout).finish()


def _parsed(line: str) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError:
        return {"text": line.rstrip()}
    return document if isinstance(document, dict) else {"text": line.rstrip()}


class _Context:
    """The part of Lambda's context object that handlers use."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self.function_name = "local"
        self.memory_limit_in_mb = 0
        self.invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:local"
        self.aws_request_id = f"local-{os.getpid()}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


def _child(handler: str, timeout: str, result: str) -> None:
    module, _, function = handler.rpartition(".")
    event = json.load(sys.stdin)

    def report(document: dict[str, Any]) -> None:
        os.write(int(result), json.dumps(document).encode())

    try:
        answer = getattr(importlib.import_module(module), function)(event, _Context(float(timeout)))
    except BaseException as error:
        report({"error": f"{type(error).__name__}: {error}"})
        raise
    report({"answer": answer})


if __name__ == "__main__":
    _child(*sys.argv[1:])
