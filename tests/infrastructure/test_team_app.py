"""The construct library is usable alone, in the app of a team that has none of our stacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from examples.team_app.app import OrdersStack
from tests.infrastructure.synthesis import ROOT, Template, cdk_context


@pytest.fixture(scope="module")
def orders(no_aws_account: None, tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("orders")
    flags: dict[str, Any] = {name: value for name, value in cdk_context().items() if name != "environments"}
    app = App(outdir=str(folder), context=flags)
    OrdersStack(app, "orders")
    app.synth()
    return Template(json.loads((folder / "orders.template.json").read_text()))


def test_the_team_gets_its_database(orders: Template) -> None:
    instance = orders.only("AWS::RDS::DBInstance")
    assert instance["DBInstanceIdentifier"] == "orders"
    assert instance["EngineVersion"] == "17.9"
    assert instance["DeletionProtection"] is instance["StorageEncrypted"] is instance["MultiAZ"] is True


def test_the_team_gets_its_bucket_with_the_defaults_of_the_design(orders: Template) -> None:
    (bucket,) = [found for found in orders.all("AWS::S3::Bucket") if "ObjectLockConfiguration" in found]
    expirations = {
        rule["Prefix"]: rule["ExpirationInDays"]
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    }
    assert expirations == {"daily/": 30, "weekly/": 90, "monthly/": 365, "pre-migration/": 7, "manual/": 30}


def test_the_example_imports_the_library_and_no_stack() -> None:
    source = Path(ROOT, "examples", "team_app", "app.py").read_text()
    assert "from constructs_lib import" in source
    assert "stacks" not in source
