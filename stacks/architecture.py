"""The processors that a setting may name."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_lambda as lambda_

ARCHITECTURES: Final = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
