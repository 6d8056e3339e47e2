"""Alarms that nobody hears, or whose runbook nobody can open, may be deployed; but every synth says so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Acknowledgment, App, Validations

from dbbackup.contract_notification import NotifyEnvKey
from stacks.settings import SettingsError
from stacks.settings.monitoring import LONGEST_URL
from stacks.system import add_stacks
from tests.infrastructure.synthesis import Synthesized, cdk_context, settings_of, synthesize

SOMEBODY = ["dba@example.com"]
WIKI = "https://wiki.example.com/runbooks"
GITHUB = {"repository": "acme/orders", "branch": "release/1.x"}


def warnings_of(synthesized: Synthesized) -> list[str]:
    """Every warning of every stack."""
    return [
        entry["data"]
        for path in sorted(synthesized.folder.glob("*.metadata.json"))
        for entries in json.loads(path.read_text()).values()
        for entry in entries
        if entry["type"] == "aws:cdk:warning"
    ]


def test_as_shipped_prod_says_that_a_broken_slack_is_told_to_nobody(prod: Synthesized) -> None:
    (email, runbooks) = warnings_of(prod)
    assert email.startswith("monitoring.emails is empty: a broken Slack would be told to nobody")
    assert '"emails": ["you@your.domain"]' in email
    assert 'id="Annotation::postgres-recovery:no-email"' in email
    assert runbooks.startswith("monitoring.runbook_base_url is docs/runbooks, a path")
    assert "github.repository" in runbooks


def test_without_slack_it_says_that_nobody_hears_anything(dev: Synthesized) -> None:
    (email,) = warnings_of(dev)
    assert email.startswith("monitoring.emails is empty: nobody hears of any alarm")


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        pytest.param({"monitoring__emails": SOMEBODY}, ["no-runbooks"], id="an address"),
        pytest.param({"monitoring__runbook_base_url": WIKI}, ["no-email"], id="a wiki"),
        pytest.param({"github": GITHUB}, ["no-email"], id="a repository"),
        pytest.param({"monitoring__emails": SOMEBODY, "github": GITHUB}, [], id="an address and a repository"),
        pytest.param({"monitoring__emails": SOMEBODY, "notification": None}, ["no-runbooks"], id="e-mail alone"),
    ],
)
def test_what_is_set_is_not_warned_of(changes: dict[str, Any], names: list[str]) -> None:
    found = warnings_of(synthesize(settings_of("prod", **changes)))
    assert [re.findall(r"\[ack: postgres-recovery:(.*)\]", text) for text in found] == [[name] for name in names]


def test_a_warning_is_silent_once_it_was_acknowledged_as_it_says(prod: Synthesized, tmp_path: Path) -> None:
    (email, _) = warnings_of(prod)
    (name,) = re.findall(r'Acknowledgment\(id="([^"]+)"', email)
    app = App(outdir=str(tmp_path), context=cdk_context(), analytics_reporting=False, stack_traces=False)
    app.node.set_context("@aws-cdk/core:failSynthOnValidationErrors", False)  # nothing is shown
    Validations.of(app).acknowledge(Acknowledgment(id=name, reason="we read Slack"))
    add_stacks(app, settings_of("prod"))
    app.synth()
    (report,) = [
        found
        for found in json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
        if "monitoring." in json.dumps(found)
    ]
    assert "monitoring.emails" not in json.dumps(report["violations"])
    assert "monitoring.runbook_base_url" in json.dumps(report["violations"])
    assert "we read Slack" in json.dumps(report["suppressedViolations"])


def test_runbooks_are_read_in_the_repository_where_no_other_place_is_named() -> None:
    there = synthesize(settings_of("prod", github=GITHUB))
    base = "https://github.com/acme/orders/blob/release/1.x/docs/runbooks"
    assert _place_told_to_slack(there) == base
    for text in _descriptions(there):
        assert f"{base}/" in text


def test_a_place_that_is_named_wins() -> None:
    named = synthesize(settings_of("prod", github=GITHUB, monitoring__runbook_base_url=f"{WIKI}/"))
    assert _place_told_to_slack(named) == WIKI
    assert all("github.com" not in text for text in _descriptions(named))


def test_the_longest_place_fits_into_every_description() -> None:
    url = "https://wiki.example.com/".ljust(LONGEST_URL, "x")
    for text in _descriptions(synthesize(settings_of("prod", monitoring__runbook_base_url=url))):
        assert len(text) <= 1024
        assert url in text


def test_a_longer_place_is_refused() -> None:
    with pytest.raises(SettingsError, match="up to 500 characters"):
        settings_of("prod", monitoring__runbook_base_url="https://wiki.example.com/".ljust(LONGEST_URL + 1, "x"))


def _place_told_to_slack(synthesized: Synthesized) -> str:
    variables = synthesized["notification"].only("AWS::Lambda::Function")["Environment"]["Variables"]
    return str(variables[NotifyEnvKey.RUNBOOK_BASE_URL.value])


def _descriptions(synthesized: Synthesized) -> list[str]:
    return [
        alarm["AlarmDescription"]
        for part in sorted(synthesized.parts)
        for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
        for alarm in synthesized[part].all(kind)
    ]
