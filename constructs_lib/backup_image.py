"""The container image of everything that runs, built when it is deployed and never when it is synthesized."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_lambda as lambda_

from dbbackup.contract import BUILD_ARG_PG_MAJOR

SOURCE: Final = Path(__file__).resolve().parent.parent / "lambda_src"
"""Where the Dockerfile is: beside this package, wherever the app is run from."""

LEFT_OUT: Final = (
    *("**/__pycache__", "**/*.pyc", "**/*.egg-info", "**/build", "**/dist"),
    *("**/.mypy_cache", "**/.ruff_cache", "**/.pytest_cache", "**/.DS_Store", "**/*.swp", "**/*~"),
)
"""What tools leave in a checkout. The digest of the image must not depend on which of them ran."""


def platform(architecture: lambda_.Architecture) -> ecr_assets.Platform:
    """Platform of Docker for an architecture of Lambda."""
    return (
        ecr_assets.Platform.LINUX_ARM64
        if architecture.name == lambda_.Architecture.ARM_64.name
        else ecr_assets.Platform.LINUX_AMD64
    )


def backup_image(
    *, handler: str, client_major: int, architecture: lambda_.Architecture, source: Path = SOURCE
) -> lambda_.DockerImageCode:
    """The image with one of its handlers as the command."""
    return lambda_.DockerImageCode.from_image_asset(
        str(source),
        cmd=[handler],
        build_args={BUILD_ARG_PG_MAJOR: str(client_major)},
        platform=platform(architecture),
        exclude=list(LEFT_OUT),
        ignore_mode=IgnoreMode.DOCKER,
    )
