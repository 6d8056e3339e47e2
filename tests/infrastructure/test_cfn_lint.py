"""Every template is what CloudFormation accepts, by AWS's own linter and its offline schemas."""

from __future__ import annotations

from pathlib import Path

import pytest
from cfnlint.api import lint_file  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from tests.infrastructure.synthesis import Synthesized, settings_of, synthesize
from tests.infrastructure.test_real_cases import EXISTING_INSTANCE, EXISTING_VPC

# Warnings that are looked at and right as they are; errors are never accepted.
ACCEPTED = {
    "W3005": "the CDK names a dependency that a reference implies already",
    "W3010": "zones are a setting: a zone must not change under a subnet that exists",
}


@pytest.mark.parametrize("environment", ["prod", "staging", "dev"])
def test_cloudformation_accepts_every_template(environment: str, request: pytest.FixtureRequest) -> None:
    synthesized: Synthesized = request.getfixturevalue(environment)
    templates = sorted(synthesized.folder.glob("*.template.json"))
    assert len(templates) == 9
    assert [finding for path in templates for finding in _findings(path)] == []


def test_cloudformation_accepts_what_is_added_to_somebody_else_s_network_and_database() -> None:
    vpc = {**EXISTING_VPC, "create_endpoints": True, "route_table_ids": ["rtb-0aaaaaaaa", "rtb-0bbbbbbbb"]}
    synthesized = synthesize(
        settings_of(
            "prod",
            network__existing_vpc=vpc,
            database__new_instance=None,
            database__existing_instance=EXISTING_INSTANCE,
        )
    )
    templates = sorted(synthesized.folder.glob("*.template.json"))
    assert len(templates) == 8
    assert [finding for path in templates for finding in _findings(path)] == []


def _findings(path: Path) -> list[str]:
    config = ManualArgs(regions=["us-east-1"])
    return [
        f"{path.name}: {found.rule.id} {found.message}"
        for found in lint_file(path, config=config)
        if found.rule.id not in ACCEPTED
    ]
