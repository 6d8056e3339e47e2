"""Every template is what CloudFormation accepts, by AWS's own linter and its offline schemas."""

from __future__ import annotations

from pathlib import Path

import pytest
from cfnlint.config import ConfigMixIn  # type: ignore[import-untyped]
from cfnlint.runner import Runner  # type: ignore[import-untyped]

from tests.infrastructure.synthesis import Synthesized, settings_of, synthesize
from tests.infrastructure.test_real_cases import EXISTING_INSTANCE, EXISTING_VPC

pytestmark = pytest.mark.xdist_group("linters")  # which take as long as all other tests of the templates

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
    assert _findings(templates) == []


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
    assert _findings(templates) == []


def _findings(templates: list[Path]) -> list[str]:
    # All in one run: reading the rules takes longer than most templates.
    runner = Runner(ConfigMixIn(None, regions=["us-east-1"], templates=[str(path) for path in templates]))
    return [
        f"{Path(found.filename).name}: {found.rule.id} {found.message}"
        for found in runner.run()
        if found.rule.id not in ACCEPTED
    ]
