"""What may be deployed, but not unknowingly: alarms that nobody hears. Said by every synth, diff and deploy."""

from __future__ import annotations

from typing import Final

from aws_cdk import Annotations
from constructs import Construct

from stacks.settings import Settings

NO_EMAIL: Final = "postgres-recovery:no-email"
NO_RUNBOOKS: Final = "postgres-recovery:no-runbooks"


def warn_where_nobody_hears(scope: Construct, settings: Settings) -> None:
    """Warn where no e-mail address is set, and where those who are told cannot open the runbooks."""
    slack = settings.notification.slack is not None
    if not settings.monitoring.emails:
        lacking = (
            "a broken Slack would be told to nobody, as its alarm would go to Slack alone"
            if slack
            else "nobody hears of any alarm, as there is no Slack either"
        )
        fix = 'write into cdk.json "emails": ["you@your.domain"], and confirm the mail that SNS sends'
        _warn(scope, NO_EMAIL, f"monitoring.emails is empty: {lacking}. To fix it, {fix}")
    if (slack or settings.monitoring.emails) and "://" not in settings.runbook_base_url:
        fix = "write there the URL at which people read these pages, or set github.repository"
        _warn(
            scope,
            NO_RUNBOOKS,
            f"monitoring.runbook_base_url is {settings.runbook_base_url}, a path in this repository: who reads an "
            f"alarm cannot open its runbook. To fix it, {fix}",
        )


def _warn(scope: Construct, name: str, text: str) -> None:
    meant = f'Validations.of(app).acknowledge(Acknowledgment(id="Annotation::{name}", reason="..."))'
    Annotations.of(scope).add_warning_v2(name, f"{text}. Where it is meant so, say why, in app.py: {meant}.")
