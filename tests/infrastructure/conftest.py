"""Templates are synthesized once and shared: starting the CDK costs seconds, reading a template nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infrastructure.synthesis import Synthesized, settings_of, synthesize

HERE = Path(__file__).resolve().parent


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what reads templates in one worker, so that they are synthesized once; but for files with their own group."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("infrastructure"))


@pytest.fixture(autouse=True, scope="session")
def no_aws_account() -> Iterator[None]:
    """Nothing here may find credentials, or a region, in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "CDK_DEFAULT_"))]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def prod(no_aws_account: None) -> Synthesized:
    """Prod, as cdk.json has it."""
    return synthesize(settings_of("prod"))


@pytest.fixture(scope="session")
def staging(no_aws_account: None) -> Synthesized:
    """Staging, as cdk.json has it."""
    return synthesize(settings_of("staging"))


@pytest.fixture(scope="session")
def dev(no_aws_account: None) -> Synthesized:
    """Dev, as cdk.json has it."""
    return synthesize(settings_of("dev"))
